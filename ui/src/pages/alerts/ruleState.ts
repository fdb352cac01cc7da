import type { Rule } from "@/api/rules";

/** How many alerts of a rule fire and how many are about to; empty if none do. */
export function alertCounts({ alerts = [] }: Pick<Rule, "alerts">): string {
  return (["firing", "pending"] as const)
    .map((state) => ({ state, count: alerts.filter((a) => a.state === state).length }))
    .filter(({ count }) => count > 0)
    .map(({ state, count }) => `${count} ${state}`)
    .join(", ");
}

/** Whether a time of evaluation is one: before the first it is the year 1. */
export const everEvaluated = (time: string | undefined): time is string => time !== undefined && Date.parse(time) > 0;
