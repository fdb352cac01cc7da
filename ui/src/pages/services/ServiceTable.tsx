import { useMemo } from "react";
import type { Service } from "@/api/types";
import { Budget } from "@/kit/Budget";
import { servicePath } from "@/kit/paths";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { budgetTone, tightest, useHealth, type Health } from "./health";
import { SignalCell } from "./SignalCell";
import { goldenSignals } from "./signals";

interface Row extends Health {
  service: Service;
}

const order: Health["tone"][] = ["critical", "fault", "warning", "info", "neutral", "good"];

const signalColumn = (header: string, index: number): Column<Row> => ({
  id: header,
  header,
  width: 134,
  cell: ({ service }) => {
    const signal = goldenSignals(service)[index];
    return signal && <SignalCell service={service.name} signal={signal} />;
  },
});

const columns: Column<Row>[] = [
  { id: "name", header: "Service", phone: "title", cell: (r) => r.service.name, value: (r) => r.service.name },
  {
    id: "state",
    header: "State",
    phone: "side",
    cell: (r) => <StateBadge state={r.words} tone={r.tone} />,
    value: (r) => order.indexOf(r.tone),
  },
  signalColumn("Traffic", 0),
  signalColumn("Errors", 1),
  signalColumn("p99", 2),
  {
    id: "budget",
    header: "Error budget",
    cell: ({ slos }) => {
      const slo = tightest(slos) ?? slos[0];
      return slo ? <Budget remaining={slo.budgetRemaining} tone={budgetTone(slo)} label={slo.name} /> : "no objective";
    },
    value: ({ slos }) => tightest(slos)?.budgetRemaining ?? 2,
  },
];

const team: Column<Row> = { id: "team", header: "Team", phone: "hide", cell: (r) => r.service.team, value: (r) => r.service.team ?? "" };

/** Services with their state, golden signals and budget; the worst first. */
export function ServiceTable({ services, withTeam }: { services: Service[]; withTeam?: boolean }) {
  const healthOf = useHealth();
  const rows = services.map((service): Row => ({ service, ...healthOf(service.name) }));
  rows.sort((a, b) => order.indexOf(a.tone) - order.indexOf(b.tone) || a.service.name.localeCompare(b.service.name));
  const shown = useMemo(() => (withTeam ? [...columns, team] : columns), [withTeam]);
  return <Table label="Services" rows={rows} columns={shown} rowKey={(r) => r.service.name} to={(r) => servicePath(r.service.name)} />;
}
