import { Button } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { alertsQuery } from "@/api/alerts";
import type { Alert } from "@/api/types";
import { EmptyState } from "@/kit/EmptyState";
import { ChoiceFilter, Filters, ServiceFilter } from "@/kit/Filters";
import { formatValue } from "@/kit/format";
import { Loaded } from "@/kit/Loaded";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { Ago, Elapsed } from "@/kit/Time";
import { useParam } from "@/kit/useParam";
import styles from "./AlertList.module.css";
import { heldBy, ownLabels, stateOf } from "./held";
import { OwnLabels } from "./OwnLabels";

const columns: Column<Alert>[] = [
  { id: "name", header: "Alert", phone: "title", cell: (a) => <Name of={a} />, value: (a) => a.name },
  { id: "state", header: "State", phone: "side", cell: (a) => <StateBadge state={stateOf(a)} />, value: stateOf },
  { id: "severity", header: "Severity", phone: "hide", cell: (a) => <StateBadge state={a.severity} />, value: (a) => a.severity },
  { id: "service", header: "Service", phone: "hide", cell: (a) => a.service ?? "–", value: (a) => a.service ?? "" },
  { id: "summary", header: "Summary", phone: "hide", cell: (a) => a.annotations.summary ?? "" },
  { id: "incident", header: "Incident", phone: "hide", cell: (a) => <span title={a.withheld}>{heldBy(a)}</span>, value: (a) => heldBy(a) },
  { id: "value", header: "Value", align: "end", phone: "hide", cell: (a) => formatValue(a.value), value: (a) => a.value ?? 0 },
  { id: "since", header: "Since", phone: "hide", cell: (a) => <Ago time={a.startsAt} />, value: (a) => a.startsAt },
  { id: "lasted", header: "Lasted", phone: "hide", cell: (a) => <Elapsed from={a.startsAt} to={a.endsAt} /> },
];

/** What tells an alert from others; on a phone also, in a line of its own, what other columns say. */
function Name({ of: alert }: { of: Alert }) {
  const labels = ownLabels(alert.labels);
  return (
    <span className={styles.name}>
      {alert.name}
      {labels ? <OwnLabels of={alert} /> : <span className={styles.phone}>{alert.annotations.summary}</span>}
      <span className={styles.phone}>
        <StateBadge state={alert.severity} /> {alert.service && `· ${alert.service} `}· <Ago time={alert.startsAt} />
      </span>
    </span>
  );
}

const states = [
  { value: "firing", label: "Firing" },
  { value: "resolved", label: "Resolved" },
  { value: "", label: "Firing and resolved" },
];

export function AlertList() {
  const [state] = useParam("state");
  const [service] = useParam("service");
  const [name, setName] = useParam("name");
  const query = useQuery({ ...alertsQuery({ state, service, name }), refetchInterval: 15_000 }); // a silence ends without a word
  return (
    <>
      <Filters>
        <ChoiceFilter label="State" param="state" options={states} />
        <ServiceFilter />
        {name && (
          <Button size="xs" variant="default" onClick={() => setName("")} aria-label={`Only ${name}: show all`} rightSection={<IconX size={12} aria-hidden />}>
            {name}
          </Button>
        )}
      </Filters>
      <Loaded query={query}>
        {({ items }) =>
          items.length > 0 ? (
            <Table label="Alerts" rows={items} columns={columns} rowKey={(a) => a.id} to={(a) => `/alerts/${a.id}`} />
          ) : (
            <EmptyState title={state === "firing" ? "Nothing fires" : "No alert of this kind"}>
              An alert fires when a rule's expression holds, when a service burns its error budget too fast, or when a Prometheus
              sends it to <code>/alertmanager</code>. The rules are on the next tab.
            </EmptyState>
          )
        }
      </Loaded>
    </>
  );
}
