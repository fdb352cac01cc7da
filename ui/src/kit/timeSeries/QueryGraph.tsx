import { useQueries } from "@tanstack/react-query";
import { useMemo, type ReactNode } from "react";
import { rangeQuery } from "@/api/prometheus";
import { ErrorNote } from "../ErrorNote";
import type { Unit } from "../format";
import { Waiting } from "../Loaded";
import { nothingFinite, timeGrid, toSeries } from "../series";
import { useTimeRange } from "../useTimeRange";
import type { Annotations } from "./annotations";
import type { Exemplar } from "./exemplars";
import { TimeSeries } from "./TimeSeries";

export interface GraphQuery {
  expr: string;
  /** A name, or a template such as "{{code}}"; by default what tells the series apart. */
  label?: string;
}

interface Props {
  title: string;
  unit: Unit;
  queries: GraphQuery[];
  annotations?: Annotations;
  exemplars?: Exemplar[];
  height?: number;
  nearFull?: boolean;
  aside?: ReactNode;
  /** Errors are shown beside the queries, not here. */
  errorsElsewhere?: boolean;
}

const notNumbers = "Every value is NaN or infinite, as after a division by zero: there is nothing to draw";

/** PromQL expressions over the page's time range as one graph. */
export function QueryGraph({ title, unit, queries, height = 180, errorsElsewhere = false, ...rest }: Props) {
  const { range, pausedAt, live, since } = useTimeRange();
  const { results, errors, retry } = useQueries({
    queries: queries.map((q) => rangeQuery({ expr: q.expr, range, pausedAt, live, since })),
    combine: (all) => ({
      results: all.map((one) => one.data),
      errors: all.flatMap((one) => (one.error ? [one.error] : [])),
      retry: () => all.forEach((one) => one.error && void one.refetch()),
    }),
  });

  const graph = useMemo(() => {
    const first = results.find((r) => r !== undefined);
    if (!first) return undefined;
    const { from, to, step } = results.reduce<{ from: number; to: number; step: number }>(
      (wide, r) => (r && r.step === wide.step ? { ...wide, from: Math.min(wide.from, r.from), to: Math.max(wide.to, r.to) } : wide),
      first,
    );
    const times = timeGrid(from, to, step);
    const grid = { from, step, count: times.length };
    return { times, series: results.flatMap((r, i) => (r ? toSeries(r.series, grid, queries[i]?.label) : [])) };
  }, [results, queries]);

  return (
    <div>
      {graph && <TimeSeries title={title} unit={unit} height={height} times={graph.times} series={graph.series} none={nothingFinite(graph.series) ? notNumbers : undefined} {...rest} />}
      {!errorsElsewhere && errors.map((error) => <ErrorNote key={error.message} error={error} retry={retry} />)}
      {!graph && errors.length === 0 && (
        <div style={{ minHeight: height + 24 }}>
          <Waiting rows={5} />
        </div>
      )}
    </div>
  );
}
