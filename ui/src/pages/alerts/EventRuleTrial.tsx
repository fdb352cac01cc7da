import { useQuery } from "@tanstack/react-query";
import { trialQuery, type EventRule, type Trial } from "@/api/events";
import { ErrorNote } from "@/kit/ErrorNote";
import { formatCount, plural } from "@/kit/format";
import { Waiting } from "@/kit/Loaded";
import { Table, type Column } from "@/kit/Table";
import { Ago } from "@/kit/Time";
import { effects, outcomeOf } from "./eventRule";
import styles from "./EventRules.module.css";

const columns: Column<Trial>[] = [
  { id: "title", header: "Event", phone: "title", cell: (t) => t.title, value: (t) => t.title },
  { id: "when", header: "When", phone: "side", cell: (t) => <Ago time={t.time} />, value: (t) => t.time },
  { id: "service", header: "Service", cell: (t) => t.service || "none", value: (t) => t.service },
  { id: "source", header: "From", cell: (t) => t.source, value: (t) => t.source },
  { id: "was", header: "Then", cell: (t) => t.outcome ?? "–", value: (t) => t.outcome ?? "" },
  { id: "would", header: "With the rule", cell: (t) => words(t) },
];

function words({ verdict }: Trial) {
  const { severity, ...rest } = verdict;
  return effects({ ...rest, severity: severity as EventRule["severity"], note: verdict.notes?.join("; ") }).join("; ");
}

/** What a rule would have made of past events. */
export function EventRuleTrial({ rule }: { rule?: EventRule }) {
  const query = useQuery({ ...trialQuery(rule ?? { name: "", when: "" }), enabled: rule !== undefined });
  if (!rule) return <p className={styles.dim}>Write a condition: it is asked about what came in, and nothing is changed.</p>;
  if (query.error) return <ErrorNote error={query.error} />;
  if (!query.data) return <Waiting rows={3} />;
  const { items } = query.data;
  if (items.length === 0) return <p className={styles.dim}>Nothing has come in yet. Events are kept for a week.</p>;
  const { matched, all, failed, paged } = outcomeOf(items);
  const errors = [...new Set(items.flatMap((t) => t.verdict.errors ?? []))].slice(0, 3);
  return (
    <div role="status">
      <p>
        It matches <b>{formatCount(matched)}</b> of the last {plural(all, "event")}
        {paged > 0 && `; ${plural(paged, "of them opened or joined", "of them opened or joined")} an incident then`}.
      </p>
      {failed > 0 && (
        <p className={styles.warn}>
          On {plural(failed, "event")} it fails and is passed over: <code>{errors.join("; ")}</code>
        </p>
      )}
      {matched > 0 && <Table label="Events that match" rows={items.filter((t) => t.matched)} columns={columns} rowKey={(t) => t.eventId} />}
    </div>
  );
}
