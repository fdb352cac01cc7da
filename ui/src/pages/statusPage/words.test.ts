import { expect, test } from "vitest";
import { componentState, nextState, uptime } from "./words";

test("an outage of a minute in ninety days is seen", () => {
  expect(uptime(100)).toBe("100.00\u00a0%");
  expect(uptime(99.9992)).toBe("99.99\u00a0%");
  expect(uptime(0)).toBe("0.00\u00a0%");
});

test("what is usually said next", () => {
  expect(nextState("investigating")).toBe("identified");
  expect(nextState("resolved")).toBe("resolved");
});

test("every state has a word and a tone", () => {
  expect(componentState("partial_outage")).toEqual({ words: "partial outage", tone: "critical" });
  expect(componentState("under_maintenance").tone).toBe("info");
});
