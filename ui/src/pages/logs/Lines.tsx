import { Button } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useCallback, useEffect, useMemo, useRef, useState, type CSSProperties } from "react";
import type { LogRow } from "@/api/logs";
import { formatClockMillis, formatDay, formatInstant } from "@/kit/format";
import type { Zone } from "@/kit/timeRange";
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
  /** Called when the reader leaves the newest line, or comes back to it. */
  onNewest?: (there: boolean) => void;
  loading?: boolean;
}

/** How many lines before the end more are asked for: whoever scrolls fast does not wait for them. */
const ahead = 400;

/** Lines in columns, newest first; only what is in view is drawn. A line opens to all of its fields. */
export function Lines({ rows, columns, words, onNarrow, onMore, onNewest, loading }: Props) {
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
  // The button of the end would lie on what a line that is open has to be clicked.
  const reading = items.some(({ key }) => open.has(String(key)));
  useEffect(() => {
    if (onMore && rows.length > 0 && last >= rows.length - ahead) onMore();
  }, [last, rows.length, onMore]);

  const toggle = useCallback(
    (id: string) =>
      setOpen((before) => {
        const next = new Set(before);
        if (!next.delete(id)) next.add(id);
        return next;
      }),
    [],
  );
  const [newest, oldest] = [rows[0], rows.at(-1)];
  const days = newest !== undefined && oldest !== undefined && formatDay(newest.time, zone) !== formatDay(oldest.time, zone);
  const grid = useMemo(
    () => ({ gridTemplateColumns: `${days ? 142 : 96}px 52px ${columns.map(() => "minmax(90px, 180px)").join(" ")} minmax(240px, 1fr)` }),
    [columns, days],
  );
  return (
    <div
      ref={box}
      className={styles.lines}
      role="region"
      aria-label="Log lines"
      // A scrollable region must be reachable by keyboard.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      onScroll={onNewest && ((event) => onNewest(event.currentTarget.scrollTop <= 0))}
    >
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
          return (
            row && (
              <Line
                key={key}
                row={row}
                index={index}
                start={start}
                isOpen={open.has(row.id)}
                columns={columns}
                grid={grid}
                words={words}
                zone={zone}
                days={days}
                measure={virtualizer.measureElement}
                onToggle={toggle}
                onNarrow={onNarrow}
              />
            )
          );
        })}
      </div>
      {loading && <p className={styles.dim}>Loading earlier lines …</p>}
      {rows.length > 200 && !reading && (virtualizer.scrollOffset ?? 0) > 200 && (
        <Button className={styles.top} variant="default" size="compact-sm" onClick={() => virtualizer.scrollToIndex(0)}>
          To the newest
        </Button>
      )}
    </div>
  );
}

interface LineProps extends Pick<Props, "columns" | "words" | "onNarrow"> {
  row: LogRow;
  index: number;
  /** Where it stands, in pixels from the newest. */
  start: number;
  isOpen: boolean;
  grid: CSSProperties;
  zone: Zone;
  /** Whether the lines are of several days. */
  days: boolean;
  measure: (element: HTMLElement | null) => void;
  onToggle: (id: string) => void;
}

/** One line. It is drawn anew only when something of it changes: while one scrolls, most lines stay what they are. */
const Line = memo(function Line({ row, index, start, isOpen, columns, grid, words, zone, days, measure, onToggle, onNarrow }: LineProps) {
  return (
    <div data-index={index} ref={measure} className={styles.line} data-level={levelOf(row)} style={{ transform: `translateY(${start}px)` }}>
      <button type="button" className={styles.lineRow} style={grid} aria-expanded={isOpen} onClick={() => onToggle(row.id)}>
        <time dateTime={row.time} title={formatInstant(row.time, zone)}>
          {formatClockMillis(row.time, zone, days)}
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
});
