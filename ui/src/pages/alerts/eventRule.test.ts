import { expect, test } from "vitest";
import type { Trial } from "@/api/events";
import { effects, emptyRule, outcomeOf, tidy, trialOf } from "./eventRule";

test("what a rule does, in words", () => {
  expect(effects({ severity: "info", suppress: "staging", for: "2h", stop: true })).toEqual([
    "pages nobody for 2\u00a0h: staging",
    "severity info",
    "later rules are not asked",
  ]);
  expect(effects(emptyRule)).toEqual([]);
});

test("what was left empty is not said", () => {
  expect(tidy({ name: " night ", when: "true", severity: undefined, suppress: "", stop: false, position: 10 })).toEqual({ name: "night", when: "true", position: 10 });
});

test("a rule that does nothing yet is asked for its condition", () => {
  expect(trialOf({ name: "", when: "true" })).toEqual({ name: "trial", when: "true", note: "matched" });
  expect(trialOf({ name: "x", when: "true", drop: "noise" })).toEqual({ name: "x", when: "true", drop: "noise" });
});

test("what came of a trial", () => {
  const trial = (matched: boolean, outcome: string, errors?: string[]): Trial => ({
    eventId: outcome,
    time: "2026-01-01T00:00:00Z",
    source: "events-v2",
    service: "web",
    title: "t",
    matched,
    outcome,
    verdict: { errors },
  });
  expect(outcomeOf([trial(true, "opened"), trial(true, "updated"), trial(false, "joined"), trial(false, "opened", ["x: no such field"])])).toEqual({
    all: 4,
    matched: 2,
    failed: 1,
    paged: 1,
  });
});
