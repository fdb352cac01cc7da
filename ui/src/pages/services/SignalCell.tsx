import { useIntersection } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { rangeQuery } from "@/api/prometheus";
import { formatValue } from "@/kit/format";
import { onGrid, summary, timeGrid } from "@/kit/series";
import { Sparkline } from "@/kit/Sparkline";
import { useTimeRange } from "@/kit/useTimeRange";
import styles from "./SignalCell.module.css";
import { titleOf, type GoldenSignal } from "./signals";

interface Props {
  service: string;
  signal: GoldenSignal;
  /** From this value on it is shown as what is wrong. */
  alarming?: number;
}

/** A golden signal in a row: its course over the page's time range and its last value. Asked for once it is on screen. */
export function SignalCell({ service, signal, alarming }: Props) {
  const { range, pausedAt, live, since } = useTimeRange();
  const { ref, entry } = useIntersection({ rootMargin: "200px" });
  const { data, error } = useQuery({
    ...rangeQuery({ expr: signal.expr, range, pausedAt, live, since, points: 60 }),
    enabled: entry?.isIntersecting ?? false,
  });

  const values = data && onGrid(data.series[0]?.values ?? [], data.from, data.step, timeGrid(data.from, data.to, data.step).length);
  const last = values && summary(values).last;
  const bad = alarming !== undefined && typeof last === "number" && last >= alarming;
  return (
    <span ref={ref} className={styles.cell} title={error?.message} aria-busy={(entry?.isIntersecting && !data && !error) || undefined}>
      {values && last !== null ? (
        <>
          <Sparkline values={values} label={`${titleOf(signal)}, of ${service}`} tone={bad ? "critical" : undefined} width={56} />
          <span className={styles.value} data-bad={bad || undefined}>
            {formatValue(last, signal.unit)}
          </span>
        </>
      ) : (
        <span className={styles.none}>{error ? "failed" : data && "no data"}</span>
      )}
    </span>
  );
}
