import { Button, Modal, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { servicesQuery } from "@/api/services";
import { recordChange } from "@/api/timeline";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";

/** Puts a change made by hand on the timeline. */
export function RecordChange({ service }: { service: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button variant="default" onClick={() => setOpen(true)}>
        Record a change
      </Button>
      <Modal opened={open} onClose={() => setOpen(false)} title="Record a change">
        <Form service={service} onDone={() => setOpen(false)} />
      </Modal>
    </>
  );
}

function Form({ service: initial, onDone }: { service: string; onDone: () => void }) {
  const client = useQueryClient();
  const { data } = useQuery(servicesQuery);
  const [title, setTitle] = useState("");
  const [service, setService] = useState(initial);
  const [action, setAction] = useState("config");
  const record = useMutation({
    mutationFn: recordChange,
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["timeline"] });
      onDone();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    record.mutate({ title, action, service: service || undefined });
  };
  return (
    <form className={form.form} onSubmit={submit}>
      <TextInput
        label="What was done"
        required
        withAsterisk={false}
        data-autofocus
        value={title}
        onChange={(e) => setTitle(e.currentTarget.value)}
      />
      <NativeSelect
        label="Kind"
        value={action}
        onChange={(e) => setAction(e.currentTarget.value)}
        data={["config", "deploy", "flag", "scale", "other"]}
      />
      <NativeSelect
        label="Service"
        value={service}
        onChange={(e) => setService(e.currentTarget.value)}
        data={[{ value: "", label: "No particular one" }, ...(data?.items.map((s) => s.name) ?? [])]}
      />
      {record.error && <ErrorNote error={record.error} />}
      <Button type="submit" size="sm" loading={record.isPending}>
        Record
      </Button>
    </form>
  );
}
