import { Button, TextInput } from "@mantine/core";
import { useState, type SyntheticEvent } from "react";
import { askResponders } from "@/api/incidents";
import type { IncidentDetail } from "@/api/types";
import { Dialog } from "@/kit/Dialog";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";
import { PeopleChoice } from "./PeopleChoice";
import { useIncidentAction } from "./useIncidentAction";

/** Pages more people at once, at every address of theirs, to help. */
export function AskForHelp({ incident }: { incident: IncidentDetail }) {
  return (
    <Dialog label="Ask for help" title={`Who should help with #${incident.number}?`}>
      {(close) => <Form incident={incident} done={close} />}
    </Dialog>
  );
}

function Form({ incident, done }: { incident: IncidentDetail; done: () => void }) {
  const [people, setPeople] = useState<string[]>([]);
  const [message, setMessage] = useState("");
  const ask = useIncidentAction(() => askResponders(incident.id, { people, message: message.trim() || undefined }), done);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    ask.mutate();
  };
  return (
    <form className={form.form} onSubmit={submit}>
      <PeopleChoice label="Page now" chosen={people} onChange={setPeople} />
      <TextInput label="What you need of them" placeholder="Can you look at the payment provider?" value={message} onChange={(e) => setMessage(e.currentTarget.value)} />
      {ask.error && <ErrorNote error={ask.error} />}
      <Button type="submit" size="md" disabled={people.length === 0} loading={ask.isPending}>
        {people.length > 1 ? `Page ${people.length} people` : "Page them"}
      </Button>
    </form>
  );
}
