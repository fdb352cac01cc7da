import { formatDuration, formatValue, type Unit } from "./format";
import type { Zone } from "./timeRange";

const decimal = Array.from({ length: 22 }, (_, i) => [1, 2, 2.5, 5].map((m) => Number(`${m}e${i - 9}`))).flat();
const binary = Array.from({ length: 52 }, (_, i) => 2 ** i);
const time = [
  ...decimal.filter((d) => d < 10),
  ...[10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800],
];

/** Distances between ticks that read well in the unit. */
export function tickDistances(unit: Unit): number[] {
  if (unit === "bytes" || unit === "bytesPerSecond") return binary;
  if (unit === "seconds") return time;
  return decimal;
}

/** Labels of a value axis: every tick in the same scale, with as many places as their distance needs. */
export function tickLabels(ticks: number[], unit: Unit): string[] {
  const largest = Math.max(...ticks.map(Math.abs));
  const distance = Math.abs((ticks[1] ?? largest) - (ticks[0] ?? 0)) || 1;
  if (unit === "ratio") return tickLabels(ticks.map((t) => t * 100), "percent");
  if (unit === "seconds") {
    if (largest >= 60) return ticks.map((t) => formatDuration(t));
    const [scale, name] = largest >= 1 ? [1, "s"] : largest >= 1e-3 ? [1e3, "ms"] : [1e6, "µs"];
    return ticks.map((t) => fixed(t * scale, distance * scale, name));
  }
  if (unit === "bytes" || unit === "bytesPerSecond") return ticks.map((t) => formatValue(t, unit));
  const suffix = unit === "percent" ? "%" : unit === "perSecond" ? "/s" : "";
  const power = unit === "percent" ? 0 : Math.max(0, Math.min(4, Math.floor(Math.log10(largest || 1) / 3)));
  const scale = 1000 ** power;
  return ticks.map((t) => fixed(t / scale, distance / scale, `${["", "k", "M", "G", "T"][power] ?? ""}${suffix}`));
}

function fixed(value: number, distance: number, unit: string): string {
  const places = Math.max(0, Math.min(6, -Math.floor(Math.log10(distance) + 1e-9)));
  // A distance of 2.5 needs one place more than its power of ten says.
  const needed = Math.abs(distance * 10 ** places - Math.round(distance * 10 ** places)) > 1e-6 ? places + 1 : places;
  const number = value.toFixed(needed).replace("-", "\u2212");
  return unit ? `${number}\u00a0${unit}` : number;
}

/** Labels of a time axis: the time of day, with the date where a day begins (and at the first tick of a range of days). */
export function timeLabels(ticks: number[], distance: number, zone: Zone): string[] {
  const options: Intl.DateTimeFormatOptions = { hourCycle: "h23", timeZone: zone === "utc" ? "UTC" : undefined };
  const clock = new Intl.DateTimeFormat("en-GB", {
    ...options,
    hour: "2-digit",
    minute: "2-digit",
    ...(distance < 60 ? { second: "2-digit" as const } : {}),
  });
  const day = new Intl.DateTimeFormat("en-GB", { ...options, day: "numeric", month: "short" });
  return ticks.map((tick) => {
    const date = new Date(tick * 1000);
    const text = clock.format(date);
    if (distance >= 86_400) return day.format(date);
    return /^00:00(?::00)?$/.test(text) ? day.format(date) : text;
  });
}
