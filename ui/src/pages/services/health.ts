import { useQuery } from "@tanstack/react-query";
import { firingAlertsQuery, type FiringOfService } from "@/api/alerts";
import { openIncidentsQuery, type OpenOfService } from "@/api/incidents";
import { slosQuery } from "@/api/services";
import type { SloState } from "@/api/types";
import { plural } from "@/kit/format";
import { toneOf, worst, type StateTone } from "@/kit/tone";
import type { GoldenSignal } from "./signals";

export interface Health {
  tone: StateTone;
  /** The state in words, the worst thing first. */
  words: string;
  slos: SloState[];
}

/** Of one service: what is open. */
export type Open = Pick<OpenOfService, "triggered" | "acknowledged" | "newest">;
/** Of one service: how many alerts fire with each severity. */
export type Firing = Pick<FiringOfService, "severity" | "count">[];

/** How a service does, from its open incidents, firing alerts and objectives. */
export function judge(open: Open | undefined, firing: Firing, slos: SloState[]): Health {
  const tones: StateTone[] = [];
  const words: string[] = [];
  const incidents = (open?.triggered ?? 0) + (open?.acknowledged ?? 0);
  if (open && incidents > 0) {
    tones.push(open.triggered > 0 ? "critical" : "warning");
    words.push(incidents === 1 ? `incident #${open.newest}` : plural(incidents, "incident"));
  }
  const alerts = firing.reduce((sum, f) => sum + f.count, 0);
  if (alerts > 0) {
    tones.push(...firing.map((f) => toneOf(f.severity)));
    words.push(plural(alerts, "alert"));
  }
  const spent = slos.filter((s) => budgetTone(s) === "critical").length;
  if (spent > 0 && words.length === 0) {
    tones.push("warning");
    words.push("budget spent");
  }
  return { tone: worst(tones), words: words.join(", ") || "well", slos };
}

export function budgetTone(slo: SloState): StateTone {
  if (slo.budgetRemaining === undefined) return "neutral";
  if (slo.burn.some((b) => b.firing) || slo.budgetRemaining <= 0) return "critical";
  return slo.budgetRemaining < 0.25 ? "warning" : "good";
}

/** The share of failed requests that is shown as what is wrong: more than the objective allows, of a service that is not well. */
export function alarming(signal: Pick<GoldenSignal, "id">, tone: StateTone, slos: SloState[]): number | undefined {
  if (signal.id !== "errors" || tone === "good") return undefined;
  const strictest = Math.max(...slos.map((s) => s.objective), 0);
  return strictest > 0 ? 1 - strictest / 100 : 0.01;
}

/** The objective with the least budget left. */
export function tightest(slos: SloState[]): SloState | undefined {
  return slos
    .filter((s) => s.budgetRemaining !== undefined)
    .sort((a, b) => (a.budgetRemaining ?? 0) - (b.budgetRemaining ?? 0))[0];
}

/** The health of any service, from three queries shared by all of them. They count everything, however much there is. */
export function useHealth(): (service: string) => Health {
  const open = useQuery(openIncidentsQuery);
  const firing = useQuery(firingAlertsQuery);
  const slos = useQuery(slosQuery);
  return (service) => {
    const of = <T extends { service?: string }>(all?: T[]) => (all ?? []).filter((one) => one.service === service);
    return judge(of(open.data?.items)[0], of(firing.data?.items), of(slos.data?.items));
  };
}
