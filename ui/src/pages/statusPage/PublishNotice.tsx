import { Button, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { publishNotice, statusPageQuery, useStatusPageChanged, type IncidentView } from "@/api/statusPage";
import { Dialog } from "@/kit/Dialog";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";
import { toast } from "@/kit/toasts";
import { useMe } from "@/shell/useMe";
import { ComponentChoice } from "./ComponentChoice";
import { impacts, states, type NoticeState } from "./words";

interface Props {
  /** The incident that the page tells of by itself, to be told in people's words. */
  incident?: IncidentView;
  label?: string;
}

/** Tells the public of a trouble. */
export function PublishNotice({ incident, label = "Publish" }: Props) {
  const { can } = useMe();
  if (!can("responder")) return null;
  return (
    <Dialog label={label} title="Tell the public">
      {(close) => <Form incident={incident} done={close} />}
    </Dialog>
  );
}

function Form({ incident, done }: { incident?: IncidentView; done: () => void }) {
  const changed = useStatusPageChanged();
  const { data: page } = useQuery(statusPageQuery);
  const touched = page?.components.filter((c) => incident?.components.includes(c.name || c.service)).map((c) => c.service);
  const [name, setName] = useState(incident?.name ?? "");
  const [impact, setImpact] = useState<IncidentView["impact"]>(incident?.impact ?? "minor");
  const [chosen, setChosen] = useState<string[]>();
  const [state, setState] = useState<NoticeState>(incident?.state ?? "investigating");
  const [text, setText] = useState("");
  const services = chosen ?? touched ?? [];
  const publish = useMutation({
    mutationFn: () => publishNotice({ name, impact, services, state, text, incident: incident?.id }),
    onSuccess: () => {
      toast({ tone: "good", text: "The public can read it" });
      void changed();
      done();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    publish.mutate();
  };
  return (
    <form className={form.form} onSubmit={submit}>
      <TextInput label="What customers notice" placeholder="Some payments are slow" required withAsterisk={false} maxLength={200} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} />
      <ComponentChoice chosen={services} onChange={setChosen} />
      <div className={form.line}>
        <NativeSelect label="Impact" size="sm" value={impact} data={impacts} onChange={(e) => setImpact(e.currentTarget.value as IncidentView["impact"])} />
        <NativeSelect label="State" size="sm" value={state} data={[...states]} onChange={(e) => setState(e.currentTarget.value as NoticeState)} />
      </div>
      <Textarea label="How things stand" placeholder="We look into it and tell more within the hour." required withAsterisk={false} autosize minRows={3} maxLength={5000} value={text} onChange={(e) => setText(e.currentTarget.value)} />
      <p>Everybody who opens the status page reads this. Nobody is paged.</p>
      {publish.error && <ErrorNote error={publish.error} />}
      <Button type="submit" size="sm" disabled={services.length === 0} loading={publish.isPending}>
        Publish
      </Button>
    </form>
  );
}
