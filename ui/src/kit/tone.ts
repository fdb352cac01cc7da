import type { Tone } from "@/api/types";

/** What a state means to the reader; "neutral" states ask for nothing. */
export type StateTone = Tone | "neutral";

const tones: Record<string, StateTone> = {
  // incidents
  triggered: "critical",
  acknowledged: "warning",
  resolved: "good",
  // alerts
  firing: "critical",
  pending: "warning",
  inactive: "good",
  // pages
  due: "info",
  sending: "info",
  sent: "good",
  retry: "warning",
  exhausted: "critical",
  canceled: "neutral",
  // runs and steps
  queued: "neutral",
  running: "info",
  succeeded: "good",
  failed: "critical",
  interrupted: "warning",
  skipped: "neutral",
  // workloads
  starting: "info",
  crashing: "critical",
  stopped: "neutral",
  // postmortems
  draft: "info",
  published: "good",
  // severities
  critical: "critical",
  warning: "warning",
  info: "info",
};

export const toneOf = (state: string): StateTone => tones[state] ?? "neutral";

/** A running workload is well; a running run is under way. */
export const workloadTone = (status: string): StateTone => (status === "running" ? "good" : toneOf(status));

const rank: StateTone[] = ["critical", "fault", "warning", "info", "neutral", "good"];

export function worst(all: StateTone[]): StateTone {
  return rank.find((tone) => all.includes(tone)) ?? "good";
}
