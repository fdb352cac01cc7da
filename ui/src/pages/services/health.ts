import { useQuery } from "@tanstack/react-query";
import { alertsQuery } from "@/api/alerts";
import { incidentsQuery } from "@/api/incidents";
import { slosQuery } from "@/api/services";
import type { Alert, Incident, SloState } from "@/api/types";
import { plural } from "@/kit/format";
import { toneOf, worst, type StateTone } from "@/kit/tone";
import type { GoldenSignal } from "./signals";

export interface Health {
  tone: StateTone;
  /** The state in words, the worst thing first. */
  words: string;
  incidents: Incident[];
  alerts: Alert[];
  slos: SloState[];
}

/** How a service does, from its open incidents, firing alerts and objectives. */
export function judge(incidents: Incident[], alerts: Alert[], slos: SloState[]): Health {
  const tones: StateTone[] = [];
  const words: string[] = [];
  if (incidents.length > 0) {
    tones.push(...incidents.map((i) => (i.status === "acknowledged" ? "warning" : "critical") as StateTone));
    words.push(incidents.length === 1 ? `incident #${incidents[0]?.number ?? ""}` : plural(incidents.length, "incident"));
  }
  if (alerts.length > 0) {
    tones.push(...alerts.map((a) => toneOf(a.severity)));
    words.push(plural(alerts.length, "alert"));
  }
  const spent = slos.filter((s) => budgetTone(s) === "critical").length;
  if (spent > 0 && words.length === 0) {
    tones.push("warning");
    words.push("budget spent");
  }
  return { tone: worst(tones), words: words.join(", ") || "well", incidents, alerts, slos };
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

/** The health of any service, from three queries shared by all of them. */
export function useHealth(): (service: string) => Health {
  const incidents = useQuery(incidentsQuery({ status: "open" }));
  const alerts = useQuery(alertsQuery({ state: "firing" }));
  const slos = useQuery(slosQuery);
  return (service) => {
    const of = <T extends { service?: string }>(all?: T[]) => (all ?? []).filter((one) => one.service === service);
    return judge(of(incidents.data?.items), of(alerts.data?.items), of(slos.data?.items));
  };
}
