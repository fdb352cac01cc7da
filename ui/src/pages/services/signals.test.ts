import { expect, test } from "vitest";
import { goldenSignals, overOf, titleOf } from "./signals";

test("a signal says over which interval its values are taken", () => {
  const [traffic, errors] = goldenSignals({ signals: { traffic: "sum(rate(a[1m]))", errors: "sum(rate(b[1m]))", latencyP99: "c" } });
  expect([traffic, errors].map((s) => s && titleOf(s))).toEqual(["Traffic, over 1\u00a0min", "Errors, over 1\u00a0min"]);
});

test("without a window, or with several, no interval is named", () => {
  expect(["c", "rate(a[1m]) / rate(a[5m])", "rate(a[ 5m ])"].map(overOf)).toEqual([undefined, undefined, "5\u00a0min"]);
});
