import type { Service } from "@/api/types";
import { windowWords, type Unit } from "@/kit/format";

export interface GoldenSignal {
  id: "traffic" | "errors" | "latency";
  title: string;
  unit: Unit;
  expr: string;
  /** The line's name on the graph. */
  label: string;
  /** What each value is taken over, in words; undefined where the expression mixes several windows. */
  over?: string;
}

/** Traffic, the share of it that failed, and how slow its slowest hundredth is. */
export function goldenSignals({ signals }: Pick<Service, "signals">): GoldenSignal[] {
  const all: GoldenSignal[] = [
    { id: "traffic", title: "Traffic", unit: "perSecond", expr: signals.traffic, label: "requests" },
    {
      id: "errors",
      title: "Errors",
      unit: "ratio",
      // No failure yet means no series: that is zero, as long as there is traffic.
      expr: `(sum(${signals.errors}) or vector(0)) / sum(${signals.traffic})`,
      label: "failed",
    },
    { id: "latency", title: "Latency, 99th percentile", unit: "seconds", expr: signals.latencyP99, label: "p99" },
  ];
  return all.map((signal) => ({ ...signal, over: overOf(signal.expr) }));
}

/** The window of an expression's range selectors: "1 min" of rate(x[1m]). */
export function overOf(expr: string): string | undefined {
  const windows = new Set([...expr.matchAll(/\[\s*([0-9a-z]+)\s*\]/g)].map((match) => match[1] ?? ""));
  const [window] = windows;
  return windows.size === 1 && window ? windowWords(window) : undefined;
}

/** A signal's name with the interval its values stand for. */
export const titleOf = ({ title, over }: GoldenSignal) => (over ? `${title}, over ${over}` : title);
