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
  const words = budgetWords(remaining);
  const left = Math.max(0, remaining);
  return (
    <span className={styles.budget} data-tone={tone}>
      <span
        className={styles.meter}
        role="meter"
        aria-label={`Error budget of ${label}`}
        aria-valuemin={0}
        aria-valuemax={1}
        aria-valuenow={left}
        aria-valuetext={words}
      >
        <span style={{ width: `${left * 100}%` }} />
      </span>
      <span>{words}</span>
    </span>
  );
}

function budgetWords(remaining: number): string {
  if (remaining < -1) return `${formatValue(-remaining)}× over`;
  return remaining < 0 ? `${formatValue(-remaining, "ratio")} over` : `${formatValue(remaining, "ratio")} left`;
}
