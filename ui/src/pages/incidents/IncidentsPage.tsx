import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { incidentListQuery } from "@/api/incidents";
import type { Incident } from "@/api/types";
import { EmptyState } from "@/kit/EmptyState";
import { ChoiceFilter, Filters, ServiceFilter } from "@/kit/Filters";
import { Loaded } from "@/kit/Loaded";
import { PageTitle } from "@/kit/PageTitle";
import { Person } from "@/kit/Person";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { Ago, Elapsed } from "@/kit/Time";
import { useParam } from "@/kit/useParam";
import { useMe } from "@/shell/useMe";
import { OpenIncident } from "./OpenIncident";

const severityRank: Record<string, number> = { critical: 0, warning: 1, info: 2 };

const columns: Column<Incident>[] = [
  {
    id: "title",
    header: "Incident",
    phone: "title",
    cell: (i) => (
      <>
        #{i.number} {i.title}
      </>
    ),
    value: (i) => i.number,
  },
  { id: "state", header: "State", phone: "side", cell: (i) => <StateBadge state={i.status} />, value: (i) => i.status },
  {
    id: "severity",
    header: "Severity",
    cell: (i) => <StateBadge state={i.severity} />,
    value: (i) => severityRank[i.severity] ?? 3,
  },
  { id: "service", header: "Service", cell: (i) => i.service || (i.group ?? "none"), value: (i) => i.service },
  { id: "opened", header: "Opened", phone: "hide", cell: (i) => <Ago time={i.openedAt} />, value: (i) => i.openedAt },
  {
    id: "lasted",
    header: "Lasted",
    cell: (i) => <Elapsed from={i.openedAt} to={i.resolvedAt} />,
    value: (i) => (i.resolvedAt ? Date.parse(i.resolvedAt) : Date.now()) - Date.parse(i.openedAt),
  },
  {
    id: "by",
    header: "Handled by",
    cell: (i) => (i.acknowledgedBy ? <Person name={i.acknowledgedBy} /> : i.resolvedAt ? "nobody" : "nobody yet"),
    value: (i) => i.acknowledgedBy ?? "",
  },
];

const states = [
  { value: "open", label: "Open" },
  { value: "triggered", label: "Triggered" },
  { value: "acknowledged", label: "Acknowledged" },
  { value: "resolved", label: "Resolved" },
  { value: "", label: "All states" },
];

export function IncidentsPage() {
  const [status] = useParam("status");
  const [service] = useParam("service");
  const query = useInfiniteQuery(incidentListQuery({ status, service }));
  const { can } = useMe();
  return (
    <>
      <PageTitle title="Incidents" actions={can("responder") && <OpenIncident service={service} />} />
      <Filters>
        <ChoiceFilter label="State" param="status" options={states} />
        <ServiceFilter />
      </Filters>
      <Loaded query={query}>
        {({ pages }) => {
          const rows = pages.flatMap((page) => page.items);
          if (rows.length === 0) return <Nothing filtered={Boolean(status || service)} />;
          return (
            <>
              <Table label="Incidents" rows={rows} columns={columns} rowKey={(i) => i.id} to={(i) => `/incidents/${i.id}`} />
              {query.hasNextPage && (
                <Button variant="default" mt={12} loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  Show earlier
                </Button>
              )}
            </>
          );
        }}
      </Loaded>
    </>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  if (filtered) return <EmptyState title="No incident of this kind">Another state or service may have some.</EmptyState>;
  return (
    <EmptyState
      title="No incident yet"
      snippet={`curl -X POST ${window.location.origin}/api/incidents \\
  -H "Authorization: Bearer $DAYTWO_TOKEN" -H "Content-Type: application/json" \\
  -d '{"service": "checkout", "title": "Orders fail", "severity": "critical"}'`}
    >
      An alert that fires opens one and pages who is on call. A person, or a script with a token, can open one too:
    </EmptyState>
  );
}
