import { Button, Modal, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { useNavigate } from "react-router";
import { openIncident } from "@/api/incidents";
import { servicesQuery } from "@/api/services";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";

type Severity = Parameters<typeof openIncident>[0]["severity"];

/** Opens an incident by hand: it pages like one that an alert opened. */
export function OpenIncident({ service }: { service: string }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button variant="default" onClick={() => setOpen(true)}>
        Open an incident
      </Button>
      <Modal opened={open} onClose={() => setOpen(false)} title="Open an incident">
        <Form service={service} />
      </Modal>
    </>
  );
}

function Form({ service: initial }: { service: string }) {
  const navigate = useNavigate();
  const { data } = useQuery(servicesQuery);
  const [service, setService] = useState(initial);
  const [title, setTitle] = useState("");
  const [severity, setSeverity] = useState<Severity>("critical");
  const action = useMutation({ mutationFn: openIncident, onSuccess: (incident) => navigate(`/incidents/${incident.id}`) });
  const chosen = service || (data?.items[0]?.name ?? "");
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    action.mutate({ service: chosen, title, severity });
  };
  return (
    <form className={form.form} onSubmit={submit}>
      <TextInput
        label="What is wrong"
        required
        withAsterisk={false}
        data-autofocus
        value={title}
        onChange={(e) => setTitle(e.currentTarget.value)}
      />
      <NativeSelect
        label="Service"
        value={chosen}
        onChange={(e) => setService(e.currentTarget.value)}
        data={data?.items.map((s) => s.name) ?? []}
      />
      <NativeSelect
        label="Severity"
        value={severity}
        onChange={(e) => setSeverity(e.currentTarget.value as Severity)}
        data={["critical", "warning", "info"]}
      />
      <p>Whoever is on call for the service is paged at once, by its escalation policy.</p>
      {action.error && <ErrorNote error={action.error} />}
      <Button type="submit" size="sm" loading={action.isPending}>
        Open and page
      </Button>
    </form>
  );
}
