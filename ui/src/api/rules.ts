import { queryOptions } from "@tanstack/react-query";
import { getDoor } from "./client";

/** A rule as the Prometheus API tells it. */
export interface Rule {
  name: string;
  query: string;
  duration?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  health: "ok" | "err" | "unknown";
  lastError?: string;
  type: "alerting" | "recording";
  state?: "firing" | "pending" | "inactive";
  /** Of an alerting rule: what fires or is about to. */
  alerts?: { state: "firing" | "pending" }[];
  lastEvaluation?: string;
  /** Seconds. */
  evaluationTime?: number;
}

export interface RuleGroup {
  name: string;
  file: string;
  /** Seconds. */
  interval: number;
  /** The year 1 before the first. */
  lastEvaluation?: string;
  /** Seconds. */
  evaluationTime?: number;
  rules: Rule[];
}

export const rulesQuery = queryOptions({
  queryKey: ["rules"],
  queryFn: ({ signal }) => getDoor<{ data: { groups: RuleGroup[] } }>("/prometheus/api/v1/rules", {}, signal),
  select: (answer) => answer.data.groups,
  refetchInterval: 15_000,
});
