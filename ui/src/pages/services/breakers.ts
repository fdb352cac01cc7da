import type { RangeResult } from "@/api/prometheus";
import type { StateTone } from "@/kit/tone";

export interface Breaker {
  /** What the calls go to. */
  name: string;
  state: "closed" | "half-open" | "open";
  tone: StateTone;
  /** 0 closed, 0.5 half-open, 1 open, over the time range. */
  series: RangeResult["series"][number];
}

/** How the breakers of a service stood over time; see package stability. */
export const breakersExpr = (service: string) => `max by (name) (stability_breaker_open{service=${JSON.stringify(service)}})`;

/** What each breaker did with calls in the last minute. */
export const breakerRateExpr = (service: string, decision: "rejected" | "failure", name: string) =>
  `sum(rate(stability_decisions_total{service=${JSON.stringify(service)},policy="breaker",name=${JSON.stringify(name)},decision="${decision}"}[1m]))`;

/** The state that a value of the gauge stands for. Several replicas may disagree: the worst counts. */
export function breakerState(value: number): Pick<Breaker, "state" | "tone"> {
  if (value >= 1) return { state: "open", tone: "critical" };
  if (value > 0) return { state: "half-open", tone: "warning" };
  return { state: "closed", tone: "good" };
}

/** The breakers of a range query, the worst first. */
export function breakersOf({ series }: RangeResult): Breaker[] {
  const all = series.map((s): Breaker & { last: number } => {
    const last = Number(s.values.at(-1)?.[1] ?? 0);
    return { name: s.metric.name ?? "", series: s, last, ...breakerState(last) };
  });
  return all.sort((a, b) => b.last - a.last || a.name.localeCompare(b.name));
}
