import { Button } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import type { LogRow } from "@/api/logs";
import { formatClock, formatInstant } from "@/kit/format";
import { useTimeRange } from "@/kit/useTimeRange";
import { LineDetail } from "./LineDetail";
import { levelOf, Marked, messageOf, textOf } from "./message";
import styles from "./Logs.module.css";

interface Props {
  rows: LogRow[];
  columns: string[];
  words: string[];
  onNarrow: (field: string, value: unknown, include: boolean) => void;
  /** Called when the reader comes near the end. */
  onMore?: () => void;
  loading?: boolean;
}

/** Lines in columns, newest first; only what is in view is drawn. A line opens to all of its fields. */
export function Lines({ rows, columns, words, onNarrow, onMore, loading }: Props) {
  const { zone } = useTimeRange();
  const box = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => 24,
    overscan: 20,
    getItemKey: (index) => rows[index]?.id ?? index,
  });
  const items = virtualizer.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (onMore && rows.length > 0 && last >= rows.length - 40) onMore();
  }, [last, rows.length, onMore]);

  const toggle = (id: string) =>
    setOpen((before) => {
      const next = new Set(before);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const grid = { gridTemplateColumns: `96px 52px ${columns.map(() => "minmax(90px, 180px)").join(" ")} minmax(240px, 1fr)` };
  return (
    // A scrollable region must be reachable by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div ref={box} className={styles.lines} role="region" aria-label="Log lines" tabIndex={0}>
      <div className={styles.lineHead} style={grid} aria-hidden>
        <span>Time</span>
        <span>Level</span>
        {columns.map((c) => (
          <span key={c}>{c}</span>
        ))}
        <span>Message</span>
      </div>
      <div style={{ height: virtualizer.getTotalSize(), position: "relative" }}>
        {items.map(({ index, start, key }) => {
          const row = rows[index];
          if (!row) return null;
          const isOpen = open.has(row.id);
          return (
            <div key={key} data-index={index} ref={virtualizer.measureElement} className={styles.line} data-level={levelOf(row)} style={{ transform: `translateY(${start}px)` }}>
              <button type="button" className={styles.lineRow} style={grid} aria-expanded={isOpen} onClick={() => toggle(row.id)}>
                <time dateTime={row.time} title={formatInstant(row.time, zone)}>
                  {formatClock(row.time, zone)}
                </time>
                <span className={styles.level}>{levelOf(row)}</span>
                {columns.map((c) => (
                  <span key={c} className={styles.cell}>
                    <Marked text={textOf(row.fields[c])} words={words} />
                  </span>
                ))}
                <span className={styles.message}>
                  <Marked text={messageOf(row).slice(0, 2000)} words={words} />
                </span>
              </button>
              {isOpen && <LineDetail row={row} words={words} onNarrow={onNarrow} />}
            </div>
          );
        })}
      </div>
      {loading && <p className={styles.dim}>Loading earlier lines …</p>}
      {rows.length > 200 && (
        <Button className={styles.top} variant="default" size="compact-xs" onClick={() => virtualizer.scrollToIndex(0)}>
          To the newest
        </Button>
      )}
    </div>
  );
}
