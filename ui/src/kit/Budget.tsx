import styles from "./Budget.module.css";
import { formatValue, windowWords } from "./format";
import type { StateTone } from "./tone";

interface Props {
  /** Part of the error budget that is left; below 0 when overspent. */
  remaining?: number;
  tone: StateTone;
  /** The objective it belongs to. */
  label: string;
  /** Over which the budget is given, such as 30d, where nothing beside says so. */
  window?: string;
}

/** How much of an error budget is left, as a bar and in words. */
export function Budget({ remaining, tone, label, window }: Props) {
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
      <span>
        {words}
        {window && <span className={styles.window}> of {windowWords(window)}</span>}
      </span>
    </span>
  );
}

/** "70 % left", "20 % overspent", "spent 31 times over". */
function budgetWords(remaining: number): string {
  if (remaining <= -1) return `spent ${formatValue(Math.round(1 - remaining))} times over`;
  return remaining < 0 ? `${formatValue(-remaining, "ratio")} overspent` : `${formatValue(remaining, "ratio")} left`;
}
