import { useQueries } from "@tanstack/react-query";
import { instantQuery } from "@/api/prometheus";
import { EmptyState } from "@/kit/EmptyState";
import { plural } from "@/kit/format";
import { Waiting } from "@/kit/Loaded";
import { Section } from "@/kit/Section";
import { seriesName } from "@/kit/series";
import { Table, type Column } from "@/kit/Table";
import { useTimeRange } from "@/kit/useTimeRange";

interface Row {
  name: string;
  value: string;
}

const columns: Column<Row>[] = [
  { id: "series", header: "Series", phone: "title", cell: (r) => <code>{r.name}</code>, value: (r) => r.name },
  { id: "value", header: "Value", align: "end", phone: "side", cell: (r) => r.value, value: (r) => Number(r.value) },
];

/** The queries at the end of the time range, exactly as the engine answered. */
export function InstantTable({ exprs }: { exprs: string[] }) {
  const { range, pausedAt, live } = useTimeRange();
  const results = useQueries({ queries: exprs.map((expr) => instantQuery({ expr, range, pausedAt, live })) });
  return exprs.map((expr, i) => {
    const data = results[i]?.data;
    return (
      <Section key={`${i} ${expr}`} title={<code>{expr}</code>} aside={data && plural(data.samples.length, "series", "series")}>
        {!data && !results[i]?.error && <Waiting />}
        {data && data.samples.length === 0 && <EmptyState title="No series">Nothing matches at this time.</EmptyState>}
        {data && data.samples.length > 0 && (
          <Table
            label={expr}
            rows={data.samples.map((s) => ({ name: seriesName(s.metric), value: s.value[1] }))}
            columns={columns}
            rowKey={(r) => r.name}
          />
        )}
      </Section>
    );
  });
}
