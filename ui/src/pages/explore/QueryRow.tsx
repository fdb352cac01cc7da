import { ActionIcon } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconX } from "@tabler/icons-react";
import { rangeQuery } from "@/api/prometheus";
import { CodeEditor } from "@/kit/CodeEditor";
import { ErrorNote } from "@/kit/ErrorNote";
import { useTimeRange } from "@/kit/useTimeRange";
import styles from "./Explore.module.css";

interface Props {
  letter: string;
  draft: string;
  /** The expression on the graph; the draft may be ahead of it. */
  asked?: string;
  onChange: (text: string) => void;
  onRun: () => void;
  onRemove?: () => void;
}

export function QueryRow({ letter, draft, asked, onChange, onRun, onRemove }: Props) {
  return (
    <div className={styles.row}>
      <span className={styles.letter}>{letter}</span>
      <div>
        <CodeEditor label={`Query ${letter}`} language="promql" value={draft} onChange={onChange} onSubmit={onRun} minHeight={32} />
        {asked !== undefined && <Outcome expr={asked} />}
      </div>
      {onRemove && (
        <ActionIcon mt={2} aria-label={`Remove query ${letter}`} onClick={onRemove}>
          <IconX size={14} />
        </ActionIcon>
      )}
    </div>
  );
}

/** What went wrong with the query, under it. The graph shares the request. */
function Outcome({ expr }: { expr: string }) {
  const { range, pausedAt, live } = useTimeRange();
  const { data, error } = useQuery(rangeQuery({ expr, range, pausedAt, live }));
  if (error) {
    return (
      <div className={styles.note}>
        <ErrorNote error={error} />
      </div>
    );
  }
  if (!data?.warnings.length) return null;
  return <div className={styles.warning}>{data.warnings.join(" ")}</div>;
}
