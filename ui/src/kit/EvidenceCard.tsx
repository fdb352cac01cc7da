import type { ReactNode } from "react";
import styles from "./EvidenceCard.module.css";
import { Link } from "./Link";

interface Props {
  /** What was found: "checkout v2 deployed (was v1)". */
  title: string;
  /** From 0 to 1. */
  strength: number;
  /** Why it counts, in words. */
  reasons: string[];
  /** The page that proves it. */
  to?: string;
  /** When it was. */
  when?: ReactNode;
  /** What can be done about it. */
  action?: ReactNode;
}

/** One piece of evidence: what, how strong, why, and where to see it. */
export function EvidenceCard({ title, strength, reasons, to, when, action }: Props) {
  const word = strengthWord(strength);
  return (
    <article className={styles.card} data-strength={word}>
      <div className={styles.head}>
        <h3>{to ? <Link to={to}>{title}</Link> : title}</h3>
        <span className={styles.strength}>
          <span className={styles.meter} role="meter" aria-label="Strength" aria-valuemin={0} aria-valuemax={1} aria-valuenow={strength} aria-valuetext={word}>
            <span style={{ width: `${strength * 100}%` }} />
          </span>
          {word}
        </span>
      </div>
      {when && <div className={styles.when}>{when}</div>}
      <ul>
        {reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
      {action}
    </article>
  );
}

export function strengthWord(strength: number): "strong" | "fair" | "weak" {
  return strength >= 0.7 ? "strong" : strength >= 0.4 ? "fair" : "weak";
}
