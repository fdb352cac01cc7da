import { useQuery } from "@tanstack/react-query";
import { seriesLimitsQuery } from "@/api/targets";
import type { components } from "@/api/schema";
import { EmptyState } from "@/kit/EmptyState";
import { Facts } from "@/kit/Facts";
import { formatCount, formatValue } from "@/kit/format";
import { Loaded } from "@/kit/Loaded";
import { Section } from "@/kit/Section";
import { Table, type Column } from "@/kit/Table";
import { Ago } from "@/kit/Time";
import { explorePath } from "@/kit/paths";
import styles from "./Targets.module.css";

type Limits = components["schemas"]["MetricsSeriesLimits"];
type Refused = components["schemas"]["MetricsRefusedMetric"];

const limitWords: Record<Refused["limit"], string> = { total: "all metrics", metric: "one metric" };

const columns: Column<Refused>[] = [
  { id: "metric", header: "Metric", phone: "title", cell: (r) => <code>{r.metric}</code>, value: (r) => r.metric },
  { id: "job", header: "Job", cell: (r) => r.job ?? "", value: (r) => r.job ?? "" },
  { id: "limit", header: "Limit of", cell: (r) => limitWords[r.limit], value: (r) => r.limit },
  { id: "last", header: "Last", cell: (r) => <Ago time={r.last} />, value: (r) => r.last },
  { id: "samples", header: "Samples refused", align: "end", cell: (r) => formatCount(r.samples), value: (r) => r.samples },
];

/** How many series there may be, and of which metrics new ones are refused. */
export function SeriesLimits() {
  const query = useQuery(seriesLimitsQuery);
  return (
    <Section title="Limits of series">
      <Loaded query={query}>{(limits) => <Shown limits={limits} />}</Loaded>
    </Section>
  );
}

function Shown({ limits }: { limits: Limits }) {
  const { series, maxSeries, maxSeriesPerMetric, refused } = limits;
  if (maxSeries === 0 && maxSeriesPerMetric === 0) {
    return (
      <p className={styles.dim}>
        Any number of series is taken. <code>DAYTWO_MAX_SERIES</code> and <code>DAYTWO_MAX_SERIES_PER_METRIC</code> set limits beyond which no new one begins;{" "}
        <code>sample_limit</code> in prometheus.yml limits a job.
      </p>
    );
  }
  return (
    <div className={styles.limits}>
      <Facts
        facts={[
          ["All metrics", maxSeries > 0 ? `${formatCount(series)} of ${formatCount(maxSeries)} (${formatValue(series / maxSeries, "ratio")})` : "no limit"],
          ["One metric", maxSeriesPerMetric > 0 ? `at most ${formatCount(maxSeriesPerMetric)}` : "no limit"],
        ]}
      />
      {refused.length > 0 ? (
        <Table label="Metrics of which new series are refused" rows={refused} columns={columns} rowKey={(r) => r.metric} to={(r) => explorePath(`count({__name__=${JSON.stringify(r.metric)}})`)} />
      ) : (
        <EmptyState title="Nothing was refused">Metrics of which new series are refused appear here.</EmptyState>
      )}
    </div>
  );
}
