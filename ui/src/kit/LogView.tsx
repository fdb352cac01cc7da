import { ActionIcon, Button, TextInput } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { IconArrowDown, IconArrowUp, IconSearch } from "@tabler/icons-react";
import { useEffect, useMemo, useRef, useState } from "react";
import type { LogLine } from "@/api/types";
import { formatClock, formatInstant, plural } from "./format";
import { searchLog } from "./logBuffer";
import { LogText } from "./LogText";
import styles from "./LogView.module.css";
import { useTimeRange } from "./useTimeRange";

interface Props {
  /** Whose log it is, for who hears the page. */
  label: string;
  lines: LogLine[];
  /** Lines left out before the first. */
  dropped?: number;
  /** Keeps the newest line in view until the reader scrolls up. */
  follow?: boolean;
  height?: number | string;
  /** What to say when there are none. */
  empty?: string;
}

const lineHeight = 18;

export function LogView({ label, lines, dropped = 0, follow = false, height = 420, empty = "No lines yet." }: Props) {
  const { zone } = useTimeRange();
  const box = useRef<HTMLDivElement>(null);
  const [atEnd, setAtEnd] = useState(follow);
  // A live log keeps its height, so that nothing below it moves; a finished one takes what it needs.
  const [grows] = useState(follow);
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const found = useMemo(() => searchLog(lines, query), [lines, query]);
  const current = found[at];

  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => lineHeight,
    overscan: 30,
    getItemKey: (index) => lines[index]?.seq ?? index,
  });

  const fits = typeof height === "number" && virtualizer.getTotalSize() <= height;
  const count = lines.length;
  useEffect(() => {
    if (atEnd && count > 0) virtualizer.scrollToIndex(count - 1, { align: "end" });
  }, [atEnd, count, virtualizer]);

  const goTo = (index: number) => {
    if (found.length === 0) return;
    const next = (index + found.length) % found.length;
    setAt(next);
    setAtEnd(false);
    virtualizer.scrollToIndex(found[next] ?? 0, { align: "center" });
  };

  const onScroll = () => {
    const element = box.current;
    if (element) setAtEnd(element.scrollHeight - element.scrollTop - element.clientHeight < lineHeight * 2);
  };

  return (
    <div className={styles.log}>
      <div className={styles.bar}>
        <TextInput
          size="xs"
          aria-label={`Search ${label}`}
          placeholder="Search"
          leftSection={<IconSearch size={14} />}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setAt(0);
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter") goTo(event.shiftKey ? at - 1 : query && current !== undefined ? at + 1 : 0);
          }}
        />
        {query && (
          <>
            <span className={styles.dim} role="status">
              {found.length === 0 ? "not found" : `${at + 1} of ${plural(found.length, "line")}`}
            </span>
            <ActionIcon size={24} aria-label="Previous match" disabled={found.length === 0} onClick={() => goTo(at - 1)}>
              <IconArrowUp size={14} />
            </ActionIcon>
            <ActionIcon size={24} aria-label="Next match" disabled={found.length === 0} onClick={() => goTo(at + 1)}>
              <IconArrowDown size={14} />
            </ActionIcon>
          </>
        )}
        <span className={styles.space} />
        {dropped > 0 && <span className={styles.dim}>{plural(dropped, "earlier line")} not shown</span>}
        <span className={styles.dim}>{plural(count, "line")}</span>
        {!atEnd && !fits && (
          <Button variant="default" size="compact-xs" onClick={() => setAtEnd(true)}>
            {follow ? "Follow" : "To the end"}
          </Button>
        )}
      </div>
      {/* A scrollable region must be reachable by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div ref={box} className={styles.box} style={grows ? { height } : { maxHeight: height }} onScroll={onScroll} role="log" aria-label={label} tabIndex={0}>
        <div style={{ height: virtualizer.getTotalSize(), position: "relative" }}>
          {virtualizer.getVirtualItems().map(({ index, start, key }) => {
            const line = lines[index];
            if (!line) return null;
            return (
              <div
                key={key}
                data-index={index}
                ref={virtualizer.measureElement}
                className={styles.line}
                data-stream={line.stream}
                data-current={index === current || undefined}
                style={{ transform: `translateY(${start}px)` }}
              >
                <time dateTime={line.time} title={formatInstant(line.time, zone)}>
                  {formatClock(line.time, zone)}
                </time>
                <LogText raw={line.text} query={query} />
              </div>
            );
          })}
        </div>
        {count === 0 && <p className={styles.dim}>{empty}</p>}
      </div>
    </div>
  );
}
