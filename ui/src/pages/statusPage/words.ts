import type { ComponentView, IncidentView, StatusView } from "@/api/statusPage";
import type { StateTone } from "@/kit/tone";

/** The state of a component, as the public reads it, and what it means to the reader. */
export function componentState(state: ComponentView["state"]): { words: string; tone: StateTone } {
  switch (state) {
    case "operational":
      return { words: "operational", tone: "good" };
    case "under_maintenance":
      return { words: "under maintenance", tone: "info" };
    case "degraded_performance":
      return { words: "degraded", tone: "warning" };
    case "partial_outage":
      return { words: "partial outage", tone: "critical" };
    case "major_outage":
      return { words: "major outage", tone: "critical" };
  }
}

export function indicatorTone(indicator: StatusView["indicator"]): StateTone {
  return ({ none: "good", maintenance: "info", minor: "warning", major: "critical", critical: "critical" } as const)[indicator];
}

export const impacts: { value: IncidentView["impact"]; label: string }[] = [
  { value: "none", label: "nothing is affected" },
  { value: "minor", label: "minor: degraded" },
  { value: "major", label: "major: partial outage" },
  { value: "critical", label: "critical: major outage" },
];

export const states = ["investigating", "identified", "monitoring", "resolved"] as const;
export type NoticeState = (typeof states)[number];

export function stateTone(state: NoticeState): StateTone {
  return ({ investigating: "critical", identified: "warning", monitoring: "info", resolved: "good" } as const)[state];
}

/** What is usually said next. */
export function nextState(state: NoticeState): NoticeState {
  return states[Math.min(states.indexOf(state) + 1, states.length - 1)] ?? "resolved";
}

/** 99.98 % never becomes 100. */
export function uptime(percent: number): string {
  return `${(Math.floor(percent * 100) / 100).toFixed(2)}\u00a0%`;
}
