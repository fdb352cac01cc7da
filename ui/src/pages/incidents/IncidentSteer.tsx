import { Button, Menu, NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconChevronDown } from "@tabler/icons-react";
import { useState } from "react";
import { policiesQuery } from "@/api/catalog";
import { incidentsQuery, merge, reassign, unacknowledge } from "@/api/incidents";
import { peopleQuery } from "@/api/services";
import type { IncidentDetail } from "@/api/types";
import { Dialog } from "@/kit/Dialog";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";
import { useNow } from "@/kit/useNow";
import styles from "./IncidentActions.module.css";
import { IncidentEdit } from "./IncidentEdit";
import { snoozes } from "./snoozes";
import { useIncidentAction } from "./useIncidentAction";

interface Props {
  incident: IncidentDetail;
  snooze: (time: string) => void;
}

/** What else can be done with an open incident: let it wait longer, or give it to others. */
export function IncidentSteer({ incident, snooze }: Props) {
  const { number } = incident;
  const now = useNow(60_000);
  return (
    <div className={styles.steer} role="group" aria-label="Steer">
      <Menu position="bottom-start">
        <Menu.Target>
          <Button variant="default" size="sm" rightSection={<IconChevronDown size={14} />}>
            Snooze longer
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {snoozes(new Date(now)).map((s) => (
            <Menu.Item key={s.label} onClick={() => snooze(s.time)}>
              {s.label}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <GiveBack incident={incident} />
      <Dialog label="Reassign" size="sm" title={`Give #${number} to`}>
        {(close) => <ReassignForm incident={incident} done={close} />}
      </Dialog>
      <Dialog label="Merge" size="sm" title={`Merge another incident into #${number}`}>
        {(close) => <MergeForm incident={incident} done={close} />}
      </Dialog>
      <IncidentEdit incident={incident} />
    </div>
  );
}

/** The same on a phone: all of it one tap behind More. */
export function IncidentMore({ incident, snooze }: Props) {
  const now = useNow(60_000);
  return (
    <Dialog label="More" size="sm" title={`Incident #${incident.number}`}>
      {(close) => (
        <div className={styles.more}>
          <section aria-label="Snooze">
            <h2>Snooze</h2>
            <div className={styles.pairs}>
              {snoozes(new Date(now)).map((s) => (
                <Button
                  key={s.label}
                  variant="default"
                  size="md"
                  onClick={() => {
                    snooze(s.time);
                    close();
                  }}
                >
                  {s.label}
                </Button>
              ))}
              <GiveBack incident={incident} />
            </div>
          </section>
          <section aria-label="Give it to">
            <h2>Give it to</h2>
            <ReassignForm incident={incident} done={close} />
          </section>
          <section aria-label="Merge">
            <h2>Merge another incident into it</h2>
            <MergeForm incident={incident} done={close} />
          </section>
          <IncidentEdit incident={incident} />
        </div>
      )}
    </Dialog>
  );
}

/** Whoever cannot go on lets it page again. */
function GiveBack({ incident: { id, status } }: { incident: IncidentDetail }) {
  const back = useIncidentAction(() => unacknowledge(id));
  if (status !== "acknowledged") return null;
  return (
    <>
      <Button variant="default" size="sm" loading={back.isPending} onClick={() => back.mutate()}>
        Give it back
      </Button>
      {back.error && <ErrorNote error={back.error} />}
    </>
  );
}

/** One tap on a name gives the incident to them. */
function ReassignForm({ incident, done }: { incident: IncidentDetail; done: () => void }) {
  const { data: people } = useQuery(peopleQuery);
  const { data: policies } = useQuery(policiesQuery);
  const give = useIncidentAction((to: { people?: string[]; policy?: string }) => reassign(incident.id, to), done);
  const asked = give.isPending ? give.variables : undefined;
  return (
    <div className={styles.names}>
      {people?.items.map((p) => (
        <Button key={p.name} variant="default" size="md" loading={asked?.people?.[0] === p.name} onClick={() => give.mutate({ people: [p.name] })}>
          {p.fullName ?? p.name}
        </Button>
      ))}
      {policies && policies.items.length > 0 && (
        <NativeSelect
          label="Or to an escalation policy, from its first level on"
          size="sm"
          value=""
          data={[{ value: "", label: "Choose …" }, ...policies.items.map((p) => p.name)]}
          onChange={(e) => {
            if (e.currentTarget.value) give.mutate({ policy: e.currentTarget.value });
          }}
        />
      )}
      {give.error && <ErrorNote error={give.error} />}
    </div>
  );
}

function MergeForm({ incident, done }: { incident: IncidentDetail; done: () => void }) {
  const { data } = useQuery(incidentsQuery({ status: "open" }));
  const others = data?.items.filter((i) => i.id !== incident.id) ?? [];
  const [chosen, setChosen] = useState("");
  const source = chosen || (others[0]?.id ?? "");
  const join = useIncidentAction(() => merge(incident.id, [source]), done);
  if (data && others.length === 0) return <p>No other incident is open.</p>;
  return (
    <div className={form.form}>
      <NativeSelect
        label="Incident"
        value={source}
        onChange={(e) => setChosen(e.currentTarget.value)}
        data={others.map((i) => ({ value: i.id, label: `#${i.number} ${i.title}` }))}
      />
      <p>Its alerts become part of #{incident.number}; it is resolved and points here.</p>
      {join.error && <ErrorNote error={join.error} />}
      <Button size="sm" loading={join.isPending} onClick={() => join.mutate()}>
        Merge
      </Button>
    </div>
  );
}
