import { Button, Checkbox, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { servicesQuery } from "@/api/services";
import { endMaintenance, maintenanceQuery, planMaintenance, useStatusPageChanged, type Maintenance } from "@/api/statusPage";
import { ConfirmAction } from "@/kit/ConfirmAction";
import { Dialog } from "@/kit/Dialog";
import { EmptyState } from "@/kit/EmptyState";
import { ErrorNote } from "@/kit/ErrorNote";
import { Filters } from "@/kit/Filters";
import form from "@/kit/Form.module.css";
import { formatMoment } from "@/kit/format";
import { Loaded } from "@/kit/Loaded";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { instantOf, wallOf } from "@/kit/wallClock";
import { useNow } from "@/kit/useNow";
import { useTimeRange } from "@/kit/useTimeRange";
import { useMe } from "@/shell/useMe";
import styles from "./StatusPage.module.css";

/** When some services are worked on: their alerts page nobody, and the public is told beforehand. */
export function Maintenances() {
  const query = useQuery(maintenanceQuery);
  const changed = useStatusPageChanged();
  const { can } = useMe();
  const { zone } = useTimeRange();
  const now = useNow(30_000);
  const columns: Column<Maintenance>[] = [
    { id: "name", header: "Maintenance", phone: "title", cell: (m) => m.name || "Maintenance", value: (m) => m.name ?? "" },
    {
      id: "state",
      header: "State",
      phone: "side",
      cell: (m) => (Date.parse(m.start) > now ? <StateBadge state="planned" tone="neutral" /> : <StateBadge state="under way" tone="info" />),
      value: (m) => m.start,
    },
    { id: "services", header: "Services", cell: (m) => m.services.join(", "), value: (m) => m.services.join() },
    { id: "start", header: "From", cell: (m) => formatMoment(m.start, zone), value: (m) => m.start },
    { id: "end", header: "To", cell: (m) => formatMoment(m.end, zone), value: (m) => m.end },
    {
      id: "actions",
      header: "",
      cell: (m) =>
        m.file ? (
          <span className={styles.dim}>in {m.file}</span>
        ) : (
          can("operator") && (
            <ConfirmAction
              label={Date.parse(m.start) > now ? "Cancel" : "End now"}
              size="compact-xs"
              title={`${Date.parse(m.start) > now ? "Cancel" : "End"} ${m.name || "the maintenance"}?`}
              touches={[`Alerts of ${m.services.join(", ")} page again, also those that it held back and that still last.`]}
              run={() => endMaintenance(m.id)}
              done={() => void changed()}
            />
          )
        ),
    },
  ];
  return (
    <>
      <div className={styles.above}>
        {can("operator") && (
          <Filters>
            <Dialog label="Plan maintenance" title="Plan maintenance">
              {(close) => <Plan done={close} />}
            </Dialog>
          </Filters>
        )}
      </div>
      <Loaded query={query}>
        {({ items }) => {
          const left = items.filter((m) => Date.parse(m.end) > now);
          return left.length > 0 ? (
            <Table label="Maintenance" rows={left} columns={columns} rowKey={(m) => m.id} />
          ) : (
            <EmptyState title="No maintenance is planned">While it lasts, alerts of its services page nobody, and the status page says so.</EmptyState>
          );
        }}
      </Loaded>
    </>
  );
}

function Plan({ done }: { done: () => void }) {
  const changed = useStatusPageChanged();
  const { data } = useQuery(servicesQuery);
  const { zone } = useTimeRange();
  const zoneName = zone === "utc" ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone;
  const [opened] = useState(() => Math.ceil(Date.now() / 900_000) * 900_000);
  const [name, setName] = useState("");
  const [services, setServices] = useState<string[]>([]);
  const [start, setStart] = useState(() => wallOf(opened, zoneName));
  const [end, setEnd] = useState(() => wallOf(opened + 3_600_000, zoneName));
  const [from, to] = [instantOf(start, zoneName), instantOf(end, zoneName)];
  const plan = useMutation({
    mutationFn: () => planMaintenance({ name: name.trim() || undefined, services, start: from ?? "", end: to ?? "" }),
    onSuccess: () => {
      void changed();
      done();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    plan.mutate();
  };
  return (
    <form className={form.form} onSubmit={submit}>
      <TextInput label="What is done" placeholder="New disks" data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} />
      <div role="group" aria-label="Services">
        <div className={styles.label}>Services</div>
        <div className={styles.choices}>
          {data?.items.map((s) => (
            <Checkbox
              key={s.name}
              label={s.name}
              checked={services.includes(s.name)}
              onChange={(e) => setServices(e.currentTarget.checked ? [...services, s.name] : services.filter((o) => o !== s.name))}
            />
          ))}
        </div>
      </div>
      <div className={form.line}>
        <TextInput label={`From (${zoneName})`} type="datetime-local" required withAsterisk={false} value={start} onChange={(e) => setStart(e.currentTarget.value)} />
        <TextInput label="To" type="datetime-local" required withAsterisk={false} value={end} onChange={(e) => setEnd(e.currentTarget.value)} />
      </div>
      <p>While it lasts, alerts of these services page nobody; those that still last afterwards do.</p>
      {plan.error && <ErrorNote error={plan.error} />}
      <Button type="submit" size="sm" disabled={services.length === 0 || !from || !to} loading={plan.isPending}>
        Plan it
      </Button>
    </form>
  );
}
