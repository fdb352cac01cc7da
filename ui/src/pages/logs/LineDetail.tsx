import { ActionIcon, Button, SegmentedControl } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { IconMinus, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { queryText } from "@/api/client";
import { aroundQuery, type LogRow } from "@/api/logs";
import { ErrorNote } from "@/kit/ErrorNote";
import { formatClockMillis, formatInstant } from "@/kit/format";
import { Link } from "@/kit/Link";
import { Waiting } from "@/kit/Loaded";
import { ServiceLink } from "@/kit/ServiceLink";
import { useTimeRange } from "@/kit/useTimeRange";
import { condition } from "./clause";
import { levelOf, Marked, messageOf, textOf } from "./message";
import styles from "./Logs.module.css";

interface Props {
  row: LogRow;
  words: string[];
  onNarrow: (field: string, value: unknown, include: boolean) => void;
}

/** One line in full: its fields, its JSON, or its neighbours. */
export function LineDetail({ row, words, onNarrow }: Props) {
  const [view, setView] = useState("fields");
  const { zone } = useTimeRange();
  const clipboard = useClipboard();
  const json = JSON.stringify({ "@timestamp": row.time, ...row.fields }, null, 2);
  const service = textOf(row.fields["service.name"]);
  const trace = textOf(row.fields["trace.id"]);
  return (
    <div className={styles.detail}>
      <div className={styles.detailBar}>
        <SegmentedControl
          size="xs"
          aria-label="Show"
          value={view}
          onChange={setView}
          data={[
            { value: "fields", label: "Fields" },
            { value: "json", label: "JSON" },
            { value: "around", label: "Around" },
          ]}
        />
        <span className={styles.dim}>{formatInstant(row.time, zone)}</span>
        {service && <ServiceLink service={service} />}
        {trace && (
          <Button component={Link} variant="default" size="compact-xs" to={`/logs?${queryText({ q: condition("kql", "trace.id", trace) })}`}>
            Lines of this trace
          </Button>
        )}
        <Button variant="default" size="compact-xs" onClick={() => clipboard.copy(json)}>
          {clipboard.copied ? "Copied" : "Copy JSON"}
        </Button>
      </div>
      {view === "json" && <pre className={styles.json}>{json}</pre>}
      {view === "around" && <Around row={row} />}
      {view === "fields" && (
        <dl className={styles.fieldTable}>
          {Object.entries(row.fields)
            .sort(([a], [b]) => a.localeCompare(b))
            .map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  <ActionIcon size={24} aria-label={`Only ${name} ${textOf(value)}`} onClick={() => onNarrow(name, Array.isArray(value) ? value[0] : value, true)}>
                    <IconPlus size={12} />
                  </ActionIcon>
                  <ActionIcon size={24} aria-label={`Without ${name} ${textOf(value)}`} onClick={() => onNarrow(name, Array.isArray(value) ? value[0] : value, false)}>
                    <IconMinus size={12} />
                  </ActionIcon>
                  <span>
                    <Marked text={textOf(value)} words={words} />
                  </span>
                </dd>
              </div>
            ))}
        </dl>
      )}
    </div>
  );
}

/** How many neighbours are shown each way: at first, and at most. */
const [few, most] = [10, 500];

/** The lines before and after one, of the same service and host. */
function Around({ row }: { row: LogRow }) {
  const { zone } = useTimeRange();
  const [each, setEach] = useState(few);
  const query = useQuery(aroundQuery(row, each, textOf(row.fields["service.name"]), textOf(row.fields["host.name"])));
  if (query.error) return <ErrorNote error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Waiting rows={5} />;
  return (
    <>
      <ol className={styles.around} aria-label="Lines around it">
        {query.data.rows.map((r) => (
          <li key={r.id} data-level={levelOf(r)} aria-current={r.id === row.id || undefined}>
            <time dateTime={r.time}>{formatClockMillis(r.time, zone)}</time> {messageOf(r)}
          </li>
        ))}
      </ol>
      {each < most && query.data.rows.length > each && (
        <Button variant="default" size="compact-xs" loading={query.isFetching} onClick={() => setEach(Math.min(most, each * 4))}>
          More before and after
        </Button>
      )}
    </>
  );
}
