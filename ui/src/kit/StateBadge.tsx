import type { ReactNode } from "react";
import styles from "./StateBadge.module.css";
import { toneOf, type StateTone } from "./tone";

const shapes: Record<StateTone, ReactNode> = {
  critical: <path d="M6 .8 11.6 11H.4Z" />,
  warning: <path d="M6 .5 11.5 6 6 11.5.5 6Z" />,
  good: <circle cx="6" cy="6" r="4.6" />,
  info: <rect x="1.6" y="1.6" width="8.8" height="8.8" rx="1.4" />,
  fault: <path d="M3.3 1h5.4l2.7 5-2.7 5H3.3L.6 6Z" />,
  neutral: <circle cx="6" cy="6" r="3.8" fill="none" strokeWidth="1.6" />,
};

/** The shape of a tone, for use beside a word: colour is never alone. */
export function StateMark({ tone, size = 10 }: { tone: StateTone; size?: number }) {
  return (
    <svg className={styles.mark} data-tone={tone} width={size} height={size} viewBox="0 0 12 12" aria-hidden>
      {shapes[tone]}
    </svg>
  );
}

interface Props {
  /** The state's word, such as "triggered". */
  state: string;
  tone?: StateTone;
  /** Another wording of the state. */
  children?: ReactNode;
  /** Tinted background, for where the state is the main thing. */
  filled?: boolean;
}

export function StateBadge({ state, tone = toneOf(state), children, filled }: Props) {
  return (
    <span className={styles.badge} data-tone={tone} data-filled={filled || undefined}>
      <StateMark tone={tone} />
      {children ?? state}
    </span>
  );
}
