// An escalation policy while it is edited.

import type { PolicyBody } from "@/api/catalog";
import type { Policy } from "@/api/types";
import { parseDuration } from "@/kit/timeRange";
import { newKey } from "./scheduleDraft";

export type Target = PolicyBody["levels"][number]["targets"][number];

export interface LevelDraft {
  key: number;
  /** Minutes after the level before; of the first, after the incident opened. */
  wait: number;
  targets: Target[];
  roundRobin: boolean;
}

export interface PolicyDraft {
  name: string;
  description: string;
  team: string;
  levels: LevelDraft[];
  repeat: number;
  then: string;
}

export const newLevel = (wait: number): LevelDraft => ({ key: newKey(), wait, targets: [], roundRobin: false });

export const emptyPolicy = (): PolicyDraft => ({ name: "", description: "", team: "", levels: [newLevel(0)], repeat: 0, then: "" });

/** The API counts from the opening of the incident; people say how long they wait for the level before. */
export function policyDraft(policy: Policy): PolicyDraft {
  let before = 0;
  const levels = policy.levels.map(({ targets, after, roundRobin = false }): LevelDraft => {
    const at = (parseDuration(after) ?? 0) / 60_000;
    const wait = at - before;
    before = at;
    return { key: newKey(), wait, targets, roundRobin };
  });
  const { name, description = "", team = "", repeat, then = "" } = policy;
  return { name, description, team, levels, repeat, then };
}

export function policyBody(draft: PolicyDraft): PolicyBody {
  let at = 0;
  return {
    name: draft.name.trim(),
    description: draft.description.trim() || undefined,
    team: draft.team || undefined,
    repeat: draft.repeat,
    then: draft.then || undefined,
    levels: draft.levels.map(({ wait, targets, roundRobin }) => {
      at += wait;
      return { targets, after: `${Math.round(at * 60)}s`, roundRobin };
    }),
  };
}

/** Whom a target means now: a schedule, whoever it has on call. */
export const targetKey = (t: Target) => `${t.kind}:${t.name}`;

export function targetOf(key: string): Target {
  const at = key.indexOf(":");
  return { kind: key.slice(0, at) === "schedule" ? "schedule" : "person", name: key.slice(at + 1) };
}
