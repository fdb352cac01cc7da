import { useQuery } from "@tanstack/react-query";
import { useRef, useState, type PointerEvent } from "react";
import { histogramQuery, type Asked } from "@/api/logs";
import { formatCount, formatDuration, formatInstant, formatMoment, plural } from "@/kit/format";
import { useTimeRange } from "@/kit/useTimeRange";
import styles from "./Logs.module.css";

const order = ["fatal", "error", "warn", "info", "debug", "trace"];
const rank = (level: string) => (order.includes(level) ? order.indexOf(level) : order.length);

/** How many lines there are over time, by level; a drag over it zooms. */
export function Histogram({ asked, live }: { asked: Asked; live: boolean }) {
  const query = useQuery({ ...histogramQuery(asked), refetchInterval: live ? 5000 : false });
  const { zoom, zone } = useTimeRange();
  const box = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ from: number; to: number }>();
  const [over, setOver] = useState<number>();
  if (query.error) return null; // the lines below say what is wrong
  const data = query.data;
  const buckets = data?.buckets ?? [];
  const most = Math.max(1, ...buckets.map((b) => b.count));
  const indexAt = (event: PointerEvent) => {
    const rect = box.current?.getBoundingClientRect();
    if (!rect || buckets.length === 0) return 0;
    return Math.max(0, Math.min(buckets.length - 1, Math.floor(((event.clientX - rect.left) / rect.width) * buckets.length)));
  };
  const finish = () => {
    if (!drag || !data) return;
    const [a, b] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
    const first = buckets[a];
    const last = buckets[b];
    setDrag(undefined);
    if (first && last) zoom(Date.parse(first.time), Date.parse(last.time) + Math.max(1, data.everyMillis));
  };
  const hovered = over === undefined ? undefined : buckets[over];
  const levels = (data?.series ?? []).slice().sort((x, y) => rank(x) - rank(y));
  return (
    <section className={styles.histogram} aria-label="Lines over time">
      <div className={styles.histogramHead}>
        <strong>{data ? plural(data.total, "line") : "…"}</strong>
        {data && <span className={styles.dim}>one bar is {formatDuration(data.everyMillis / 1000)}</span>}
        {hovered && (
          <span className={styles.dim}>
            {formatInstant(hovered.time, zone)}: {formatCount(hovered.count)}
            {levels.filter((l) => hovered.by?.[l]).map((l) => ` · ${l || "no level"} ${formatCount(hovered.by?.[l] ?? 0)}`)}
          </span>
        )}
        <span className={styles.levels}>
          {levels.slice(0, 6).map((l) => (
            <span key={l} data-level={l}>
              <i aria-hidden />
              {l || "no level"}
            </span>
          ))}
        </span>
      </div>
      <div
        ref={box}
        className={styles.bars}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ from: indexAt(event), to: indexAt(event) });
        }}
        onPointerMove={(event) => {
          setOver(indexAt(event));
          if (drag) setDrag({ ...drag, to: indexAt(event) });
        }}
        onPointerLeave={() => setOver(undefined)}
        onPointerUp={finish}
        onPointerCancel={() => setDrag(undefined)}
      >
        {buckets.map((b, i) => (
          <div key={b.time} className={styles.bar} data-chosen={(drag && i >= Math.min(drag.from, drag.to) && i <= Math.max(drag.from, drag.to)) || undefined}>
            {levels.map((l) => {
              const n = b.by?.[l] ?? 0;
              return n > 0 ? <span key={l} data-level={l} style={{ height: `${(n / most) * 100}%`, minHeight: 1 }} /> : null;
            })}
          </div>
        ))}
      </div>
      <div className={styles.axis} aria-hidden>
        <span>{buckets[0] && formatMoment(buckets[0].time, zone)}</span>
        <span>most {formatCount(most)} a bar</span>
        <span>{buckets.at(-1) && formatMoment(buckets.at(-1)?.time ?? "", zone)}</span>
      </div>
    </section>
  );
}

