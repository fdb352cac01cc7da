import { useQuery } from "@tanstack/react-query";
import { postmortemsQuery } from "@/api/postmortems";
import type { Postmortem } from "@/api/types";
import { EmptyState } from "@/kit/EmptyState";
import { Loaded } from "@/kit/Loaded";
import { PageTitle } from "@/kit/PageTitle";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { Ago } from "@/kit/Time";

const columns: Column<Postmortem>[] = [
  {
    id: "title",
    header: "Postmortem",
    phone: "title",
    cell: (p) => (
      <>
        #{p.number} {p.title}
      </>
    ),
    value: (p) => p.number,
  },
  { id: "status", header: "State", phone: "side", cell: (p) => <StateBadge state={p.status} />, value: (p) => p.status },
  { id: "service", header: "Service", cell: (p) => p.service, value: (p) => p.service },
  { id: "severity", header: "Severity", cell: (p) => <StateBadge state={p.severity} />, value: (p) => p.severity },
  { id: "resolved", header: "Resolved", cell: (p) => <Ago time={p.resolvedAt} />, value: (p) => p.resolvedAt },
  { id: "actions", header: "Actions open", align: "end", cell: (p) => p.actions.filter((a) => !a.done).length },
  { id: "updated", header: "Updated", cell: (p) => <Ago time={p.updatedAt} />, value: (p) => p.updatedAt },
];

export function PostmortemsPage() {
  const query = useQuery(postmortemsQuery);
  return (
    <>
      <PageTitle title="Postmortems" />
      <Loaded query={query}>
        {({ items }) =>
          items.length > 0 ? (
            <Table label="Postmortems" rows={items} columns={columns} rowKey={(p) => p.id} to={(p) => `/postmortems/${p.id}`} />
          ) : (
            <EmptyState title="No postmortem yet">
              When an incident resolves, its postmortem begins by itself: with the facts, who was involved, and the timeline from
              the change to the recovery.
            </EmptyState>
          )
        }
      </Loaded>
    </>
  );
}
