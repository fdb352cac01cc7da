// Numbers, durations and times as people read them. Number and unit are joined by a no-break space.

import { parseDuration, type Zone } from "./timeRange";

export type Unit = "count" | "perSecond" | "seconds" | "bytes" | "bytesPerSecond" | "percent" | "ratio";

const gap = "\u00a0";
const minus = "\u2212";

function digits(value: number, places: number): string {
  const text = value.toFixed(places);
  return places > 0 ? text.replace(/\.?0+$/, "") : text;
}

/** Up to three significant digits, never more than `places` after the point. */
function short(value: number, places = 2): string {
  const size = Math.abs(value);
  if (size >= 100) return digits(value, 0);
  if (size >= 10) return digits(value, Math.min(1, places));
  return digits(value, places);
}

function scaled(value: number, base: number, names: string[]): [string, string] {
  let index = 0;
  let rest = value;
  while (Math.abs(rest) >= base * 0.9995 && index < names.length - 1) {
    rest /= base;
    index++;
  }
  return [short(rest), names[index] ?? ""];
}

const join = (number: string, unit: string) => (unit ? number + gap + unit : number);

function tiny(value: number): string {
  return value !== 0 && Math.abs(value) < 0.005 ? value.toPrecision(2) : short(value);
}

/** A span of time, two parts at most: 340 ms, 1.2 s, 2 min 5 s, 3 d 4 h. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 0) return minus + formatDuration(-seconds);
  if (seconds === 0) return join("0", "s");
  if (seconds < 1e-6) return join(short(seconds * 1e9), "ns");
  if (seconds < 0.9995e-3) return join(short(seconds * 1e6), "µs");
  if (seconds < 0.9995) return join(short(seconds * 1e3), "ms");
  if (seconds < 59.95) return join(seconds < 10 ? digits(seconds, 1) : digits(seconds, 0), "s");
  const parts: [number, string][] = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  // 59 min 59 s is written to the minute, so it counts as an hour already.
  const first = parts.findIndex(([size], i) => {
    const smaller = parts[i + 1]?.[0] ?? 1;
    return Math.round(seconds / smaller) * smaller >= size;
  });
  const [size, name] = parts[first] ?? [1, "s"];
  const [subSize, subName] = parts[first + 1] ?? [1, ""];
  const whole = Math.round(seconds / subSize) * subSize;
  const major = Math.floor(whole / size);
  const minor = Math.round((whole - major * size) / subSize);
  const head = join(String(major), name);
  return minor > 0 && subName ? `${head}${gap}${join(String(minor), subName)}` : head;
}

/** A value in its unit: 1.2 s, 340 ms, 12.3 MiB, 99.95 %, 4.1 k/s. */
export function formatValue(value: number | null | undefined, unit: Unit = "count"): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${minus}∞`;
  if (value < 0) return minus + formatValue(-value, unit);
  switch (unit) {
    case "seconds":
      return formatDuration(value);
    case "bytes":
      return join(...scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]));
    case "bytesPerSecond":
      return `${join(...scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]))}/s`;
    case "ratio":
      return formatValue(value * 100, "percent");
    case "percent":
      return join(formatPercent(value), "%");
    case "perSecond": {
      const [number, prefix] = scaled(value, 1000, ["", "k", "M", "G"]);
      return value < 1 ? join(tiny(value), "/s") : `${join(number, prefix)}${prefix ? "" : gap}/s`;
    }
    case "count": {
      if (value !== 0 && value < 1) return tiny(value);
      return join(...scaled(value, 1000, ["", "k", "M", "G", "T"]));
    }
  }
}

/** Keeps the nines that matter near 100 and does not round 99.996 up to 100. */
function formatPercent(value: number): string {
  if (value >= 100 || value === 0) return short(value);
  if (value > 99) {
    const places = value > 99.99 ? 4 : value > 99.9 ? 3 : 2;
    return digits(Math.floor(value * 10 ** places + 1e-9) / 10 ** places, places);
  }
  return value < 0.01 ? "<0.01" : short(value);
}

/** A window of time as PromQL and objectives write it, in words: 30d is "30 d". */
export function windowWords(text: string): string {
  const ms = parseDuration(text);
  return ms === undefined ? text : formatDuration(ms / 1000);
}

/** A whole number with thin groups: 12 345. */
export function formatCount(value: number): string {
  return value.toLocaleString("en-US").replaceAll(",", "\u202f");
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)}${gap}${count === 1 ? one : many}`;
}

/** How long ago (or until when): "just now", "4 min ago", "in 30 s". */
export function formatAgo(time: string | number | Date, now: number): string {
  const seconds = (now - new Date(time).getTime()) / 1000;
  const size = Math.abs(seconds);
  if (size < 5) return seconds >= 0 ? "just now" : "in a moment";
  const text = formatDuration(coarse(seconds < 0 ? size + toCome(size) : size));
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

/** What is to come is told to the nearest, what is past as what is over: a silence for two hours ends in 2 h, not in 1 h. */
const toCome = (seconds: number) => (seconds >= 86_400 ? 43_200 : seconds >= 3_600 ? 1_800 : seconds >= 60 ? 30 : 0);

/** One part is enough for an age: whole minutes, hours, days. */
function coarse(seconds: number): number {
  for (const size of [86_400, 3_600, 60]) if (seconds >= size) return Math.floor(seconds / size) * size;
  return Math.floor(seconds);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(zone: Zone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", { ...options, hourCycle: "h23", timeZone: zone === "utc" ? "UTC" : undefined });
    formats.set(key, format);
  }
  return format;
}

/** 14:03:07 */
export function formatClock(time: string | number | Date, zone: Zone): string {
  return dateFormat(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(time));
}

/** 14:03:07.042, or 22 Nov 14:03:07.042 among other days: lines of one second have an order. */
export function formatClockMillis(time: string | number | Date, zone: Zone, withDay = false): string {
  const clock = dateFormat(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 }).format(new Date(time));
  return withDay ? `${formatDay(time, zone)} ${clock}` : clock;
}

/** 22 Nov 2026, 14:03:07 UTC */
export function formatInstant(time: string | number | Date, zone: Zone): string {
  return dateFormat(zone, {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "short",
  }).format(new Date(time));
}

/** The zone's short name: CET, UTC. */
export function zoneName(zone: Zone, at: number): string {
  const parts = dateFormat(zone, { hour: "2-digit", timeZoneName: "short" }).formatToParts(new Date(at));
  return parts.find((part) => part.type === "timeZoneName")?.value ?? "";
}

/** 14:03, within a day that is known. */
export function formatMinute(time: string | number | Date, zone: Zone): string {
  return dateFormat(zone, { hour: "2-digit", minute: "2-digit" }).format(new Date(time));
}

/** 22 Nov */
export function formatDay(time: string | number | Date, zone: Zone): string {
  return dateFormat(zone, { day: "numeric", month: "short" }).format(new Date(time));
}

/** 22 Nov 14:03, for ranges and axes that span days. */
export function formatMoment(time: string | number | Date, zone: Zone): string {
  return dateFormat(zone, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" })
    .format(new Date(time))
    .replace(",", "");
}
