import { ActionIcon, Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { IconX } from "@tabler/icons-react";
import { useState } from "react";
import { rangeQuery } from "@/api/prometheus";
import { CodeEditor } from "@/kit/CodeEditor";
import { ErrorNote } from "@/kit/ErrorNote";
import { formatDuration } from "@/kit/format";
import { useNow } from "@/kit/useNow";
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

/** How the query fares, under it. The graph shares the request. */
function Outcome({ expr }: { expr: string }) {
  const { range, pausedAt, live, since } = useTimeRange();
  const query = rangeQuery({ expr, range, pausedAt, live, since });
  const { data, error, isFetching } = useQuery(query);
  if (isFetching) return <Running queryKey={query.queryKey} />;
  if (error) {
    return (
      <div className={styles.note}>
        <ErrorNote error={error} />
      </div>
    );
  }
  if (!data) return null;
  return (
    <>
      {data.warnings.map((text) => (
        <div key={text} className={styles.warning}>
          {text}
        </div>
      ))}
      {data.infos.map((text) => (
        <div key={text} className={styles.info}>
          {text}
        </div>
      ))}
    </>
  );
}

/** A query that takes long says so, and can be cancelled. */
function Running({ queryKey }: { queryKey: readonly unknown[] }) {
  const client = useQueryClient();
  const [since] = useState(Date.now);
  const seconds = Math.floor((useNow(500) - since) / 1000);
  if (seconds < 2) return null;
  return (
    <div className={styles.running} role="status">
      Running for {formatDuration(seconds)}
      <Button variant="default" size="compact-xs" onClick={() => void client.cancelQueries({ queryKey })}>
        Cancel
      </Button>
    </div>
  );
}
