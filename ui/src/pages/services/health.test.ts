import { expect, test } from "vitest";
import type { Alert, Incident, SloState } from "@/api/types";
import { alarming, budgetTone, judge, tightest } from "./health";

const incident = (status: string, number = 1) => ({ status, number }) as Incident;
const alert = (severity: string) => ({ severity }) as Alert;
const slo = (budgetRemaining?: number, firing = false) => ({ budgetRemaining, burn: [{ firing }] }) as SloState;

test("the worst thing decides, and every thing is named", () => {
  expect(judge([], [], [slo(0.8)])).toMatchObject({ tone: "good", words: "well" });
  expect(judge([incident("triggered", 7)], [alert("warning")], [])).toMatchObject({ tone: "critical", words: "incident #7, 1\u00a0alert" });
  expect(judge([incident("acknowledged")], [], []).tone).toBe("warning");
  expect(judge([], [], [slo(-0.2)])).toMatchObject({ tone: "warning", words: "budget spent" });
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
