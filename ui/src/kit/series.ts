import type { Labels, MatrixSeries } from "@/api/prometheus";
import type { Unit } from "./format";

/** One line of a graph: values on the graph's times, null where there is none. */
export interface Series {
  label: string;
  values: (number | null)[];
  /** Set on the line that stands for those over the limit. */
  others?: number;
}

/** The instants from `from` to `to`, both included, `step` apart; in seconds. */
export function timeGrid(from: number, to: number, step: number): number[] {
  const count = Math.max(1, Math.round((to - from) / step) + 1);
  return Array.from({ length: count }, (_, i) => from + i * step);
}

export function onGrid(values: [number, string][], from: number, step: number, count: number): (number | null)[] {
  const row = new Array<number | null>(count).fill(null);
  for (const [time, text] of values) {
    const index = Math.round((time - from) / step);
    const value = Number(text.replace("Inf", "Infinity"));
    if (index >= 0 && index < count && Number.isFinite(value)) row[index] = value;
  }
  return row;
}

/** Labels but the name of the metric as PromQL writes them, sorted: job="shop". */
export function labelPairs(labels: Labels): string[] {
  return Object.keys(labels)
    .filter((key) => key !== "__name__")
    .sort()
    .map((key) => `${key}=${JSON.stringify(labels[key])}`);
}

/** A label set as PromQL writes it: up{job="shop"}. */
export function seriesName(labels: Labels): string {
  const { __name__: name = "" } = labels;
  const pairs = labelPairs(labels);
  return pairs.length > 0 || !name ? `${name}{${pairs.join(", ")}}` : name;
}

/** Short names that tell the series of one graph apart: only the labels in which they differ; {} for one that has none of them. */
export function tellApart(all: Labels[]): string[] {
  const keys = [...new Set(all.flatMap((labels) => Object.keys(labels)))].sort();
  const varying = keys.filter((key) => new Set(all.map((labels) => labels[key] ?? "")).size > 1);
  if (varying.length === 0) return all.map((labels) => labels.__name__ ?? seriesName(labels));
  return all.map((labels) => {
    const own = Object.fromEntries(varying.flatMap((key) => (labels[key] ? [[key, labels[key]]] : [])));
    return own.__name__ ? seriesName(own) : labelPairs(own).join(", ") || "{}";
  });
}

/** {{name}} in a template stands for the label's value. */
export function fillTemplate(template: string, labels: Labels): string {
  return template.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, key: string) => labels[key] ?? "");
}

export function toSeries(matrix: MatrixSeries[], grid: { from: number; step: number; count: number }, label?: string): Series[] {
  const names = tellApart(matrix.map((s) => s.metric));
  return matrix.map((s, i) => ({
    label: label === undefined ? (names[i] ?? "") : label.includes("{{") ? fillTemplate(label, s.metric) : matrix.length > 1 ? `${label} ${names[i] ?? ""}` : label,
    values: onGrid(s.values, grid.from, grid.step, grid.count),
  }));
}

/** Whether there are series, but no value of any can be drawn: each is NaN or infinite. */
export const nothingFinite = (all: Series[]) => all.length > 0 && all.every((s) => s.values.every((value) => value === null));

/** Amounts add up; percentages and durations do not. */
const addsUp = (unit: Unit) => unit !== "percent" && unit !== "ratio" && unit !== "seconds";

/** The `limit` largest series, the rest as one: their sum where amounts add up, else their mean. */
export function limitSeries(all: Series[], unit: Unit, limit = 12): Series[] {
  if (all.length <= limit) return all;
  const ranked = [...all].sort((a, b) => (summary(b.values).mean ?? 0) - (summary(a.values).mean ?? 0));
  const kept = new Set(ranked.slice(0, limit - 1));
  const rest = all.filter((s) => !kept.has(s));
  const values = (rest[0]?.values ?? []).map((_, i) => {
    const present = rest.map((s) => s.values[i]).filter((v): v is number => typeof v === "number");
    if (present.length === 0) return null;
    const sum = present.reduce((a, b) => a + b, 0);
    return addsUp(unit) ? sum : sum / present.length;
  });
  const how = addsUp(unit) ? "sum" : "mean";
  return [...all.filter((s) => kept.has(s)), { label: `${rest.length} others (${how})`, values, others: rest.length }];
}

export interface Summary {
  last: number | null;
  mean: number | null;
  max: number | null;
}

export function summary(values: (number | null)[]): Summary {
  let last: number | null = null;
  let max: number | null = null;
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (value === null) continue;
    last = value;
    sum += value;
    count++;
    if (max === null || value > max) max = value;
  }
  return { last, max, mean: count > 0 ? sum / count : null };
}
