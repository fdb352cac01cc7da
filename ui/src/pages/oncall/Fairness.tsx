import { useQuery } from "@tanstack/react-query";
import { fairnessQuery } from "@/api/oncall";
import type { Share } from "@/api/types";
import { Loaded } from "@/kit/Loaded";
import { Person } from "@/kit/Person";
import { Table, type Column } from "@/kit/Table";

const number = (n: number) => n.toLocaleString("en-GB", { maximumFractionDigits: 0 });

const columns: Column<Share>[] = [
  { id: "person", header: "Person", cell: (s) => <Person name={s.person} />, value: (s) => s.person, phone: "title" },
  { id: "hours", header: "Hours", cell: (s) => number(s.hours), value: (s) => s.hours, align: "end" },
  { id: "nights", header: "Nights", cell: (s) => s.nights, value: (s) => s.nights, align: "end" },
  { id: "weekends", header: "Weekends", cell: (s) => s.weekends, value: (s) => s.weekends, align: "end" },
  { id: "pages", header: "Pages", cell: (s) => s.pages, value: (s) => s.pages, align: "end" },
  { id: "nightPages", header: "At night", cell: (s) => s.nightPages, value: (s) => s.nightPages, align: "end" },
];

/** How the load of a schedule was shared over the last `days`. */
export function Fairness({ schedule, days = 90 }: { schedule: string; days?: number }) {
  const query = useQuery(fairnessQuery(schedule, days));
  return (
    <Loaded query={query} rows={3}>
      {({ items }) => <Table label={`Shares of ${schedule}`} rows={items} columns={columns} rowKey={(s) => s.person} />}
    </Loaded>
  );
}
