import { useQuery } from "@tanstack/react-query";
import type { Workload } from "@/api/types";
import { workloadsQuery } from "@/api/workloads";
import { exampleManifest } from "@/examples/examples";
import { EmptyState } from "@/kit/EmptyState";
import { Loaded } from "@/kit/Loaded";
import { PageTitle } from "@/kit/PageTitle";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { Ago } from "@/kit/Time";
import { workloadTone } from "@/kit/tone";
import { useMe } from "@/shell/useMe";
import { Apply } from "./Apply";

const columns: Column<Workload>[] = [
  { id: "name", header: "Workload", phone: "title", cell: (w) => w.name, value: (w) => w.name },
  { id: "status", header: "State", phone: "side", cell: (w) => <WorkloadState workload={w} />, value: (w) => w.status },
  { id: "version", header: "Version", cell: (w) => w.version ?? "–", value: (w) => w.version ?? "" },
  { id: "revision", header: "Revision", phone: "hide", cell: (w) => w.revision, value: (w) => w.revision },
  { id: "service", header: "Service", cell: (w) => w.service, value: (w) => w.service },
  { id: "restarts", header: "Restarts", cell: (w) => w.restarts, value: (w) => w.restarts },
  { id: "since", header: "Running", cell: (w) => (w.startedAt ? <Ago time={w.startedAt} /> : "–") },
];

/** Only where something is to be explained. */
const reason: Column<Workload> = { id: "reason", header: "Reason", cell: (w) => w.reason ?? "" };

/** The state, and whether it takes traffic. */
export function WorkloadState({ workload: { status, ready }, filled }: { workload: Workload; filled?: boolean }) {
  const waits = status === "running" && !ready;
  return (
    <StateBadge state={status} tone={waits ? "warning" : workloadTone(status)} filled={filled}>
      {waits ? "running, not ready" : status}
    </StateBadge>
  );
}

export function WorkloadsPage() {
  const query = useQuery(workloadsQuery);
  const { can } = useMe();
  return (
    <>
      <PageTitle title="Workloads" actions={can("operator") && <Apply />} />
      <Loaded query={query}>
        {({ items }) =>
          items.length > 0 ? (
            <Table
              label="Workloads"
              rows={items}
              columns={items.some((w) => w.reason) ? [...columns, reason] : columns}
              rowKey={(w) => w.name}
              to={(w) => `/workloads/${w.name}`}
            />
          ) : (
            <EmptyState title="No workloads" snippet={exampleManifest}>
              daytwo keeps running what a Kubernetes Deployment describes. Apply one here, put it into <code>workloads/</code> of the
              configuration, or send it with <code>daytwo apply -f workload.yaml</code>:
            </EmptyState>
          )
        }
      </Loaded>
    </>
  );
}
