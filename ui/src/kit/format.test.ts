import { expect, test } from "vitest";
import { formatAgo, formatClock, formatClockMillis, formatCount, formatDuration, formatInstant, formatValue, plural, type Unit } from "./format";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

test.each<[number, Unit, string]>([
  [1.2, "seconds", "1.2 s"],
  [0.34, "seconds", "340 ms"],
  [0.0123, "seconds", "12.3 ms"],
  [12.3 * 1024 ** 2, "bytes", "12.3 MiB"],
  [99.95, "percent", "99.95 %"],
  [0.9995, "ratio", "99.95 %"],
  [99.9996, "percent", "99.9996 %"],
  [99.999999, "percent", "99.9999 %"],
  [100, "percent", "100 %"],
  [0.004, "percent", "<0.01 %"],
  [4100, "perSecond", "4.1 k/s"],
  [0.5, "perSecond", "0.5 /s"],
  [42, "perSecond", "42 /s"],
  [999.9, "count", "1 k"],
  [1500, "count", "1.5 k"],
  [0.25, "count", "0.25"],
  [0.0012, "count", "0.0012"],
  [0, "count", "0"],
  [-3, "count", "−3"],
  [NaN, "count", "–"],
  [Infinity, "count", "∞"],
  [2048, "bytesPerSecond", "2 KiB/s"],
])("%d as %s reads %s", (value, unit, text) => {
  expect(plain(formatValue(value, unit))).toBe(text);
});

test.each([
  [0, "0 s"],
  [0.0000005, "500 ns"],
  [0.0002, "200 µs"],
  [5.04, "5 s"],
  [59.99, "1 min"],
  [125, "2 min 5 s"],
  [3600, "1 h"],
  [3599.7, "1 h"],
  [11_040, "3 h 4 min"],
  [86_399, "1 d"],
  [270_000, "3 d 3 h"],
])("%d seconds read %s", (seconds, text) => {
  expect(plain(formatDuration(seconds))).toBe(text);
});

test("ages are coarse and say the direction", () => {
  const now = Date.parse("2026-11-22T12:00:00Z");
  const ago = (seconds: number) => plain(formatAgo(now - seconds * 1000, now));
  expect(ago(2)).toBe("just now");
  expect(ago(42)).toBe("42 s ago");
  expect(ago(239)).toBe("3 min ago");
  expect(ago(7300)).toBe("2 h ago");
  expect(ago(-80)).toBe("in 1 min");
  expect(ago(-7190)).toBe("in 2 h");
});

test("times are told in the zone asked for", () => {
  expect(formatClock("2026-11-22T14:03:07Z", "utc")).toBe("14:03:07");
  expect(formatClockMillis("2026-11-22T14:03:07.0421Z", "utc")).toBe("14:03:07.042");
  expect(formatClockMillis("2026-11-22T14:03:07Z", "utc", true)).toBe("22 Nov 14:03:07.000");
  expect(formatInstant("2026-11-22T14:03:07Z", "utc")).toBe("22 Nov 2026, 14:03:07 UTC");
});

test("counts are grouped and agree with their noun", () => {
  expect(formatCount(1234567)).toBe("1\u202f234\u202f567");
  expect(plain(plural(1, "line"))).toBe("1 line");
  expect(plain(plural(2, "reply", "replies"))).toBe("2 replies");
});
