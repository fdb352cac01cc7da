import type { Shift } from "@/api/types";
import { formatMoment } from "@/kit/format";
import type { Zone } from "@/kit/timeRange";
import { instantOf, wallOf } from "@/kit/wallClock";

export interface Span {
  start: string;
  end: string;
}

export const wordsOf = (shift: Span & { person: string }, zone: Zone) => `${shift.person}, ${formatMoment(shift.start, zone)} to ${formatMoment(shift.end, zone)}`;

/** What of a shift can still be given away: what was cannot be changed. */
export function rest(shift: Span, now: number): Span {
  return { start: Date.parse(shift.start) < now ? new Date(now).toISOString() : shift.start, end: shift.end };
}

/** The shift as it is, of one that a calendar cut off at its edges. */
export function whole(shift: Shift, all: Shift[]): Shift {
  const found = all.find((s) => s.person === shift.person && Date.parse(s.start) <= Date.parse(shift.start) && Date.parse(s.end) >= Date.parse(shift.end));
  return found ?? shift;
}

/** What is not over, the first to come first. */
export const toCome = <S extends Span>(all: S[], now: number): S[] =>
  all.filter((s) => Date.parse(s.end) > now).toSorted((a, b) => Date.parse(a.start) - Date.parse(b.start));

/** The shifts of others that somebody could take for theirs. */
export function swappable(shift: Shift, all: Shift[], now: number): Shift[] {
  const apart = (s: Shift) => Date.parse(s.end) <= Date.parse(shift.start) || Date.parse(s.start) >= Date.parse(shift.end);
  return all.filter((s) => s.person !== shift.person && Date.parse(s.end) > now && apart(s));
}

const day = 86_400_000;

/** Spans to come that people ask for, on the clock of a schedule. */
export function laterSpans(now: number, zone: string): (Span & { label: string })[] {
  const today = Date.parse(`${wallOf(now, zone).slice(0, 10)}T00:00Z`);
  const at = (days: number, hour: number) => instantOf(new Date(today + days * day + hour * 3_600_000).toISOString().slice(0, 16), zone) ?? "";
  const weekday = new Date(today).getUTCDay();
  const saturday = (6 - weekday + 7) % 7 || 7; // on a Saturday it is the next one
  const list = [
    { label: "Tonight, 18:00 to 9:00", start: at(0, 18), end: at(1, 9) },
    { label: "Tomorrow, 9:00 to 18:00", start: at(1, 9), end: at(1, 18) },
    { label: "Tomorrow night, 18:00 to 9:00", start: at(1, 18), end: at(2, 9) },
    { label: weekday === 6 ? "Next weekend" : "The weekend", start: at(saturday, 0), end: at(saturday + 2, 0) },
  ];
  return list.filter((s) => Date.parse(s.start) > now);
}
