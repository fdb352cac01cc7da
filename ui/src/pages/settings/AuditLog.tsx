import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { auditQuery } from "@/api/admin";
import type { AuditEntry } from "@/api/types";
import { EmptyState } from "@/kit/EmptyState";
import { Loaded } from "@/kit/Loaded";
import { Person } from "@/kit/Person";
import { Table, type Column } from "@/kit/Table";
import { Ago } from "@/kit/Time";

const columns: Column<AuditEntry>[] = [
  { id: "action", header: "What", phone: "title", cell: (e) => e.action, value: (e) => e.action },
  { id: "time", header: "When", phone: "side", cell: (e) => <Ago time={e.time} />, value: (e) => e.time },
  { id: "actor", header: "Who", cell: (e) => <Person name={e.actor} />, value: (e) => e.actor },
  { id: "target", header: "To what", cell: (e) => <code>{e.target ?? ""}</code>, value: (e) => e.target ?? "" },
  { id: "detail", header: "Detail", cell: (e) => e.detail ?? "" },
  { id: "address", header: "From", cell: (e) => e.address ?? "", phone: "hide" },
];

/** Every change anybody made, newest first. */
export function AuditLog() {
  const query = useInfiniteQuery(auditQuery);
  return (
    <Loaded query={query} rows={8}>
      {({ pages }) => {
        const entries = pages.flatMap((page) => page.items);
        if (entries.length === 0) return <EmptyState title="Nothing yet">Each change that somebody makes is written here.</EmptyState>;
        return (
          <>
            <Table label="Audit log" rows={entries} columns={columns} rowKey={(e) => e.id} />
            {query.hasNextPage && (
              <Button variant="default" mt={12} loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                Show earlier
              </Button>
            )}
          </>
        );
      }}
    </Loaded>
  );
}
