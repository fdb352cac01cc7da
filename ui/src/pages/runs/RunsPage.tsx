import { useQuery } from "@tanstack/react-query";
import { runsQuery } from "@/api/runs";
import type { Run } from "@/api/types";
import { EmptyState } from "@/kit/EmptyState";
import { ChoiceFilter, Filters, ServiceFilter } from "@/kit/Filters";
import { Loaded } from "@/kit/Loaded";
import { PageTitle } from "@/kit/PageTitle";
import { Person } from "@/kit/Person";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { Ago, Elapsed } from "@/kit/Time";
import { useParam } from "@/kit/useParam";

const columns: Column<Run>[] = [
  { id: "title", header: "Run", phone: "title", cell: (r) => r.title, value: (r) => r.title },
  { id: "status", header: "State", phone: "side", cell: (r) => <StateBadge state={r.status} />, value: (r) => r.status },
  { id: "kind", header: "Kind", phone: "hide", cell: (r) => r.kind, value: (r) => r.kind },
  { id: "service", header: "Service", cell: (r) => r.service ?? "–", value: (r) => r.service ?? "" },
  { id: "actor", header: "Started by", cell: (r) => (r.actor ? <Person name={r.actor} /> : "–"), value: (r) => r.actor ?? "" },
  { id: "queued", header: "When", cell: (r) => <Ago time={r.queuedAt} />, value: (r) => r.queuedAt },
  {
    id: "took",
    header: "Took",
    align: "end",
    cell: (r) => (r.startedAt ? <Elapsed from={r.startedAt} to={r.finishedAt} /> : "waits"),
  },
];

const states = [
  { value: "", label: "All states" },
  ...["queued", "running", "succeeded", "failed", "canceled", "interrupted"].map((value) => ({ value, label: value })),
];

/** Everything that was executed: deploys, rollbacks, restarts. */
export function RunsPage() {
  const [status] = useParam("status");
  const [service] = useParam("service");
  const query = useQuery(runsQuery({ status, service }));
  return (
    <>
      <PageTitle title="Runs" />
      <Filters>
        <ChoiceFilter label="State" param="status" options={states} />
        <ServiceFilter />
      </Filters>
      <Loaded query={query}>
        {({ items }) =>
          items.length > 0 ? (
            <Table label="Runs" rows={items} columns={columns} rowKey={(r) => r.id} to={(r) => `/runs/${r.id}`} />
          ) : (
            <EmptyState title="No run of this kind" snippet={`daytwo apply --url ${window.location.origin} -f workload.yaml`}>
              A run is one execution with steps and a log. Deploying a workload makes one:
            </EmptyState>
          )
        }
      </Loaded>
    </>
  );
}
