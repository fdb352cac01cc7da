import { Button, Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { saveTask } from "@/api/incidents";
import { peopleQuery } from "@/api/services";
import type { IncidentDetail } from "@/api/types";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";
import { Person } from "@/kit/Person";
import { Section } from "@/kit/Section";
import { useMe } from "@/shell/useMe";
import styles from "./IncidentBoard.module.css";
import { useIncidentAction } from "./useIncidentAction";

/** What is to be done for the incident, and by whom. */
export function IncidentTasks({ incident }: { incident: IncidentDetail }) {
  const { can } = useMe();
  const tasks = incident.board.tasks ?? [];
  const left = tasks.filter((t) => !t.done).length;
  const tick = useIncidentAction((task: (typeof tasks)[number]) => saveTask(incident.id, task));
  return (
    <Section title="Tasks" aside={tasks.length > 0 && <span className={styles.dim}>{left === 0 ? "all done" : `${left} of ${tasks.length} to do`}</span>}>
      <div className={styles.board}>
        {tasks.length > 0 && (
          <ul aria-label="Tasks">
            {tasks.map((t) => {
              const sending = tick.isPending && tick.variables.id === t.id;
              return (
                <li key={t.id} className={styles.responder}>
                  <Checkbox
                    label={t.text}
                    disabled={!can("responder")}
                    checked={sending ? tick.variables.done === true : t.done === true}
                    onChange={(e) => tick.mutate({ ...t, done: e.currentTarget.checked })}
                  />
                  {t.owner && <Person name={t.owner} />}
                </li>
              );
            })}
          </ul>
        )}
        {tick.error && <ErrorNote error={tick.error} />}
        {tasks.length === 0 && !can("responder") && <span className={styles.dim}>None were written down.</span>}
        {can("responder") && <NewTask id={incident.id} />}
      </div>
    </Section>
  );
}

function NewTask({ id }: { id: string }) {
  const { data } = useQuery(peopleQuery);
  const [text, setText] = useState("");
  const [owner, setOwner] = useState("");
  const add = useIncidentAction(
    () => saveTask(id, { text, owner: owner || undefined }),
    () => setText(""),
  );
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (text.trim()) add.mutate();
  };
  return (
    <form className={form.line} onSubmit={submit} aria-label="New task">
      <TextInput aria-label="Task" placeholder="What is to be done?" value={text} onChange={(e) => setText(e.currentTarget.value)} />
      <NativeSelect
        aria-label="By whom"
        size="sm"
        value={owner}
        data={[{ value: "", label: "by anybody" }, ...(data?.items.map((p) => ({ value: p.name, label: p.fullName ?? p.name })) ?? [])]}
        onChange={(e) => setOwner(e.currentTarget.value)}
      />
      <Button type="submit" variant="default" size="sm" disabled={!text.trim()} loading={add.isPending}>
        Add
      </Button>
      {add.error && <ErrorNote error={add.error} />}
    </form>
  );
}
