import { expect, it } from "vitest";
import type { Shift } from "@/api/types";
import { laterSpans, rest, swappable, toCome, whole } from "./shifts";

const shift = (person: string, start: string, end: string): Shift => ({ person, start, end });

it("offers spans on the schedule's clock, and none that has begun", () => {
  // A Friday, two days before Paris goes to summer time.
  const noon = laterSpans(Date.parse("2026-03-27T12:00:00Z"), "Europe/Paris");
  expect(noon.map((s) => s.label)).toEqual(["Tonight, 18:00 to 9:00", "Tomorrow, 9:00 to 18:00", "Tomorrow night, 18:00 to 9:00", "The weekend"]);
  expect(noon[0]).toMatchObject({ start: "2026-03-27T17:00:00.000Z", end: "2026-03-28T08:00:00.000Z" });
  expect(noon[3]).toMatchObject({ start: "2026-03-27T23:00:00.000Z", end: "2026-03-29T22:00:00.000Z" });
  expect(laterSpans(Date.parse("2026-03-27T18:00:00Z"), "Europe/Paris").map((s) => s.label)).not.toContain("Tonight, 18:00 to 9:00");
});

it("means the next weekend on a Saturday", () => {
  const [weekend] = laterSpans(Date.parse("2026-03-28T12:00:00Z"), "UTC").slice(-1);
  expect(weekend).toEqual({ label: "Next weekend", start: "2026-04-04T00:00:00.000Z", end: "2026-04-06T00:00:00.000Z" });
});

it("gives away what is left of a shift, whole where a calendar cut it off", () => {
  const now = Date.parse("2026-03-02T12:00:00Z");
  const all = [
    shift("ada", "2026-03-01T09:00:00Z", "2026-03-08T09:00:00Z"),
    shift("grace", "2026-03-08T09:00:00Z", "2026-03-15T09:00:00Z"),
    shift("ada", "2026-03-15T09:00:00Z", "2026-03-22T09:00:00Z"),
    shift("linus", "2026-02-22T09:00:00Z", "2026-03-01T09:00:00Z"),
  ];
  const cut = shift("ada", "2026-03-02T00:00:00Z", "2026-03-05T00:00:00Z");
  expect(whole(cut, all)).toBe(all[0]);
  expect(rest(whole(cut, all), now)).toEqual({ start: "2026-03-02T12:00:00.000Z", end: "2026-03-08T09:00:00Z" });
  expect(swappable(whole(cut, all), all, now)).toEqual([all[1]]);
});

it("lists what is not over, however far ahead, the first to come first", () => {
  const far = shift("ada", "2031-05-01T08:00:00Z", "2031-05-02T08:00:00Z");
  const underWay = shift("linus", "2026-03-02T08:00:00Z", "2026-03-02T18:00:00Z");
  const over = shift("grace", "2026-03-01T08:00:00Z", "2026-03-02T12:00:00Z");
  expect(toCome([far, over, underWay], Date.parse("2026-03-02T12:00:00Z"))).toEqual([underWay, far]);
});
