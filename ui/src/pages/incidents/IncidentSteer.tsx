import { Button, Modal, NativeSelect } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { escalate, incidentsQuery, merge, reassign, snooze } from "@/api/incidents";
import { peopleQuery } from "@/api/services";
import type { IncidentDetail } from "@/api/types";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";
import styles from "./IncidentActions.module.css";

/** What else can be done with an open incident: let it wait, or give it to others. */
export function IncidentSteer({ incident }: { incident: IncidentDetail }) {
  const client = useQueryClient();
  const changed = () => client.invalidateQueries({ queryKey: ["incidents"] });
  const wait = useMutation({ mutationFn: (time: string) => snooze(incident.id, time), onSettled: changed });
  const next = useMutation({ mutationFn: () => escalate(incident.id), onSettled: changed });
  const error = wait.error ?? next.error;
  return (
    <>
      <div className={styles.steer} role="group" aria-label="Steer">
        <Button variant="default" size="sm" loading={wait.isPending} onClick={() => wait.mutate("1h")}>
          Snooze 1 h
        </Button>
        <Button variant="default" size="sm" loading={next.isPending} onClick={() => next.mutate()}>
          Escalate
        </Button>
        <Reassign incident={incident} done={changed} />
        <Merge incident={incident} done={changed} />
      </div>
      {error && <ErrorNote error={error} />}
    </>
  );
}

function Dialog({ label, title, children }: { label: string; title: string; children: (close: () => void) => ReactNode }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button variant="default" size="sm" onClick={() => setOpen(true)}>
        {label}
      </Button>
      <Modal opened={open} onClose={() => setOpen(false)} title={title}>
        {children(() => setOpen(false))}
      </Modal>
    </>
  );
}

function Reassign({ incident, done }: { incident: IncidentDetail; done: () => unknown }) {
  return (
    <Dialog label="Reassign" title={`Give #${incident.number} to`}>
      {(close) => (
        <ReassignForm
          id={incident.id}
          done={() => {
            close();
            done();
          }}
        />
      )}
    </Dialog>
  );
}

/** One tap on a name gives the incident to them. */
function ReassignForm({ id, done }: { id: string; done: () => void }) {
  const { data } = useQuery(peopleQuery);
  const give = useMutation({ mutationFn: (person: string) => reassign(id, { people: [person] }), onSuccess: done });
  return (
    <div className={styles.names}>
      {data?.items.map((p) => (
        <Button key={p.name} variant="default" size="md" loading={give.isPending && give.variables === p.name} onClick={() => give.mutate(p.name)}>
          {p.fullName ?? p.name}
        </Button>
      ))}
      {give.error && <ErrorNote error={give.error} />}
    </div>
  );
}

function Merge({ incident, done }: { incident: IncidentDetail; done: () => unknown }) {
  return (
    <Dialog label="Merge" title={`Merge another incident into #${incident.number}`}>
      {(close) => (
        <MergeForm
          incident={incident}
          done={() => {
            close();
            done();
          }}
        />
      )}
    </Dialog>
  );
}

function MergeForm({ incident, done }: { incident: IncidentDetail; done: () => void }) {
  const { data } = useQuery(incidentsQuery({ status: "open" }));
  const others = data?.items.filter((i) => i.id !== incident.id) ?? [];
  const [chosen, setChosen] = useState("");
  const source = chosen || (others[0]?.id ?? "");
  const join = useMutation({ mutationFn: () => merge(incident.id, [source]), onSuccess: done });
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
