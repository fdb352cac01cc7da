import { expect, test } from "vitest";
import { breakerRateExpr, breakersExpr, breakersOf, breakerState } from "./breakers";

test("a value of the gauge is a state", () => {
  expect([0, 0.5, 1].map((v) => breakerState(v).state)).toEqual(["closed", "half-open", "open"]);
});

test("the worst breaker stands first, by its last value", () => {
  const series = (name: string, ...values: number[]) => ({ metric: { name }, values: values.map((v, i): [number, string] => [i, String(v)]) });
  const range = { from: 0, to: 2, step: 1, warnings: [], infos: [] };
  const all = breakersOf({ ...range, series: [series("catalog", 1, 0), series("payments", 0, 1), series("database", 0, 0.5)] });
  expect(all.map((b) => `${b.name} ${b.state}`)).toEqual(["payments open", "database half-open", "catalog closed"]);
});

test("names are quoted", () => {
  expect(breakersExpr('a"b')).toBe('max by (name) (stability_breaker_open{service="a\\"b"})');
  expect(breakerRateExpr("a", "rejected", "p")).toContain('name="p",decision="rejected"');
});
