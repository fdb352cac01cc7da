import type { Labels } from "@/api/prometheus";
import type { Health, Target, Targets } from "@/api/targets";
import type { StateTone } from "@/kit/tone";

/** The job of a target: its own label, since one pool may hold several. */
export const jobOf = (target: Target) => target.labels.job ?? target.scrapePool;

export const healthTone: Record<Health, StateTone> = { up: "good", down: "critical", unknown: "neutral" };

/** What is down first, then by job and instance. */
export function byUrgency(targets: Target[]): Target[] {
  const rank: Record<Health, number> = { down: 0, unknown: 1, up: 2 };
  return [...targets].sort(
    (a, b) =>
      rank[a.health] - rank[b.health] ||
      jobOf(a).localeCompare(jobOf(b)) ||
      (a.labels.instance ?? "").localeCompare(b.labels.instance ?? ""),
  );
}

/** Whether any of the words stands in the target's labels, address or error. */
export function matches(target: Target, words: string): boolean {
  const text = [target.scrapeUrl, target.lastError, ...Object.entries(target.labels).map(([k, v]) => `${k}="${v}"`)].join(" ").toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

export interface Pool {
  name: string;
  found: { before: Labels; after?: Labels }[];
  active: number;
  /** All that relabelling dropped, listed here or not. */
  dropped: number;
}

/** What discovery found, by scrape pool, and what relabelling made of it. */
export function pools({ activeTargets, droppedTargets, droppedTargetCounts }: Targets): Pool[] {
  const all = new Map<string, Pool>();
  const pool = (name: string) => {
    const known = all.get(name) ?? { name, found: [], active: 0, dropped: droppedTargetCounts[name] ?? 0 };
    all.set(name, known);
    return known;
  };
  for (const target of activeTargets) {
    const into = pool(target.scrapePool);
    into.active++;
    into.found.push({ before: target.discoveredLabels, after: target.labels });
  }
  for (const target of droppedTargets) {
    pool(target.scrapePool ?? target.discoveredLabels.job ?? "").found.push({ before: target.discoveredLabels });
  }
  Object.keys(droppedTargetCounts).forEach(pool);
  return [...all.values()].sort((a, b) => a.name.localeCompare(b.name));
}
