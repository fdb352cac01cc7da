import { expect, test } from "vitest";
import type { SloState } from "@/api/types";
import { alarming, budgetTone, judge, tightest } from "./health";

const open = (triggered: number, acknowledged: number, newest = 1) => ({ triggered, acknowledged, newest });
const firing = (severity: string, count = 1) => ({ severity, count });
const slo = (budgetRemaining?: number, firing = false) => ({ budgetRemaining, burn: [{ firing }] }) as SloState;

test("the worst thing decides, and every thing is named", () => {
  expect(judge(undefined, [], [slo(0.8)])).toMatchObject({ tone: "good", words: "well" });
  expect(judge(open(1, 0, 7), [firing("warning")], [])).toMatchObject({ tone: "critical", words: "incident #7, 1\u00a0alert" });
  expect(judge(open(0, 1), [], []).tone).toBe("warning");
  expect(judge(open(2, 9_998), [firing("info", 300), firing("warning", 12)], [])).toMatchObject({ tone: "critical", words: "10\u202f000\u00a0incidents, 312\u00a0alerts" });
  expect(judge(undefined, [], [slo(-0.2)])).toMatchObject({ tone: "warning", words: "budget spent" });
});

test("a budget is judged by what is left and how fast it goes", () => {
  expect([slo(0.9), slo(0.1), slo(0), slo(0.9, true), slo(undefined)].map(budgetTone)).toEqual(["good", "warning", "critical", "critical", "neutral"]);
  expect(tightest([slo(undefined), slo(0.5), slo(0.2)])?.budgetRemaining).toBe(0.2);
  expect(tightest([slo(undefined)])).toBeUndefined();
});

test("failures are shown as what is wrong only where the service is not well", () => {
  const objective = { objective: 95 } as SloState;
  expect(alarming({ id: "errors" }, "good", [objective])).toBeUndefined();
  expect(alarming({ id: "errors" }, "critical", [objective])).toBeCloseTo(0.05);
  expect(alarming({ id: "errors" }, "warning", [])).toBe(0.01);
  expect(alarming({ id: "latency" }, "critical", [objective])).toBeUndefined();
});
