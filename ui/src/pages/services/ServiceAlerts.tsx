import { useQuery } from "@tanstack/react-query";
import { alertsQuery } from "@/api/alerts";
import type { Alert, SloState } from "@/api/types";
import { objectivesOf } from "@/examples/examples";
import { EmptyState } from "@/kit/EmptyState";
import { Loaded } from "@/kit/Loaded";
import { Section } from "@/kit/Section";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { Ago, Elapsed } from "@/kit/Time";
import { SloList } from "./SloList";

const columns: Column<Alert>[] = [
  { id: "name", header: "Alert", phone: "title", cell: (a) => a.name },
  { id: "state", header: "State", phone: "side", cell: (a) => <StateBadge state={a.state} /> },
  { id: "severity", header: "Severity", cell: (a) => <StateBadge state={a.severity} /> },
  { id: "summary", header: "Summary", cell: (a) => a.annotations.summary ?? "" },
  { id: "since", header: "Since", cell: (a) => <Ago time={a.startsAt} /> },
  { id: "lasted", header: "Lasted", cell: (a) => <Elapsed from={a.startsAt} to={a.endsAt} /> },
];

export function ServiceAlerts({ service, slos }: { service: string; slos: SloState[] }) {
  const alerts = useQuery(alertsQuery({ service }));
  return (
    <>
      <Section title="Objectives">
        {slos.length > 0 ? (
          <SloList slos={slos} />
        ) : (
          <EmptyState title="No objective yet" snippet={objectivesOf(service)}>
            Under the service in <code>daytwo.yml</code>. It then gets an error budget, and alerts when the budget goes too fast:
          </EmptyState>
        )}
      </Section>
      <Section title="Alerts">
        <Loaded query={alerts}>
          {({ items }) =>
            items.length > 0 ? (
              <Table label="Alerts" rows={items} columns={columns} rowKey={(a) => a.id} to={(a) => `/alerts/${a.id}`} />
            ) : (
              <p>No alert has fired yet.</p>
            )
          }
        </Loaded>
      </Section>
    </>
  );
}
