// A schedule while it is edited, in the words of its fields, and the way from and to the API.

import type { LayerBody, Restriction, ScheduleBody } from "@/api/catalog";
import type { Schedule } from "@/api/types";
import { instantOf, wallOf } from "@/kit/wallClock";

export type Unit = LayerBody["rotation"]["unit"];

/** When a layer counts: some days of the week (none: every day), from a time of day on, for some hours. */
export interface Hours {
  key: number;
  days: number[];
  from: string;
  hours: number;
}

export interface LayerDraft {
  key: number;
  id?: string;
  name: string;
  timeZone?: string;
  members: string[];
  every: number;
  unit: Unit;
  /** Any handoff, on the wall clock of the layer. */
  handoff: string;
  hours: Hours[];
  from?: string;
  until?: string;
}

export interface ScheduleDraft {
  name: string;
  description: string;
  team: string;
  timeZone: string;
  /** The strongest first, as they are read; the API has them the other way round. */
  layers: LayerDraft[];
}

let keys = 0;
/** Tells the rows of a list apart while they move. */
export const newKey = () => ++keys;

export function newLayer(members: string[], now: number, zone: string): LayerDraft {
  return { key: newKey(), name: "", members, every: 1, unit: "week", handoff: nextMonday(now, zone), hours: [] };
}

/** The Monday of this week at nine. */
function nextMonday(now: number, zone: string): string {
  const today = wallOf(now, zone).slice(0, 10);
  const weekday = (new Date(`${today}T00:00Z`).getUTCDay() + 6) % 7;
  return `${new Date(Date.parse(`${today}T00:00Z`) - weekday * 86_400_000).toISOString().slice(0, 10)}T09:00`;
}

export function emptySchedule(zone: string): ScheduleDraft {
  return { name: "", description: "", team: "", timeZone: zone, layers: [] };
}

/** The layers that still count; those that are over are history, which no edit touches. */
export function draftOf(schedule: Schedule, now: number): ScheduleDraft {
  const layers = schedule.layers
    .filter((l) => !l.until || Date.parse(l.until) > now)
    .map(
      (l): LayerDraft => ({
        key: newKey(),
        id: l.id,
        name: l.name ?? "",
        timeZone: l.timeZone,
        members: l.members,
        every: l.rotation.every,
        unit: l.rotation.unit,
        handoff: wallOf(l.anchor, l.timeZone ?? schedule.timeZone),
        hours: hoursOf(l.restrictions ?? []),
        from: l.from,
        until: l.until,
      }),
    )
    .reverse();
  const { name, description = "", team = "", timeZone } = schedule;
  return { name, description, team, timeZone, layers };
}

/** The body that saves a draft; undefined while something of it is no time yet. */
export function bodyOf(draft: ScheduleDraft): ScheduleBody | undefined {
  const layers: LayerBody[] = [];
  for (const l of draft.layers.toReversed()) {
    const anchor = instantOf(l.handoff, l.timeZone ?? draft.timeZone);
    if (!anchor) return undefined;
    layers.push({
      id: l.id,
      name: l.name || undefined,
      timeZone: l.timeZone,
      members: l.members,
      rotation: { every: l.every, unit: l.unit },
      anchor,
      restrictions: restrictionsOf(l.hours),
      from: l.from,
      until: l.until,
    });
  }
  return {
    name: draft.name.trim(),
    description: draft.description.trim() || undefined,
    team: draft.team || undefined,
    timeZone: draft.timeZone,
    layers,
  };
}

const clock = (seconds: number) =>
  `${String(Math.floor(seconds / 3600)).padStart(2, "0")}:${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")}`;

const seconds = (time: string) => {
  const [hour = 0, minute = 0] = time.split(":").map(Number);
  return hour * 3600 + minute * 60;
};

/** Restrictions of one time and length on several days are one row. */
export function hoursOf(restrictions: Restriction[]): Hours[] {
  const rows: Hours[] = [];
  for (const r of restrictions) {
    const from = clock(r.start);
    const hours = r.duration / 3600;
    const row = r.weekly ? rows.find((h) => h.days.length > 0 && h.from === from && h.hours === hours) : undefined;
    if (row) row.days.push(r.weekday ?? 0);
    else rows.push({ key: newKey(), days: r.weekly ? [r.weekday ?? 0] : [], from, hours });
  }
  return rows;
}

export function restrictionsOf(rows: Hours[]): Restriction[] | undefined {
  const list = rows.flatMap(({ days, from, hours }): Restriction[] => {
    const window = { start: seconds(from), duration: Math.round(hours * 3600) };
    return days.length === 0 ? [window] : days.map((weekday) => ({ weekly: true, weekday, ...window }));
  });
  return list.length > 0 ? list : undefined;
}

/** When a window that opens at `from` closes: "until 08:00 the day after". */
export function closes({ from, hours }: Hours): string {
  const end = seconds(from) + Math.round(hours * 3600);
  const days = Math.floor(end / 86_400);
  const after = days === 0 ? "" : days === 1 ? " the day after" : ` ${days} days later`;
  return `until ${clock(end % 86_400)}${after}`;
}
