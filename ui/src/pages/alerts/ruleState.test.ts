import { expect, test } from "vitest";
import { alertCounts, everEvaluated } from "./ruleState";

test("the alerts of a rule are counted by state", () => {
  expect(alertCounts({ alerts: [{ state: "pending" }, { state: "firing" }, { state: "firing" }] })).toBe("2 firing, 1 pending");
  expect(alertCounts({ alerts: [{ state: "pending" }] })).toBe("1 pending");
  expect(alertCounts({ alerts: [] })).toBe("");
  expect(alertCounts({})).toBe("");
});

test("a rule that was never evaluated has the year 1", () => {
  expect(everEvaluated("0001-01-01T00:00:00Z")).toBe(false);
  expect(everEvaluated(undefined)).toBe(false);
  expect(everEvaluated("2026-11-29T19:00:00Z")).toBe(true);
});
