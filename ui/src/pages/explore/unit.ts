import type { Unit } from "@/kit/format";

export const units: { value: Unit; label: string }[] = [
  { value: "count", label: "Number" },
  { value: "perSecond", label: "Per second" },
  { value: "seconds", label: "Seconds" },
  { value: "bytes", label: "Bytes" },
  { value: "bytesPerSecond", label: "Bytes per second" },
  { value: "percent", label: "Percent (0–100)" },
  { value: "ratio", label: "Share (0–1)" },
];

/** The unit an expression most likely has, from Prometheus's naming. */
export function guessUnit(expr: string): Unit {
  const rate = /\b(?:rate|irate)\s*\(/.test(expr);
  const quantile = /\bhistogram_quantile\s*\(/.test(expr);
  if (quantile) return /_seconds/.test(expr) ? "seconds" : /_bytes/.test(expr) ? "bytes" : "count";
  // One sum divided by another is a share, or a mean when it is a sum over a count.
  if (/\)\s*\/\s*[\w(]/.test(expr)) return /_seconds_sum/.test(expr) ? "seconds" : "ratio";
  if (rate) return /_bytes/.test(expr) ? "bytesPerSecond" : "perSecond";
  if (/_ratio\b/.test(expr)) return "ratio";
  if (/_percent\b/.test(expr)) return "percent";
  if (/_bytes\b/.test(expr)) return "bytes";
  if (/_seconds\b/.test(expr) && !/timestamp/.test(expr)) return "seconds";
  return "count";
}
