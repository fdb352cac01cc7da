import styles from "./Budget.module.css";
import { formatValue } from "./format";
import type { StateTone } from "./tone";

interface Props {
  /** Part of the error budget that is left; below 0 when overspent. */
  remaining?: number;
  tone: StateTone;
  /** The objective it belongs to. */
  label: string;
}

/** How much of an error budget is left, as a bar and in words. */
export function Budget({ remaining, tone, label }: Props) {
  if (remaining === undefined) return <span className={styles.none}>no traffic</span>;
  const words = remaining < 0 ? `${formatValue(-remaining, "ratio")} over` : `${formatValue(remaining, "ratio")} left`;
  return (
    <span className={styles.budget} data-tone={tone}>
      <meter className={styles.meter} min={0} max={1} value={Math.max(0, remaining)} aria-label={`Error budget of ${label}: ${words}`} />
      <span>{words}</span>
    </span>
  );
}
