import { expect, test } from "vitest";
import type { Schedule } from "@/api/types";
import { bodyOf, closes, draftOf, hoursOf, newLayer, restrictionsOf } from "./scheduleDraft";

const now = Date.parse("2026-03-04T12:00:00Z");

const schedule: Schedule = {
  id: "s1",
  name: "primary",
  timeZone: "Europe/Paris",
  team: "web",
  layers: [
    {
      id: "over",
      name: "weekly",
      members: ["zed"],
      rotation: { every: 1, unit: "week" },
      anchor: "2026-01-05T08:00:00Z",
      until: "2026-02-01T00:00:00Z",
    },
    { id: "low", name: "weekly", members: ["ada", "linus"], rotation: { every: 1, unit: "week" }, anchor: "2026-01-05T08:00:00.000Z" },
    {
      id: "high",
      name: "nights",
      members: ["mina"],
      rotation: { every: 12, unit: "hour" },
      anchor: "2026-07-05T07:00:00.000Z",
      restrictions: [
        { weekly: true, weekday: 1, start: 72_000, duration: 43_200 },
        { weekly: true, weekday: 2, start: 72_000, duration: 43_200 },
        { start: 0, duration: 3_600 },
      ],
      until: "2026-12-01T00:00:00Z",
    },
  ],
};

test("a draft shows the strongest layer first and leaves out what is over", () => {
  const draft = draftOf(schedule, now);
  expect(draft.layers.map((l) => l.name)).toEqual(["nights", "weekly"]);
  expect(draft.layers.map((l) => l.handoff)).toEqual(["2026-07-05T09:00", "2026-01-05T09:00"]);
});

test("a draft that nobody touched saves what was there", () => {
  const body = bodyOf(draftOf(schedule, now));
  expect(body?.layers.map((l) => l.id)).toEqual(["low", "high"]);
  expect(body?.layers[1]).toMatchObject({ anchor: schedule.layers[2]?.anchor, restrictions: schedule.layers[2]?.restrictions, until: "2026-12-01T00:00:00Z" });
  expect(body?.layers[0]?.restrictions).toBeUndefined();
});

test("a handoff that is no time saves nothing", () => {
  const draft = draftOf(schedule, now);
  expect(bodyOf({ ...draft, layers: [{ ...newLayer(["ada"], now, "UTC"), handoff: "" }] })).toBeUndefined();
});

test("a new layer changes hands on Mondays at nine, where the schedule is", () => {
  expect(newLayer([], now, "Europe/Paris").handoff).toBe("2026-03-02T09:00");
  expect(newLayer([], Date.parse("2026-03-01T23:30:00Z"), "Europe/Paris").handoff).toBe("2026-03-02T09:00");
});

test("windows of one time on several days are one row, and come apart again", () => {
  const restrictions = schedule.layers[2]?.restrictions ?? [];
  const rows = hoursOf(restrictions);
  expect(rows.map(({ days, from, hours }) => ({ days, from, hours }))).toEqual([
    { days: [1, 2], from: "20:00", hours: 12 },
    { days: [], from: "00:00", hours: 1 },
  ]);
  expect(restrictionsOf(rows)).toEqual(restrictions);
});

test("when a window closes", () => {
  expect(closes({ key: 1, days: [], from: "09:00", hours: 8 })).toBe("until 17:00");
  expect(closes({ key: 1, days: [], from: "20:00", hours: 12 })).toBe("until 08:00 the day after");
  expect(closes({ key: 1, days: [5], from: "17:00", hours: 64 })).toBe("until 09:00 3 days later");
});
