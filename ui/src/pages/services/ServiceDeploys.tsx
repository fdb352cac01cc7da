import { useQuery } from "@tanstack/react-query";
import { runsQuery } from "@/api/runs";
import { workloadsQuery } from "@/api/workloads";
import type { Run, Workload } from "@/api/types";
import { EmptyState } from "@/kit/EmptyState";
import { Loaded } from "@/kit/Loaded";
import { Person } from "@/kit/Person";
import { Section } from "@/kit/Section";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { Ago, Elapsed } from "@/kit/Time";
import { workloadTone } from "@/kit/tone";

const workloadColumns: Column<Workload>[] = [
  { id: "name", header: "Workload", phone: "title", cell: (w) => w.name },
  { id: "state", header: "State", phone: "side", cell: (w) => <StateBadge state={w.status} tone={workloadTone(w.status)} /> },
  { id: "version", header: "Version", cell: (w) => w.version ?? "–" },
  { id: "revision", header: "Revision", cell: (w) => w.revision },
  { id: "started", header: "Started", cell: (w) => (w.startedAt ? <Ago time={w.startedAt} /> : "–") },
  { id: "restarts", header: "Restarts", cell: (w) => w.restarts },
];

const runColumns: Column<Run>[] = [
  { id: "title", header: "Run", phone: "title", cell: (r) => r.title },
  { id: "state", header: "State", phone: "side", cell: (r) => <StateBadge state={r.status} /> },
  { id: "by", header: "By", cell: (r) => (r.actor ? <Person name={r.actor} /> : "–") },
  { id: "at", header: "When", cell: (r) => <Ago time={r.queuedAt} /> },
  { id: "took", header: "Took", cell: (r) => (r.startedAt ? <Elapsed from={r.startedAt} to={r.finishedAt} /> : "–") },
];

/** What runs the service, and what was done to it. */
export function ServiceDeploys({ service }: { service: string }) {
  const workloads = useQuery({
    ...workloadsQuery,
    select: (all) => all.items.filter((w) => w.service === service),
  });
  const runs = useQuery(runsQuery({ service, limit: 30 }));
  return (
    <>
      <Section title="Workloads">
        <Loaded query={workloads}>
          {(own) =>
            own.length > 0 ? (
              <Table label="Workloads" rows={own} columns={workloadColumns} rowKey={(w) => w.name} to={(w) => `/workloads/${encodeURIComponent(w.name)}`} />
            ) : (
              <EmptyState title="No workload of this service" snippet={`daytwo apply -f ${service}.yaml --url ${window.location.origin}`}>
                A Deployment whose label app.kubernetes.io/name is {service} runs here after:
              </EmptyState>
            )
          }
        </Loaded>
      </Section>
      <Section title="Runs">
        <Loaded query={runs}>
          {({ items }) =>
            items.length > 0 ? (
              <Table label="Runs" rows={items} columns={runColumns} rowKey={(r) => r.id} to={(r) => `/runs/${r.id}`} />
            ) : (
              <EmptyState title="No run yet">Each deploy, rollback and restart is a run with its steps and log.</EmptyState>
            )
          }
        </Loaded>
      </Section>
    </>
  );
}
