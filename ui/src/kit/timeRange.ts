// The time range everyone shares: as text in the URL, as instants when asked.

/** An instant as written in the URL: "now", "now-1h30m", or RFC 3339. */
export type TimeText = string;

export interface TimeRange {
  from: TimeText;
  to: TimeText;
}

export const defaultRange: TimeRange = { from: "now-1h", to: "now" };

export const presets: { label: string; from: TimeText }[] = [
  { label: "Last 5 minutes", from: "now-5m" },
  { label: "Last 15 minutes", from: "now-15m" },
  { label: "Last 1 hour", from: "now-1h" },
  { label: "Last 3 hours", from: "now-3h" },
  { label: "Last 12 hours", from: "now-12h" },
  { label: "Last 24 hours", from: "now-1d" },
  { label: "Last 7 days", from: "now-7d" },
  { label: "Last 30 days", from: "now-30d" },
];

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 };
const term = /(\d+)(ms|[smhdwy])/g;

/** Milliseconds of a Prometheus-style duration such as 1d12h; undefined if it is not one. */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:ms|[smhdwy]))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(term)) total += Number(count) * unitMs[unit as keyof typeof unitMs];
  return total;
}

/** The shortest Prometheus-style duration of a whole number of milliseconds. */
export function durationText(ms: number): string {
  if (ms <= 0) return "0s";
  let rest = Math.round(ms);
  let text = "";
  for (const unit of ["d", "h", "m", "s", "ms"] as const) {
    const count = Math.floor(rest / unitMs[unit]);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs[unit];
  }
  return text;
}

/** Unix milliseconds of a TimeText; undefined if it cannot be read. */
export function parseTime(text: TimeText, now: number): number | undefined {
  const trimmed = text.trim();
  if (trimmed === "now") return now;
  const relative = /^now-(.+)$/.exec(trimmed);
  if (relative) {
    const ago = parseDuration(relative[1] ?? "");
    return ago === undefined ? undefined : now - ago;
  }
  if (!/^\d{4}-\d{2}-\d{2}/.test(trimmed)) return undefined;
  const at = Date.parse(trimmed);
  return Number.isNaN(at) ? undefined : at;
}

export const isRelative = (range: TimeRange) => range.to.trim().startsWith("now");

/** The instants of a range; the default range where it cannot be read or is empty. */
export function resolveRange(range: TimeRange, now: number): { from: number; to: number } {
  const from = parseTime(range.from, now);
  const to = parseTime(range.to, now);
  if (from === undefined || to === undefined || from >= to) return { from: now - 3_600_000, to: now };
  return { from, to };
}

/** Shorter than this no range is drawn, however young the data. */
const shortest = 60_000;

/** The part of a range that can hold samples: from the oldest one (a server two minutes old has no use for an hour's width) until now. */
export function drawnRange(range: TimeRange, now: number, since?: number): { from: number; to: number } {
  const whole = resolveRange(range, now);
  const to = Math.max(Math.min(whole.to, now), whole.from + shortest);
  if (since === undefined || since >= to) return { from: whole.from, to };
  return { from: Math.max(whole.from, Math.min(since, to - shortest)), to };
}

export function rangeProblem(range: TimeRange, now: number): string | undefined {
  const from = parseTime(range.from, now);
  const to = parseTime(range.to, now);
  if (from === undefined) return `“${range.from}” is not a time. Write now-3h or 2026-01-31 14:00.`;
  if (to === undefined) return `“${range.to}” is not a time. Write now or 2026-01-31 14:00.`;
  if (from >= to) return "The start must be before the end.";
  return undefined;
}

/** RFC 3339 without a fraction, in UTC: how an absolute time stands in the URL. */
export const timeText = (ms: number): TimeText => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

/** The range to look at around something that began at `from` and may have ended at `to`. */
export function around(from: string, to?: string): TimeRange {
  const start = Date.parse(from);
  const end = to ? Date.parse(to) : undefined;
  const margin = Math.max(10 * 60_000, ((end ?? start) - start) / 2);
  return { from: timeText(start - margin), to: end === undefined ? "now" : timeText(end + margin) };
}

const niceSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];

/** Seconds between points so that about `points` of them fill the range. */
export function stepFor(range: { from: number; to: number }, points = 240): number {
  const wanted = (range.to - range.from) / 1000 / points;
  return niceSteps.find((step) => step >= wanted) ?? 86_400 * Math.ceil(wanted / 86_400);
}

export type Zone = "local" | "utc";

export interface TimeState {
  range: TimeRange;
  zone: Zone;
  /** When the reader paused live updates; "now" means this instant. */
  pausedAt?: string;
}

export function readTimeState(params: URLSearchParams): TimeState {
  return {
    range: { from: params.get("from") ?? defaultRange.from, to: params.get("to") ?? defaultRange.to },
    zone: params.get("tz") === "utc" ? "utc" : "local",
    pausedAt: params.get("paused") ?? undefined,
  };
}

/** Writes the state into `params`, leaving defaults out. */
export function writeTimeState(params: URLSearchParams, state: TimeState): URLSearchParams {
  const next = new URLSearchParams(params);
  const put = (key: string, value: string | undefined) => (value === undefined ? next.delete(key) : next.set(key, value));
  const plain = state.range.from === defaultRange.from && state.range.to === defaultRange.to;
  put("from", plain ? undefined : state.range.from);
  put("to", plain ? undefined : state.range.to);
  put("tz", state.zone === "utc" ? "utc" : undefined);
  put("paused", state.pausedAt);
  return next;
}

/** `path` with the time parameters of `params` added, unless it brings its own. */
export function carryTime(path: string, params: URLSearchParams): string {
  const [withoutHash = "", hash] = path.split("#", 2);
  const [pathname = "", query = ""] = withoutHash.split("?", 2);
  const own = new URLSearchParams(query);
  const result = own.has("from") || own.has("to") ? own : writeTimeState(own, readTimeState(params));
  if (own.has("from") && params.get("tz") === "utc") result.set("tz", "utc");
  const text = result.toString();
  return pathname + (text ? `?${text}` : "") + (hash ? `#${hash}` : "");
}
