import { expect, test } from "vitest";
import { instantOf, isZone, wallOf } from "./wallClock";

test("a wall-clock time and the instant it means", () => {
  for (const [wall, zone, instant] of [
    ["2026-01-05T09:00", "Europe/Paris", "2026-01-05T08:00:00.000Z"],
    ["2026-07-05T09:00", "Europe/Paris", "2026-07-05T07:00:00.000Z"],
    ["2026-07-05T09:00", "UTC", "2026-07-05T09:00:00.000Z"],
    ["2026-01-05T00:30", "Asia/Kolkata", "2026-01-04T19:00:00.000Z"],
    ["2026-10-04T12:00", "Australia/Lord_Howe", "2026-10-04T01:00:00.000Z"],
  ] as const) {
    expect(instantOf(wall, zone)).toBe(instant);
    expect(wallOf(instant, zone)).toBe(wall);
  }
});

test("a time that comes twice is the first of the two, one that is skipped lies after the gap", () => {
  expect(instantOf("2026-10-25T02:30", "Europe/Paris")).toBe("2026-10-25T00:30:00.000Z");
  expect(instantOf("2026-03-08T02:30", "America/Chicago")).toBe("2026-03-08T08:30:00.000Z");
  expect(wallOf("2026-03-08T08:30:00Z", "America/Chicago")).toBe("2026-03-08T03:30");
});

test("what is no time and no zone", () => {
  expect(instantOf("", "UTC")).toBeUndefined();
  expect(instantOf("2026-01-05T09:00", "Mars")).toBeUndefined();
  expect(isZone("Europe/Paris")).toBe(true);
  expect(isZone("")).toBe(false);
});
