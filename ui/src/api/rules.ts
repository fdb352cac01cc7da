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
  lastEvaluation?: string;
  evaluationTime?: number;
}

export interface RuleGroup {
  name: string;
  file: string;
  interval: number;
  rules: Rule[];
}

export const rulesQuery = queryOptions({
  queryKey: ["rules"],
  queryFn: ({ signal }) => getDoor<{ data: { groups: RuleGroup[] } }>("/prometheus/api/v1/rules", {}, signal),
  select: (answer) => answer.data.groups,
  refetchInterval: 15_000,
});
