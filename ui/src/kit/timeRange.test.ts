import { expect, test } from "vitest";
import {
  around,
  carryTime,
  defaultRange,
  drawnRange,
  durationText,
  parseDuration,
  parseTime,
  rangeProblem,
  readTimeState,
  resolveRange,
  stepFor,
  timeText,
  writeTimeState,
  type TimeState,
} from "./timeRange";

const now = Date.parse("2026-11-22T12:00:00Z");

test("durations are read and written", () => {
  expect(parseDuration("1d12h")).toBe(129_600_000);
  expect(parseDuration("250ms")).toBe(250);
  expect(parseDuration("1")).toBeUndefined();
  expect(parseDuration("")).toBeUndefined();
  for (const text of ["1d12h", "5m", "250ms", "1h30m", "0s"]) expect(durationText(parseDuration(text) ?? -1)).toBe(text);
});

test("times are relative or absolute", () => {
  expect(parseTime("now", now)).toBe(now);
  expect(parseTime("now-1h30m", now)).toBe(now - 5_400_000);
  expect(parseTime("2026-11-22T10:00:00Z", now)).toBe(now - 7_200_000);
  expect(parseTime("now+1h", now)).toBeUndefined();
  expect(parseTime("yesterday", now)).toBeUndefined();
});

test("a range that cannot be read says why and falls back to an hour", () => {
  expect(rangeProblem({ from: "now-1x", to: "now" }, now)).toContain("now-1x");
  expect(rangeProblem({ from: "now", to: "now-1h" }, now)).toContain("before");
  expect(rangeProblem(defaultRange, now)).toBeUndefined();
  expect(resolveRange({ from: "nonsense", to: "now" }, now)).toEqual({ from: now - 3_600_000, to: now });
});

test("the URL holds everything but defaults, and round-trips", () => {
  const states: TimeState[] = [
    { range: defaultRange, zone: "local", pausedAt: undefined },
    { range: { from: "now-7d", to: "now" }, zone: "utc", pausedAt: undefined },
    { range: { from: timeText(now - 1000), to: timeText(now) }, zone: "local", pausedAt: timeText(now) },
  ];
  for (const state of states) expect(readTimeState(writeTimeState(new URLSearchParams("tab=x"), state))).toEqual(state);
  expect(writeTimeState(new URLSearchParams("tab=x&from=now-5m"), { range: defaultRange, zone: "local" }).toString()).toBe("tab=x");
});

test("a range is drawn where there can be samples", () => {
  const minutesAgo = (m: number) => now - m * 60_000;
  const drawn = (range: { from: string; to: string }, since?: number) => {
    const { from, to } = drawnRange(range, now, since);
    return [(now - from) / 60_000, (now - to) / 60_000];
  };
  expect(drawn(defaultRange)).toEqual([60, 0]);
  expect(drawn(defaultRange, minutesAgo(90))).toEqual([60, 0]);
  expect(drawn(defaultRange, minutesAgo(2))).toEqual([2, 0]);
  expect(drawn(defaultRange, minutesAgo(0.1))).toEqual([1, 0]);
  expect(drawn({ from: timeText(minutesAgo(10)), to: timeText(minutesAgo(-5)) }, minutesAgo(7))).toEqual([7, 0]);
  expect(drawn({ from: timeText(minutesAgo(10)), to: timeText(minutesAgo(5)) }, minutesAgo(3))).toEqual([10, 5]);
});

test("links take the range along unless they bring their own", () => {
  const here = new URLSearchParams("from=now-3h&to=now&tz=utc&tab=log");
  expect(carryTime("/services/a", here)).toBe("/services/a?from=now-3h&to=now&tz=utc");
  expect(carryTime("/services/a?tab=x#graph", here)).toBe("/services/a?tab=x&from=now-3h&to=now&tz=utc#graph");
  expect(carryTime("/a?from=now-5m&to=now", here)).toBe("/a?from=now-5m&to=now&tz=utc");
  expect(carryTime("/a", new URLSearchParams())).toBe("/a");
});

test("around an incident leaves room on both sides, and stays live while it is open", () => {
  expect(around("2026-11-22T11:00:00Z", "2026-11-22T12:00:00Z")).toEqual({ from: "2026-11-22T10:30:00Z", to: "2026-11-22T12:30:00Z" });
  expect(around("2026-11-22T11:00:00Z")).toEqual({ from: "2026-11-22T10:50:00Z", to: "now" });
});

test("steps are round and give about the points asked for", () => {
  const hours = (h: number) => ({ from: now - h * 3_600_000, to: now });
  expect(stepFor(hours(1))).toBe(15);
  expect(stepFor(hours(24))).toBe(600);
  expect(stepFor(hours(24 * 30))).toBe(14_400);
  expect(stepFor(hours(0.01))).toBe(1);
});
