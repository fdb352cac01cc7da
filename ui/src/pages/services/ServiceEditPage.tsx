import { ActionIcon, Button, NativeSelect, NumberInput, TextInput } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { IconX } from "@tabler/icons-react";
import { useState } from "react";
import { useParams } from "react-router";
import { policiesQuery, removeService, saveService, teamsQuery } from "@/api/catalog";
import { serviceQuery, servicesQuery } from "@/api/services";
import type { Service } from "@/api/types";
import { Editing } from "@/kit/Editing";
import type { Edition } from "@/kit/edition";
import { Loaded } from "@/kit/Loaded";
import { Section } from "@/kit/Section";
import { Copy, Snippet } from "@/kit/Snippet";
import { EntryForm, Missing } from "../oncall/EntryForm";
import styles from "../oncall/EntryForm.module.css";
import { Windows } from "../oncall/Windows";
import { ZoneInput } from "../oncall/ZoneInput";
import { emptyService, newIntegration, serviceBody, serviceDraft, type IntegrationDraft, type ServiceDraft, type Together } from "./serviceDraft";

const here = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** One service: who answers for it, and how events reach it. */
export function ServiceEditPage() {
  const { id = "" } = useParams();
  const query = useQuery(servicesQuery);
  return (
    <Loaded query={query} page="Service">
      {({ items }) => {
        if (id === "new") return <Editor key="new" others={items} />;
        const found = items.find((s) => s.id === id || s.name === id);
        if (!found) return <Missing noun="service" name={id} list="/services" listName="Services" />;
        return <Whole key={found.id} name={found.name} others={items.filter((s) => s.id !== found.id)} />;
      }}
    </Loaded>
  );
}

/** A list shows its keys masked; the service itself shows them to who may change it. */
function Whole({ name, others }: { name: string; others: Service[] }) {
  const query = useQuery({ ...serviceQuery(name), placeholderData: keepPreviousData }); // whoever edits keeps the draft when somebody renames it
  return (
    <Loaded query={query} page="Service">
      {(service) => <Editing entry={service}>{(edition) => <Editor edition={edition} others={others} />}</Editing>}
    </Loaded>
  );
}

function Editor({ edition, others }: { edition?: Edition<Service>; others: Service[] }) {
  const stored = edition?.opened;
  const [draft, setDraft] = useState<ServiceDraft>(() => (stored ? serviceDraft(stored, here) : emptyService(here)));
  const { data: teams } = useQuery(teamsQuery);
  const { data: policies } = useQuery(policiesQuery);
  const set = (change: Partial<ServiceDraft>) => setDraft({ ...draft, ...change });
  /** New integrations have got their keys. */
  const saved = (service: Service) => {
    setDraft(serviceDraft(service, here));
    return service;
  };
  return (
    <EntryForm
      noun="service"
      list="/services"
      listName="Services"
      edition={edition}
      path={(id) => `/oncall/services/${id}`}
      save={(version) => saveService(stored?.id, serviceBody(draft, stored), version).then(saved)}
      remove={removeService}
    >
      <div className={styles.row}>
        <TextInput
          label="Name"
          description="As its metrics and logs call it"
          required
          withAsterisk={false}
          data-autofocus
          value={draft.name}
          onChange={(e) => set({ name: e.currentTarget.value })}
        />
        <TextInput label="What it does" description="For people" value={draft.description} onChange={(e) => set({ description: e.currentTarget.value })} />
      </div>
      <div className={styles.row}>
        <NativeSelect
          label="Team"
          value={draft.team}
          data={[{ value: "", label: "none" }, ...(teams?.items.map((t) => t.name) ?? [])]}
          onChange={(e) => set({ team: e.currentTarget.value })}
        />
        <NativeSelect
          label="Escalation policy"
          value={draft.policy}
          data={[{ value: "", label: "none: the last resort is paged" }, ...(policies?.items.map((p) => p.name) ?? [])]}
          onChange={(e) => set({ policy: e.currentTarget.value })}
        />
        <NativeSelect
          label="Its incidents are"
          value={draft.urgency}
          data={[
            { value: "high", label: "urgent" },
            { value: "severity", label: "urgent by their severity" },
            { value: "low", label: "not urgent" },
          ]}
          onChange={(e) => set({ urgency: e.currentTarget.value as ServiceDraft["urgency"] })}
        />
      </div>
      <div className={styles.row}>
        <TextInput label="Runbook" type="url" value={draft.runbook} onChange={(e) => set({ runbook: e.currentTarget.value })} />
        <TextInput label="Repository" type="url" value={draft.repository} onChange={(e) => set({ repository: e.currentTarget.value })} />
      </div>
      <Support draft={draft} set={set} />
      <Grouping draft={draft} set={set} />
      <div className={styles.row}>
        <NumberInput
          label="Pages again after"
          description="Minutes of an ack; 0: never"
          min={0}
          max={43_200}
          value={draft.ackTimeout}
          onChange={(v) => set({ ackTimeout: Number(v) || 0 })}
        />
        <NumberInput
          label="Resolves by itself after"
          description="Minutes; 0: never"
          min={0}
          max={43_200}
          value={draft.autoResolve}
          onChange={(v) => set({ autoResolve: Number(v) || 0 })}
        />
      </div>
      <Dependencies names={draft.dependsOn} others={others} onChange={(dependsOn) => set({ dependsOn })} />
      <Integrations list={draft.integrations} onChange={(integrations) => set({ integrations })} />
    </EntryForm>
  );
}

/** When an incident is as urgent as it is: outside of these hours nobody is woken for it. */
function Support({ draft, set }: { draft: ServiceDraft; set: (change: Partial<ServiceDraft>) => void }) {
  if (draft.urgency === "low") return null;
  return (
    <div className={styles.fields} role="group" aria-label="Support hours">
      <div className={styles.label}>Support hours</div>
      <Windows
        hours={draft.support}
        onChange={(support) => set({ support })}
        first="Urgent only at certain hours"
        none="Its incidents are urgent around the clock."
      />
      {draft.support.length > 0 && (
        <div className={styles.row}>
          <ZoneInput label="On the clock of" value={draft.supportZone} onChange={(supportZone) => set({ supportZone })} required />
        </div>
      )}
    </div>
  );
}

function Grouping({ draft, set }: { draft: ServiceDraft; set: (change: Partial<ServiceDraft>) => void }) {
  return (
    <div className={styles.row}>
      <NativeSelect
        label="One incident is"
        description="What pages once"
        value={draft.together}
        data={[
          { value: "service", label: "all alerts of the service" },
          { value: "none", label: "one alert" },
          { value: "fields", label: "alerts that share some fields" },
        ]}
        onChange={(e) => set({ together: e.currentTarget.value as Together, fields: "" })}
      />
      {draft.together === "fields" && (
        <TextInput label="Fields they share" description="Names of labels or details, with commas between" placeholder="class, component" required withAsterisk={false} value={draft.fields} onChange={(e) => set({ fields: e.currentTarget.value })} />
      )}
      {draft.together !== "none" && (
        <NumberInput label="No later than" description="Minutes after the last; 0: any" min={0} max={43_200} value={draft.within} onChange={(v) => set({ within: Number(v) || 0 })} />
      )}
    </div>
  );
}

function Dependencies({ names, others, onChange }: { names: string[]; others: Service[]; onChange: (names: string[]) => void }) {
  const rest = others.filter((s) => !names.includes(s.name));
  if (names.length + rest.length === 0) return null;
  return (
    <div role="group" aria-label="Depends on">
      <div className={styles.label}>Depends on</div>
      <ul className={styles.members}>
        {names.map((name) => (
          <li key={name}>
            <span>{name}</span>
            <ActionIcon aria-label={`Take ${name} out`} onClick={() => onChange(names.filter((n) => n !== name))}>
              <IconX size={14} />
            </ActionIcon>
          </li>
        ))}
        {names.length === 0 && <li className={styles.dim}>no other service</li>}
      </ul>
      <NativeSelect
        className={styles.add}
        mt={4}
        size="sm"
        aria-label="Add to depends on"
        value=""
        data={[{ value: "", label: rest.length > 0 ? "Add a service …" : "No service is left to add" }, ...rest.map((s) => s.name)]}
        onChange={(e) => {
          if (e.currentTarget.value) onChange([...names, e.currentTarget.value]);
        }}
      />
    </div>
  );
}

function Integrations({ list, onChange }: { list: IntegrationDraft[]; onChange: (list: IntegrationDraft[]) => void }) {
  const first = list.find((i) => i.secret && !i.secret.endsWith("…"))?.secret;
  return (
    <Section
      title="Integrations"
      aside={
        <Button variant="default" onClick={() => onChange([...list, newIntegration("")])}>
          Add an integration
        </Button>
      }
    >
      <div className={styles.fields}>
        {list.map((i) => (
          <div key={i.key} className={styles.hours} role="group" aria-label={`Integration ${i.name}`}>
            <TextInput label="Name" required withAsterisk={false} value={i.name} onChange={(e) => onChange(list.map((o) => (o.key === i.key ? { ...i, name: e.currentTarget.value } : o)))} />
            <div>
              <div className={styles.label}>Key</div>
              {i.secret ? (
                <>
                  <code>{i.secret}</code> <Copy text={i.secret} label={`Copy the key of ${i.name}`} />
                </>
              ) : <span className={styles.dim}>is made when the service is saved</span>}
            </div>
            <Button variant="subtle" color="red" onClick={() => onChange(list.filter((o) => o.key !== i.key))}>
              Remove
            </Button>
          </div>
        ))}
        {list.length === 0 && <p className={styles.dim}>No event from outside reaches it; alerts of its own rules do.</p>}
        {first && (
          <Snippet>
            {`curl ${window.location.origin}/pagerduty/v2/enqueue -H "Content-Type: application/json" \\
  -d '{"routing_key": "${first}", "event_action": "trigger", "payload": {"summary": "Orders fail", "source": "shop", "severity": "critical"}}'`}
          </Snippet>
        )}
      </div>
    </Section>
  );
}
