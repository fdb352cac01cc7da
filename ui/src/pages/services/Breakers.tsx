import { useQuery } from "@tanstack/react-query";
import { rangeQuery, instantQuery } from "@/api/prometheus";
import { formatValue } from "@/kit/format";
import { Link } from "@/kit/Link";
import { Section } from "@/kit/Section";
import { onGrid, timeGrid } from "@/kit/series";
import { Sparkline } from "@/kit/Sparkline";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { explorePath } from "@/kit/paths";
import { useTimeRange } from "@/kit/useTimeRange";
import { breakerRateExpr, breakersExpr, breakersOf, type Breaker } from "./breakers";

interface Row extends Breaker {
  course: (number | null)[];
}

/** The circuit breakers a service has around what it calls, if it exports them. */
export function Breakers({ service }: { service: string }) {
  const time = useTimeRange();
  const { data } = useQuery(rangeQuery({ expr: breakersExpr(service), ...time, points: 60 }));
  if (!data || data.series.length === 0) return null;
  const width = timeGrid(data.from, data.to, data.step).length;
  const rows = breakersOf(data).map((b): Row => ({ ...b, course: onGrid(b.series.values, data.from, data.step, width) }));
  const columns: Column<Row>[] = [
    { id: "name", header: "Calls to", phone: "title", cell: (b) => b.name },
    { id: "state", header: "State", phone: "side", cell: (b) => <StateBadge state={b.state} tone={b.tone} /> },
    {
      id: "course",
      header: "Open over time",
      cell: (b) => (
        <Sparkline values={b.course} label={`When the breaker to ${b.name} was open`} tone={b.tone === "good" ? undefined : "critical"} width={88} />
      ),
    },
    { id: "failed", header: "Failed, 1 min", align: "end", cell: (b) => <Rate expr={breakerRateExpr(service, "failure", b.name)} /> },
    { id: "refused", header: "Refused, 1 min", align: "end", cell: (b) => <Rate expr={breakerRateExpr(service, "rejected", b.name)} /> },
  ];
  return (
    <Section
      title="Breakers"
      aside={<Link to={explorePath(breakersExpr(service))}>Explore</Link>}
    >
      <Table label="Breakers" rows={rows} columns={columns} rowKey={(b) => b.name} />
    </Section>
  );
}

/** A rate at the end of the page's time range. */
function Rate({ expr }: { expr: string }) {
  const time = useTimeRange();
  const { data } = useQuery(instantQuery({ expr, ...time }));
  const value = data?.samples[0] && Number(data.samples[0].value[1]);
  return <>{value === undefined ? "–" : formatValue(value, "perSecond")}</>;
}
