import { Button, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { addNote, incidentQuery } from "@/api/incidents";
import type { IncidentDetail, IncidentLogEntry } from "@/api/types";
import { ErrorNote } from "@/kit/ErrorNote";
import { plural } from "@/kit/format";
import { Person } from "@/kit/Person";
import { StateMark } from "@/kit/StateBadge";
import { Clock } from "@/kit/Time";
import type { StateTone } from "@/kit/tone";
import { useMe } from "@/shell/useMe";
import { noteField } from "./IncidentActions";
import styles from "./IncidentLog.module.css";

const tones: Record<string, StateTone> = {
  opened: "critical",
  joined: "critical",
  refired: "critical",
  unreachable: "critical",
  failed: "critical",
  escalated: "warning",
  unanswered: "warning",
  retried: "warning",
  skipped: "warning",
  acknowledged: "info",
  paged: "info",
  cleared: "good",
  resolved: "good",
};

/** What happened to the incident and why, newest first, and a place to write what one finds out. */
export function IncidentLog({ incident }: { incident: IncidentDetail }) {
  const { can } = useMe();
  return (
    <>
      {can("responder") && <Note incident={incident} />}
      <ol className={styles.log} aria-label="Log of the incident">
        {incident.log.toReversed().map((entry, i) => (
          <Entry key={incident.log.length - i} entry={entry} />
        ))}
      </ol>
      {incident.earlierLog ? <p className={styles.earlier}>{plural(incident.earlierLog, "earlier line")} not shown</p> : null}
    </>
  );
}

function Entry({ entry: { time, action, actor, text } }: { entry: IncidentLogEntry }) {
  return (
    <li data-note={action === "note" || undefined}>
      <span className={styles.time}>
        <Clock time={time} />
      </span>
      <StateMark tone={tones[action] ?? "neutral"} />
      <div className={styles.words}>
        <span className={styles.text}>{text}</span>
        {actor && (
          <span className={styles.actor}>
            <Person name={actor} />
          </span>
        )}
      </div>
    </li>
  );
}

function Note({ incident }: { incident: IncidentDetail }) {
  const client = useQueryClient();
  const [text, setText] = useState("");
  const add = useMutation({
    mutationFn: () => addNote(incident.id, text),
    onSuccess: () => {
      setText("");
      return client.invalidateQueries({ queryKey: incidentQuery(incident.id).queryKey });
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (text.trim()) add.mutate();
  };
  return (
    <form className={styles.note} onSubmit={submit}>
      <Textarea
        id={noteField}
        aria-label="Note"
        placeholder="What did you see, what did you try? Ctrl+Enter adds it."
        autosize
        minRows={1}
        maxRows={8}
        value={text}
        onChange={(e) => setText(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) submit(e);
        }}
      />
      <Button type="submit" variant="default" size="sm" disabled={!text.trim()} loading={add.isPending}>
        Add the note
      </Button>
      {add.error && <ErrorNote error={add.error} />}
    </form>
  );
}
