import { expect, test } from "vitest";
import { tickDistances, tickLabels, timeLabels } from "./axis";
import type { Unit } from "./format";

test.each<[number[], Unit, string[]]>([
  [[0, 0.05, 0.1], "seconds", ["0 ms", "50 ms", "100 ms"]],
  [[0, 0.5, 1, 1.5], "seconds", ["0.0 s", "0.5 s", "1.0 s", "1.5 s"]],
  [[0, 60, 120], "seconds", ["0 s", "1 min", "2 min"]],
  [[0, 0.0025, 0.005], "seconds", ["0.0 ms", "2.5 ms", "5.0 ms"]],
  [[0, 2000, 4000], "perSecond", ["0 k/s", "2 k/s", "4 k/s"]],
  [[0, 25, 50], "perSecond", ["0 /s", "25 /s", "50 /s"]],
  [[0, 250, 500, 750, 1000], "count", ["0.00 k", "0.25 k", "0.50 k", "0.75 k", "1.00 k"]],
  [[0, 2.5, 5], "percent", ["0.0 %", "2.5 %", "5.0 %"]],
  [[0.995, 0.9975, 1], "ratio", ["99.50 %", "99.75 %", "100.00 %"]],
  [[0, 2 ** 20, 2 ** 21], "bytes", ["0 B", "1 MiB", "2 MiB"]],
  [[-1, 0, 1], "count", ["−1", "0", "1"]],
])("ticks %j in %s", (ticks, unit, labels) => {
  expect(tickLabels(ticks, unit).map((l) => l.replaceAll("\u00a0", " "))).toEqual(labels);
});

test("distances between ticks grow", () => {
  for (const unit of ["count", "seconds", "bytes", "percent"] as Unit[]) {
    const distances = tickDistances(unit);
    expect(distances).toEqual([...distances].sort((a, b) => a - b));
  }
});

test("a time axis shows the day where it begins", () => {
  const at = (text: string) => Date.parse(text) / 1000;
  expect(timeLabels([at("2026-11-22T22:00:00Z"), at("2026-11-23T00:00:00Z")], 7200, "utc")).toEqual(["22:00", "23 Nov"]);
  expect(timeLabels([at("2026-11-22T22:00:15Z")], 15, "utc")).toEqual(["22:00:15"]);
  expect(timeLabels([at("2026-11-22T00:00:00Z")], 86_400, "utc")).toEqual(["22 Nov"]);
});
