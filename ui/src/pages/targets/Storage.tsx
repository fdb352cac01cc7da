import { useQuery } from "@tanstack/react-query";
import { rulesQuery, type Rule } from "@/api/rules";
import { tsdbQuery, type Counted } from "@/api/targets";
import { Facts } from "@/kit/Facts";
import { formatCount } from "@/kit/format";
import { Link } from "@/kit/Link";
import { Loaded } from "@/kit/Loaded";
import { Section } from "@/kit/Section";
import { Table, type Column } from "@/kit/Table";
import { Ago } from "@/kit/Time";
import { explorePath } from "@/kit/paths";
import { SeriesLimits } from "./SeriesLimits";
import { usedBy } from "./usedBy";
import styles from "./Targets.module.css";

/** What the samples in memory weigh, and which rules use the heaviest metrics. */
export function Storage() {
  const query = useQuery(tsdbQuery);
  const { data: groups } = useQuery(rulesQuery);
  const rules = groups?.flatMap((group) => group.rules) ?? [];
  return (
    <Loaded query={query}>
      {(tsdb) => (
        <>
          <Section title="Samples in memory">
            <Facts
              facts={[
                ["Series", formatCount(tsdb.headStats.numSeries)],
                ["Label pairs", formatCount(tsdb.headStats.numLabelPairs)],
                ["Chunks", formatCount(tsdb.headStats.chunkCount)],
                ["Oldest", <Ago key="oldest" time={new Date(tsdb.headStats.minTime).toISOString()} />],
              ]}
            />
          </Section>
          <SeriesLimits />
          <Section title="Metrics with the most series">
            <Table label="Metrics with the most series" rows={tsdb.seriesCountByMetricName} columns={metricColumns(rules)} rowKey={(m) => m.name} to={(m) => explore(selector(m.name))} />
          </Section>
          <div className={styles.heaviest}>
            <Heaviest title="Labels with the most values" unit="Values" rows={tsdb.labelValueCountByLabelName} expr={(label) => `count by (${label}) ({${label}!=""})`} />
            <Heaviest title="Label pairs with the most series" unit="Series" rows={tsdb.seriesCountByLabelValuePair.filter((pair) => !pair.name.startsWith("__name__="))} expr={pairSelector} />
          </div>
        </>
      )}
    </Loaded>
  );
}

function metricColumns(rules: Rule[]): Column<Counted>[] {
  return [
    { id: "name", header: "Metric", phone: "title", cell: (m) => <code>{m.name}</code>, value: (m) => m.name },
    { id: "series", header: "Series", align: "end", phone: "side", cell: (m) => formatCount(m.value), value: (m) => m.value },
    {
      id: "used",
      header: "Used by",
      cell: (m) => {
        const users = usedBy(m.name, rules);
        if (users.length === 0) return "no rule";
        return users.length > 3 ? `${users.slice(0, 3).join(", ")} and ${users.length - 3} more` : users.join(", ");
      },
    },
  ];
}

function Heaviest({ title, unit, rows, expr }: { title: string; unit: string; rows: Counted[]; expr: (name: string) => string }) {
  const columns: Column<Counted>[] = [
    { id: "name", header: "Name", phone: "title", cell: (r) => <Link to={explore(expr(r.name))}><code>{r.name}</code></Link>, value: (r) => r.name },
    { id: "count", header: unit, align: "end", phone: "side", cell: (r) => formatCount(r.value), value: (r) => r.value },
  ];
  return (
    <Section title={title}>
      <Table label={title} rows={rows} columns={columns} rowKey={(r) => r.name} />
    </Section>
  );
}

const explore = (expr: string) => `${explorePath(expr)}&view=table`;
const selector = (metric: string) => `topk(20, {__name__=${JSON.stringify(metric)}})`;

/** "job=node" names one pair. */
function pairSelector(pair: string): string {
  const at = pair.indexOf("=");
  return `count by (__name__) ({${pair.slice(0, at)}=${JSON.stringify(pair.slice(at + 1))}})`;
}
