import { ActionIcon, Button, NativeSelect, NumberInput, Switch, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconArrowDown, IconArrowUp, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { useParams } from "react-router";
import { policiesQuery, removePolicy, savePolicy, schedulesQuery, teamsQuery } from "@/api/catalog";
import { onCallNowQuery } from "@/api/oncall";
import { peopleQuery } from "@/api/services";
import type { Policy } from "@/api/types";
import { Editing } from "@/kit/Editing";
import type { Edition } from "@/kit/edition";
import { formatDuration } from "@/kit/format";
import { Loaded } from "@/kit/Loaded";
import { moved } from "@/kit/moved";
import { Person } from "@/kit/Person";
import { Section } from "@/kit/Section";
import { EntryForm, Missing } from "./EntryForm";
import styles from "./EntryForm.module.css";
import { emptyPolicy, newLevel, policyBody, policyDraft, targetKey, targetOf, type LevelDraft, type PolicyDraft, type Target } from "./policyDraft";

/** One escalation policy: who is paged, and who next if nobody acknowledges. */
export function PolicyPage() {
  const { id = "" } = useParams();
  const query = useQuery(policiesQuery);
  return (
    <Loaded query={query} page="Escalation policy">
      {({ items }) => {
        if (id === "new") return <Editor key="new" others={items} />;
        const found = items.find((p) => p.id === id || p.name === id);
        if (!found) return <Missing noun="escalation policy" name={id} />;
        return (
          <Editing key={found.id} entry={found}>
            {(edition) => <Editor edition={edition} others={items.filter((p) => p.id !== found.id)} />}
          </Editing>
        );
      }}
    </Loaded>
  );
}

function Editor({ edition, others }: { edition?: Edition<Policy>; others: Policy[] }) {
  const stored = edition?.opened;
  const [draft, setDraft] = useState<PolicyDraft>(() => (stored ? policyDraft(stored) : emptyPolicy()));
  const { data: teams } = useQuery(teamsQuery);
  const set = (change: Partial<PolicyDraft>) => setDraft({ ...draft, ...change });
  const { levels } = draft;
  const complete = levels.length > 0 && levels.every((l) => l.targets.length > 0);
  const none = { value: "", label: "none" };
  const wholeMinutes = levels.reduce((sum, l) => sum + l.wait, 0);
  return (
    <EntryForm
      noun="escalation policy"
      list="/oncall"
      edition={edition}
      path={(id) => `/oncall/policies/${id}`}
      save={complete ? (version) => savePolicy(stored?.id, policyBody(draft), version) : undefined}
      remove={removePolicy}
      effect={
        <p className={styles.dim}>
          {complete
            ? `Without an acknowledgement everybody above was paged after ${wholeMinutes === 0 ? "one moment" : formatDuration(wholeMinutes * 60)}${
                draft.repeat > 0 ? `, and then ${draft.repeat === 1 ? "once" : `${draft.repeat} times`} more` : ""
              }${draft.then ? `; then ${draft.then} goes on` : ""}. Incidents that are open already keep the policy they began with.`
            : "Each level needs somebody to page."}
        </p>
      }
    >
      <div className={styles.row}>
        <TextInput label="Name" required withAsterisk={false} value={draft.name} onChange={(e) => set({ name: e.currentTarget.value })} />
        <NativeSelect label="Team" value={draft.team} data={[none, ...(teams?.items.map((t) => t.name) ?? [])]} onChange={(e) => set({ team: e.currentTarget.value })} />
        <TextInput label="What it is for" value={draft.description} onChange={(e) => set({ description: e.currentTarget.value })} />
      </div>
      <Section
        title="Levels"
        aside={
          <Button variant="default" onClick={() => set({ levels: [...levels, newLevel(levels.length === 0 ? 0 : 5)] })}>
            Add a level
          </Button>
        }
      >
        <div className={styles.fields}>
          {levels.map((level, i) => (
            <Level
              key={level.key}
              level={level}
              number={i + 1}
              count={levels.length}
              onChange={(next) => set({ levels: levels.map((l) => (l.key === next.key ? next : l)) })}
              onMove={(by) => set({ levels: moved(levels, i, i + by).map((l, k) => (k > 0 && l.wait === 0 ? { ...l, wait: 5 } : l)) })}
              onRemove={() => set({ levels: levels.filter((l) => l.key !== level.key) })}
            />
          ))}
        </div>
      </Section>
      <div className={styles.row}>
        <NumberInput label="Repeat all levels" min={0} max={9} allowDecimal={false} value={draft.repeat} onChange={(v) => set({ repeat: Number(v) || 0 })} />
        <NativeSelect label="Then go on with" value={draft.then} data={[none, ...others.map((p) => p.name)]} onChange={(e) => set({ then: e.currentTarget.value })} />
      </div>
    </EntryForm>
  );
}

interface LevelProps {
  level: LevelDraft;
  number: number;
  count: number;
  onChange: (level: LevelDraft) => void;
  onMove: (by: number) => void;
  onRemove: () => void;
}

function Level({ level, number, count, onChange, onMove, onRemove }: LevelProps) {
  const { data: people } = useQuery(peopleQuery);
  const { data: schedules } = useQuery(schedulesQuery);
  const set = (change: Partial<LevelDraft>) => onChange({ ...level, ...change });
  const free = (t: Target) => !level.targets.some((o) => targetKey(o) === targetKey(t));
  const schedule = (schedules?.items ?? []).map((s): Target => ({ kind: "schedule", name: s.name })).filter(free);
  const person = (people?.items ?? []).map((p): Target => ({ kind: "person", name: p.name })).filter(free);
  return (
    <div className={styles.card} role="group" aria-label={`Level ${number}`}>
      <div className={styles.head}>
        <span>Level {number}</span>
        <ActionIcon aria-label={`Move level ${number} up`} disabled={number === 1} onClick={() => onMove(-1)}>
          <IconArrowUp size={14} />
        </ActionIcon>
        <ActionIcon aria-label={`Move level ${number} down`} disabled={number === count} onClick={() => onMove(1)}>
          <IconArrowDown size={14} />
        </ActionIcon>
        <ActionIcon aria-label={`Remove level ${number}`} disabled={count === 1} onClick={onRemove}>
          <IconX size={14} />
        </ActionIcon>
      </div>
      <div className={styles.row}>
        <NumberInput
          label={number === 1 ? "Minutes after the incident opened" : "Minutes after the level before"}
          min={number === 1 ? 0 : 0.5}
          max={1440}
          value={level.wait}
          onChange={(v) => set({ wait: Number(v) || 0 })}
        />
      </div>
      <div role="group" aria-label={`Paged at level ${number}`}>
        <div className={styles.label}>Pages</div>
        <ul className={styles.members}>
          {level.targets.map((t) => (
            <li key={targetKey(t)}>
              <span>
                <Who target={t} />
              </span>
              <ActionIcon aria-label={`Take ${t.name} out`} onClick={() => set({ targets: level.targets.filter((o) => targetKey(o) !== targetKey(t)) })}>
                <IconX size={14} />
              </ActionIcon>
            </li>
          ))}
          {level.targets.length === 0 && <li className={styles.dim}>nobody yet</li>}
        </ul>
        <NativeSelect
          className={styles.add}
          mt={4}
          size="sm"
          aria-label={`Add to level ${number}`}
          value=""
          data={[
            { value: "", label: "Add a schedule or a person …" },
            { group: "Whoever is on call for", items: schedule.map((t) => ({ value: targetKey(t), label: t.name })) },
            { group: "Person", items: person.map((t) => ({ value: targetKey(t), label: people?.items.find((p) => p.name === t.name)?.fullName ?? t.name })) },
          ]}
          onChange={(e) => {
            if (e.currentTarget.value) set({ targets: [...level.targets, targetOf(e.currentTarget.value)] });
          }}
        />
      </div>
      {level.targets.length > 1 && (
        <Switch
          label="Round robin: one of them for each incident, in turn"
          checked={level.roundRobin}
          onChange={(e) => set({ roundRobin: e.currentTarget.checked })}
        />
      )}
    </div>
  );
}

/** A target, and whom it means now. */
function Who({ target }: { target: Target }) {
  const { data } = useQuery(onCallNowQuery);
  if (target.kind === "person") return <Person name={target.name} />;
  const now = data?.items.find((o) => o.schedule === target.name);
  return (
    <>
      schedule {target.name} <span className={styles.dim}>· now {now?.on ? <Person name={now.on.person} /> : "nobody"}</span>
    </>
  );
}
