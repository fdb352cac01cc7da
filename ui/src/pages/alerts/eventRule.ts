// An event rule in words, and while it is edited.

import type { EventRule, Trial } from "@/api/events";
import { windowWords } from "@/kit/format";

/** What a rule does, or what it made of an event. */
export function effects(r: Pick<EventRule, "severity" | "priority" | "service" | "dedupKey" | "suppress" | "for" | "drop" | "note" | "stop">): string[] {
  const list: string[] = [];
  if (r.drop) list.push(`drops it: ${r.drop}`);
  if (r.suppress) list.push(`pages nobody${r.for && r.for !== "0s" ? ` for ${windowWords(r.for)}` : ""}: ${r.suppress}`);
  if (r.severity) list.push(`severity ${r.severity}`);
  if (r.priority) list.push(`priority ${r.priority}`);
  if (r.service) list.push(`to ${r.service}`);
  if (r.dedupKey) list.push(`key ${r.dedupKey}`);
  if (r.note) list.push(`notes “${r.note}”`);
  if (r.stop) list.push("later rules are not asked");
  return list;
}

export const emptyRule: EventRule = { name: "", when: "" };

/** The rule as it is asked about the past: one that does nothing yet is asked for its condition alone. */
export function trialOf(rule: EventRule): EventRule {
  const asked = { ...tidy(rule), name: rule.name.trim() || "trial" };
  return effects(asked).length > 0 ? asked : { ...asked, note: "matched" };
}

/** Without what was left empty, which the API takes as said. */
export function tidy(rule: EventRule): EventRule {
  const entries = Object.entries(rule as unknown as Record<string, unknown>).map(([key, value]) => [key, typeof value === "string" ? value.trim() : value] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== "" && value !== false && value !== undefined)) as unknown as EventRule;
}

export interface Outcome {
  matched: number;
  all: number;
  failed: number;
  /** Of those that matched, how many opened or joined an incident then. */
  paged: number;
}

export function outcomeOf(trials: Trial[]): Outcome {
  const matched = trials.filter((t) => t.matched);
  return {
    all: trials.length,
    matched: matched.length,
    failed: trials.filter((t) => (t.verdict.errors ?? []).length > 0).length,
    paged: matched.filter((t) => t.outcome === "opened" || t.outcome === "joined").length,
  };
}
