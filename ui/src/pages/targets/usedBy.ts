import type { Rule } from "@/api/rules";

/** The names of the rules whose expression names the metric, each once. */
export function usedBy(metric: string, rules: Rule[]): string[] {
  const word = new RegExp(`(^|[^A-Za-z0-9_:])${metric.replace(/[^A-Za-z0-9_:]/g, "\\$&")}($|[^A-Za-z0-9_:])`);
  return [...new Set(rules.filter((rule) => word.test(rule.query)).map((rule) => rule.name))].sort();
}
