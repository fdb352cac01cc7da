import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { drawnRange, resolveRange, stepFor, type TimeRange } from "@/kit/timeRange";
import type { Exemplar } from "@/kit/timeSeries/exemplars";
import { answer, api, getDoor } from "./client";

export type Labels = Record<string, string>;

export interface MatrixSeries {
  metric: Labels;
  values: [number, string][];
}

export interface VectorSample {
  metric: Labels;
  value: [number, string];
}

interface Answer {
  status: "success";
  data:
    | { resultType: "matrix"; result: MatrixSeries[] }
    | { resultType: "vector"; result: VectorSample[] }
    | { resultType: "scalar" | "string"; result: [number, string] };
  warnings?: string[];
  infos?: string[];
}

export interface RangeResult {
  /** Unix seconds, both on the step's grid. */
  from: number;
  to: number;
  step: number;
  series: MatrixSeries[];
  warnings: string[];
  /** What the engine notices that need not be a mistake, as a rate of what is not named like a counter. */
  infos: string[];
}

interface RangeRequest {
  expr: string;
  range: TimeRange;
  pausedAt?: string;
  live: boolean;
  /** Where samples begin, in Unix milliseconds. */
  since?: number;
  /** About how many points to draw. */
  points?: number;
}

/** An expression over the page's time range; asks again as time goes on while live. */
export function rangeQuery({ expr, range, pausedAt, live, since, points = 240 }: RangeRequest) {
  const now = () => (pausedAt ? Date.parse(pausedAt) : Date.now());
  const step = stepFor(drawnRange(range, now(), since), points);
  return queryOptions({
    queryKey: ["samples", expr, range.from, range.to, pausedAt, since, step],
    queryFn: async ({ signal }): Promise<RangeResult> => {
      const { from, to } = drawnRange(range, now(), since);
      const start = Math.floor(from / 1000 / step) * step;
      const end = Math.floor(to / 1000 / step) * step;
      const answer = await getDoor<Answer>("/prometheus/api/v1/query_range", { query: expr, start, end, step }, signal);
      const series = answer.data.resultType === "matrix" ? answer.data.result : [];
      return { from: start, to: end, step, series, warnings: answer.warnings ?? [], infos: answer.infos ?? [] };
    },
    refetchInterval: live ? Math.min(60, Math.max(5, step)) * 1000 : false,
    placeholderData: keepPreviousData,
    staleTime: live ? 4_000 : 300_000,
  });
}

interface ExemplarAnswer {
  data: { seriesLabels: Labels; exemplars: { labels: Labels; value: string; timestamp: number }[] }[];
}

/** The exemplars of all series that an expression reads, over the page's time range. */
export function exemplarsQuery({ expr, range, pausedAt, live }: Omit<RangeRequest, "points" | "since">) {
  return queryOptions({
    queryKey: ["exemplars", expr, range.from, range.to, pausedAt],
    queryFn: async ({ signal }): Promise<Exemplar[]> => {
      const { from, to } = resolveRange(range, pausedAt ? Date.parse(pausedAt) : Date.now());
      const { data } = await getDoor<ExemplarAnswer>("/prometheus/api/v1/query_exemplars", { query: expr, start: from / 1000, end: to / 1000 }, signal);
      return data.flatMap(({ seriesLabels, exemplars }) =>
        exemplars.map((e) => ({ time: e.timestamp, value: Number(e.value), labels: e.labels, series: seriesLabels })),
      );
    },
    refetchInterval: live ? 15_000 : false,
    placeholderData: keepPreviousData,
  });
}

export interface InstantResult {
  samples: VectorSample[];
  warnings: string[];
}

/** An expression at one instant: the end of the page's time range. */
export function instantQuery({ expr, range, pausedAt, live }: Omit<RangeRequest, "points" | "since">) {
  return queryOptions({
    queryKey: ["samples", "at", expr, range.to, pausedAt],
    queryFn: async ({ signal }): Promise<InstantResult> => {
      const { to } = resolveRange(range, pausedAt ? Date.parse(pausedAt) : Date.now());
      const { data, warnings = [] } = await getDoor<Answer>("/prometheus/api/v1/query", { query: expr, time: to / 1000 }, signal);
      if (data.resultType === "vector") return { samples: data.result, warnings };
      if (data.resultType === "matrix") {
        return { samples: data.result.flatMap((s) => s.values.map((value) => ({ metric: s.metric, value }))), warnings };
      }
      return { samples: [{ metric: {}, value: data.result }], warnings };
    },
    refetchInterval: live ? 10_000 : false,
    placeholderData: keepPreviousData,
  });
}

/** An expression part by part, at the end of the page's time range. */
export function explainQuery({ expr, range, pausedAt, live }: Omit<RangeRequest, "points" | "since">) {
  return queryOptions({
    queryKey: ["explain", expr, range.to, pausedAt],
    queryFn: ({ signal }) => {
      const { to } = resolveRange(range, pausedAt ? Date.parse(pausedAt) : Date.now());
      return answer(api.GET("/api/explain", { params: { query: { expr, at: new Date(to).toISOString() } }, signal }));
    },
    refetchInterval: live ? 30_000 : false,
    placeholderData: keepPreviousData,
  });
}
