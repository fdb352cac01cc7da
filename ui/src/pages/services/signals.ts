import type { Service } from "@/api/types";
import type { Unit } from "@/kit/format";

export interface GoldenSignal {
  id: "traffic" | "errors" | "latency";
  title: string;
  unit: Unit;
  expr: string;
  /** The line's name on the graph. */
  label: string;
}

/** Traffic, the share of it that failed, and how slow its slowest hundredth is. */
export function goldenSignals({ signals }: Pick<Service, "signals">): GoldenSignal[] {
  return [
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
}
