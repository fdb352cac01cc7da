import { Button, Textarea } from "@mantine/core";
import { useState, type SyntheticEvent } from "react";
import { publishUpdate } from "@/api/incidents";
import type { IncidentDetail } from "@/api/types";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";
import { Person } from "@/kit/Person";
import { Section } from "@/kit/Section";
import { Ago } from "@/kit/Time";
import { useMe } from "@/shell/useMe";
import styles from "./IncidentBoard.module.css";
import { PeopleChoice } from "./PeopleChoice";
import { useIncidentAction } from "./useIncidentAction";

/** What those who wait have been told. */
export function IncidentUpdates({ incident }: { incident: IncidentDetail }) {
  const { can } = useMe();
  const updates = incident.board.updates ?? [];
  const may = can("responder") && incident.status !== "resolved";
  return (
    <Section title="Status updates">
      <div className={styles.board}>
        {updates.length > 0 && (
          <ul aria-label="Status updates">
            {updates.toReversed().map((u) => (
              <li key={u.id} className={styles.update}>
                {u.text}
                <div className={styles.dim}>
                  <Ago time={u.time} /> · <Person name={u.by} />
                </div>
              </li>
            ))}
          </ul>
        )}
        {may && <NewUpdate id={incident.id} />}
        {!may && updates.length === 0 && <span className={styles.dim}>None were sent.</span>}
      </div>
    </Section>
  );
}

function NewUpdate({ id }: { id: string }) {
  const [text, setText] = useState("");
  const [people, setPeople] = useState<string[]>([]);
  const [choosing, setChoosing] = useState(false);
  const send = useIncidentAction(
    () => publishUpdate(id, text, people),
    () => {
      setText("");
      setChoosing(false);
      setPeople([]);
    },
  );
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    send.mutate();
  };
  return (
    <form className={form.form} onSubmit={submit} aria-label="New status update">
      <Textarea label="Tell those who wait" autosize minRows={2} value={text} onChange={(e) => setText(e.currentTarget.value)} />
      {choosing && <PeopleChoice label="Send it to" chosen={people} onChange={setPeople} />}
      {send.error && <ErrorNote error={send.error} />}
      <div className={styles.buttons}>
        <Button type="submit" variant="default" size="sm" disabled={!text.trim()} loading={send.isPending}>
          {people.length === 0 ? "Publish" : people.length === 1 ? "Publish and send to 1 person" : `Publish and send to ${people.length} people`}
        </Button>
        {!choosing && (
          <Button variant="subtle" size="sm" onClick={() => setChoosing(true)}>
            Send it to people too
          </Button>
        )}
      </div>
    </form>
  );
}
