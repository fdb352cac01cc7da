import { expect, test } from "vitest";
import type { Policy } from "@/api/types";
import { newLevel, policyBody, policyDraft, targetKey, targetOf } from "./policyDraft";

const policy: Policy = {
  id: "p1",
  name: "orders",
  repeat: 2,
  levels: [
    { targets: [{ kind: "schedule", name: "primary" }], after: "0s" },
    { targets: [{ kind: "person", name: "ada" }], after: "5m", roundRobin: true },
    { targets: [{ kind: "person", name: "linus" }], after: "1h" },
  ],
};

test("levels say how long they wait for the one before", () => {
  const draft = policyDraft(policy);
  expect(draft.levels.map((l) => l.wait)).toEqual([0, 5, 55]);
  expect(draft.levels.map((l) => l.roundRobin)).toEqual([false, true, false]);
});

test("the body counts from the opening of the incident again", () => {
  const draft = policyDraft(policy);
  expect(policyBody(draft).levels.map((l) => l.after)).toEqual(["0s", "300s", "3600s"]);
  draft.levels.splice(1, 1);
  expect(policyBody({ ...draft, levels: [...draft.levels, newLevel(2.5)] }).levels.map((l) => l.after)).toEqual(["0s", "3300s", "3450s"]);
});

test("a target survives its key, whatever it is called", () => {
  for (const t of [{ kind: "schedule", name: "a:b" }, { kind: "person", name: "Ada Okafor" }] as const) expect(targetOf(targetKey(t))).toEqual(t);
});
