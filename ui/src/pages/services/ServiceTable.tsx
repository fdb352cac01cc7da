import type { Service, SloState } from "@/api/types";
import { Budget } from "@/kit/Budget";
import { windowWords } from "@/kit/format";
import { servicePath } from "@/kit/paths";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { alarming, budgetTone, tightest, useHealth, type Health } from "./health";
import { SignalCell } from "./SignalCell";
import { goldenSignals } from "./signals";

interface Row extends Health {
  service: Service;
}

const order: Health["tone"][] = ["critical", "fault", "warning", "info", "neutral", "good"];

/** A header names the interval of its numbers where all rows share one. */
function withInterval(name: string, intervals: (string | undefined)[]): string {
  const [one, ...others] = new Set(intervals);
  return one && others.length === 0 ? `${name}, ${one}` : name;
}

const signalNames = ["Traffic", "Errors", "p99"];

const signalColumns = (rows: Row[]): Column<Row>[] =>
  signalNames.map((name, index) => ({
    id: name,
    header: withInterval(name, rows.map(({ service }) => goldenSignals(service)[index]?.over)),
    width: 134,
    cell: ({ service, tone, slos }) => {
      const signal = goldenSignals(service)[index];
      return signal && <SignalCell service={service.name} signal={signal} alarming={alarming(signal, tone, slos)} />;
    },
  }));

const shownObjective = (slos: SloState[]) => tightest(slos) ?? slos[0];

const budgetColumn = (rows: Row[]): Column<Row> => ({
  id: "budget",
  header: withInterval("Error budget", rows.flatMap(({ slos }) => shownObjective(slos)?.window ?? []).map(windowWords)),
  cell: ({ slos }) => {
    const slo = shownObjective(slos);
    return slo ? <Budget remaining={slo.budgetRemaining} tone={budgetTone(slo)} label={slo.name} /> : "no objective";
  },
  value: ({ slos }) => tightest(slos)?.budgetRemaining ?? 2,
});

const before: Column<Row>[] = [
  { id: "name", header: "Service", phone: "title", cell: (r) => r.service.name, value: (r) => r.service.name },
  {
    id: "state",
    header: "State",
    phone: "side",
    cell: (r) => <StateBadge state={r.words} tone={r.tone} />,
    value: (r) => order.indexOf(r.tone),
  },
];

const team: Column<Row> = { id: "team", header: "Team", phone: "hide", cell: (r) => r.service.team, value: (r) => r.service.team ?? "" };

/** Services with their state, golden signals and budget; the worst first. */
export function ServiceTable({ services, withTeam }: { services: Service[]; withTeam?: boolean }) {
  const healthOf = useHealth();
  const rows = services.map((service): Row => ({ service, ...healthOf(service.name) }));
  rows.sort((a, b) => order.indexOf(a.tone) - order.indexOf(b.tone) || a.service.name.localeCompare(b.service.name));
  const shown = [...before, ...signalColumns(rows), budgetColumn(rows), ...(withTeam ? [team] : [])];
  return <Table label="Services" rows={rows} columns={shown} rowKey={(r) => r.service.name} to={(r) => servicePath(r.service.name)} />;
}
