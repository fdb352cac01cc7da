import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { editIncident, prioritiesQuery } from "@/api/incidents";
import type { IncidentDetail } from "@/api/types";
import { Dialog } from "@/kit/Dialog";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";
import { useIncidentAction } from "./useIncidentAction";

/** Its title, how urgent it is, and where people talk. */
export function IncidentEdit({ incident }: { incident: IncidentDetail }) {
  return (
    <Dialog label="Edit" size="sm" title={`Incident #${incident.number}`}>
      {(close) => <Form incident={incident} done={close} />}
    </Dialog>
  );
}

function Form({ incident, done }: { incident: IncidentDetail; done: () => void }) {
  const { data } = useQuery(prioritiesQuery);
  const [title, setTitle] = useState(incident.title);
  const [urgency, setUrgency] = useState(incident.urgency);
  const [priority, setPriority] = useState(incident.priority ?? "");
  const [url, setUrl] = useState(incident.board.conference?.url ?? "");
  const [number, setNumber] = useState(incident.board.conference?.number ?? "");
  const [opened] = useState(incident); // what is not touched here stays as others have made it meanwhile
  const talks = url !== (opened.board.conference?.url ?? "") || number !== (opened.board.conference?.number ?? "");
  const save = useIncidentAction(
    () =>
      editIncident(incident.id, {
        title: title === opened.title ? undefined : title,
        urgency: urgency === opened.urgency ? undefined : urgency,
        priority: priority === (opened.priority ?? "") ? undefined : priority,
        conference: talks ? { url: url.trim(), number: number.trim() } : undefined,
      }),
    done,
  );
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const names = data?.items.map((p) => p.name) ?? [];
  return (
    <form className={form.form} onSubmit={submit}>
      <TextInput label="What is wrong" required withAsterisk={false} maxLength={1024} value={title} onChange={(e) => setTitle(e.currentTarget.value)} />
      <div className={form.line}>
        <NativeSelect label="Urgency" size="sm" value={urgency} data={["high", "low"]} onChange={(e) => setUrgency(e.currentTarget.value as "high" | "low")} />
        {(names.length > 0 || priority) && (
          <NativeSelect
            label="Priority"
            size="sm"
            value={priority}
            data={[{ value: "", label: "none" }, ...names, ...(priority && !names.includes(priority) ? [priority] : [])]}
            onChange={(e) => setPriority(e.currentTarget.value)}
          />
        )}
      </div>
      <TextInput label="Where people talk" type="url" placeholder="https://meet.example.com/incident" value={url} onChange={(e) => setUrl(e.currentTarget.value)} />
      <TextInput label="Or by telephone" placeholder="+33 1 23 45 67 89, 1234#" value={number} onChange={(e) => setNumber(e.currentTarget.value)} />
      {save.error && <ErrorNote error={save.error} />}
      <Button type="submit" size="sm" loading={save.isPending}>
        Save
      </Button>
    </form>
  );
}
