import { queryOptions } from "@tanstack/react-query";
import { answer, api, getDoor } from "./client";
import type { Labels } from "./prometheus";

export type Health = "up" | "down" | "unknown";

/** A target as the Prometheus API tells it. */
export interface Target {
  discoveredLabels: Labels;
  labels: Labels;
  scrapePool: string;
  scrapeUrl: string;
  lastError: string;
  lastScrape: string;
  /** Seconds. */
  lastScrapeDuration: number;
  health: Health;
  scrapeInterval: string;
  scrapeTimeout: string;
}

/** A target that relabelling dropped. */
export interface DroppedTarget {
  discoveredLabels: Labels;
  scrapePool?: string;
}

export interface Targets {
  activeTargets: Target[];
  droppedTargets: DroppedTarget[];
  /** How many were dropped, also those that are not listed. */
  droppedTargetCounts: Record<string, number>;
}

export const targetsQuery = queryOptions({
  queryKey: ["targets"],
  queryFn: ({ signal }) => getDoor<{ data: Targets }>("/prometheus/api/v1/targets", { state: "any" }, signal),
  select: (answer) => answer.data,
  refetchInterval: 10_000,
});

export interface Counted {
  name: string;
  value: number;
}

export interface TsdbStatus {
  headStats: { numSeries: number; numLabelPairs: number; chunkCount: number; minTime: number; maxTime: number };
  seriesCountByMetricName: Counted[];
  labelValueCountByLabelName: Counted[];
  memoryInBytesByLabelName: Counted[];
  seriesCountByLabelValuePair: Counted[];
}

/** What the samples in memory consist of; the heaviest first, as many as a page holds. */
export const tsdbQuery = queryOptions({
  queryKey: ["tsdb"],
  queryFn: ({ signal }) => getDoor<{ data: TsdbStatus }>("/prometheus/api/v1/status/tsdb", { limit: 20 }, signal),
  select: (answer) => answer.data,
  refetchInterval: 60_000,
});

/** How many series there may be, and what was kept out. */
export const seriesLimitsQuery = queryOptions({
  queryKey: ["series limits"],
  queryFn: ({ signal }) => answer(api.GET("/api/series-limits", { signal })),
  refetchInterval: 30_000,
});
