import { Button, NativeSelect, Textarea } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { publishUpdate, setRole } from "@/api/incidents";
import { peopleQuery } from "@/api/services";
import type { IncidentDetail } from "@/api/types";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";
import { Person } from "@/kit/Person";
import { Section } from "@/kit/Section";
import { Ago } from "@/kit/Time";
import { useMe } from "@/shell/useMe";
import styles from "./IncidentActions.module.css";

const roles = ["commander", "scribe", "liaison"] as const;

/** Who has which role, and what those who wait have been told. */
export function IncidentBoard({ incident }: { incident: IncidentDetail }) {
  const { can } = useMe();
  const may = can("responder") && incident.status !== "resolved";
  const { board } = incident;
  return (
    <>
      <Section title="Roles">
        <div className={styles.board}>
          {roles.map((role) => (
            <div key={role} className={styles.role}>
              <span>{role}</span>
              {may ? <Role incident={incident} role={role} /> : board.roles?.[role] ? <Person name={board.roles[role]} /> : <span>nobody</span>}
            </div>
          ))}
        </div>
      </Section>
      <Section title="Status updates">
        <div className={styles.board}>
          <ul>
            {(board.updates ?? [])
              .slice()
              .reverse()
              .map((u) => (
                <li key={u.id}>
                  {u.text}
                  <div className={styles.role}>
                    <Ago time={u.time} /> {u.by}
                  </div>
                </li>
              ))}
          </ul>
          {may && <NewUpdate id={incident.id} />}
          {!may && !board.updates?.length && <span>None were sent.</span>}
        </div>
      </Section>
    </>
  );
}

function Role({ incident, role }: { incident: IncidentDetail; role: (typeof roles)[number] }) {
  const client = useQueryClient();
  const { data } = useQuery(peopleQuery);
  const save = useMutation({
    mutationFn: (person: string) => setRole(incident.id, role, person || undefined),
    onSettled: () => client.invalidateQueries({ queryKey: ["incidents"] }),
  });
  const holder = incident.board.roles?.[role] ?? "";
  const names = data?.items.map((p) => p.name) ?? [];
  return (
    <div>
      <NativeSelect
        aria-label={role}
        size="sm"
        value={holder}
        data={["", ...names, ...(holder && !names.includes(holder) ? [holder] : [])]}
        onChange={(e) => save.mutate(e.currentTarget.value)}
      />
      {save.error && <ErrorNote error={save.error} />}
    </div>
  );
}

function NewUpdate({ id }: { id: string }) {
  const client = useQueryClient();
  const [text, setText] = useState("");
  const send = useMutation({
    mutationFn: () => publishUpdate(id, text),
    onSuccess: () => {
      setText("");
      void client.invalidateQueries({ queryKey: ["incidents"] });
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    send.mutate();
  };
  return (
    <form className={form.form} onSubmit={submit}>
      <Textarea label="Tell those who wait" autosize minRows={2} value={text} onChange={(e) => setText(e.currentTarget.value)} />
      {send.error && <ErrorNote error={send.error} />}
      <Button type="submit" variant="default" size="sm" disabled={!text.trim()} loading={send.isPending}>
        Publish
      </Button>
    </form>
  );
}
