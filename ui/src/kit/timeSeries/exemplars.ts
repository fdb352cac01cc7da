// Exemplars: single observations that stand for what a graph sums up, most with the trace they belong to.

import type { Labels } from "@/api/prometheus";

export interface Exemplar {
  /** Unix seconds. */
  time: number;
  value: number;
  /** Of the exemplar itself: its trace. */
  labels: Labels;
  /** Of the series that it was seen in. */
  series: Labels;
}

/** Nothing to hit is narrower than this, in pixels. */
const apart = 24;

export interface Dot {
  left: number;
  top: number;
  /** The highest of those that lie in one place. */
  exemplar: Exemplar;
  count: number;
}

/** Where exemplars lie on a plot: one dot for all that are too near to be hit apart; what is off the axis lies on its edge. */
export function dots(exemplars: Exemplar[], { width, height, low, high }: { width: number; height: number; low: number; high: number }, from: number, to: number): Dot[] {
  const columns = new Map<number, Dot>();
  for (const exemplar of exemplars) {
    if (exemplar.time < from || exemplar.time > to) continue;
    const left = ((exemplar.time - from) / (to - from || 1)) * width;
    const share = (exemplar.value - low) / (high - low || 1);
    const top = (1 - Math.max(0, Math.min(1, share))) * height;
    const column = Math.floor(left / apart);
    const there = columns.get(column);
    if (there && there.exemplar.value >= exemplar.value) there.count++;
    else columns.set(column, { left, top, exemplar, count: (there?.count ?? 0) + 1 });
  }
  return [...columns.values()];
}

const traceNames = ["trace_id", "traceid", "trace.id"];

/** The trace of an exemplar, by whatever name. */
export function traceOf(exemplar: Exemplar): string | undefined {
  return Object.entries(exemplar.labels).find(([name]) => traceNames.includes(name.toLowerCase()))?.[1];
}
