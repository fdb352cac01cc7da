import { NativeSelect } from "@mantine/core";
import type { Revision } from "@/api/types";
import { DiffView } from "@/kit/DiffView";
import { Link } from "@/kit/Link";
import { Person } from "@/kit/Person";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { Ago } from "@/kit/Time";
import { useParam } from "@/kit/useParam";
import { revisionName } from "./revisionName";
import styles from "./WorkloadPage.module.css";

const columns: Column<Revision>[] = [
  { id: "revision", header: "Revision", phone: "title", cell: (r) => r.revision, value: (r) => r.revision },
  { id: "version", header: "Version", cell: (r) => r.version ?? "–", value: (r) => r.version ?? "" },
  { id: "state", header: "State", phone: "side", cell: (r) => <RevisionState revision={r} /> },
  { id: "at", header: "When", cell: (r) => <Ago time={r.at} />, value: (r) => r.at },
  { id: "actor", header: "By", cell: (r) => (r.actor ? <Person name={r.actor} /> : "–"), value: (r) => r.actor ?? "" },
  { id: "run", header: "Run", cell: (r) => (r.run ? <Link to={`/runs/${r.run}`}>{r.action}</Link> : "–") },
];

function RevisionState({ revision: { current, state, fault } }: { revision: Revision }) {
  if (current) return <StateBadge state="current" tone="good" />;
  if (state === "failed") return <span title={fault}><StateBadge state="failed" /></span>;
  return <StateBadge state={state === "pending" ? "pending" : "earlier"} tone="neutral" />;
}

/** What a workload was and is, and the difference of any two; the choice is in the URL. */
export function Revisions({ revisions }: { revisions: Revision[] }) {
  const current = revisions.find((r) => r.current) ?? revisions[0];
  const previous = revisions.find((r) => current && r.revision < current.revision);
  const [from, setFrom] = useParam("compare", String(previous?.revision ?? ""));
  const [to, setTo] = useParam("with", String(current?.revision ?? ""));
  const before = revisions.find((r) => String(r.revision) === from);
  const after = revisions.find((r) => String(r.revision) === to);
  const options = revisions.map((r) => ({ value: String(r.revision), label: revisionName(r) }));
  return (
    <>
      <Table label="Revisions" rows={revisions} columns={columns} rowKey={(r) => String(r.revision)} />
      {revisions.length > 1 && (
        <div className={styles.compare}>
          From
          <NativeSelect size="xs" aria-label="Compare from" value={from} onChange={(e) => setFrom(e.currentTarget.value)} data={options} />
          to
          <NativeSelect size="xs" aria-label="Compare to" value={to} onChange={(e) => setTo(e.currentTarget.value)} data={options} />
        </div>
      )}
      {before && after && (
        <DiffView before={before.manifest} after={after.manifest} label={`Difference from ${revisionName(before)} to ${revisionName(after)}`} />
      )}
    </>
  );
}
