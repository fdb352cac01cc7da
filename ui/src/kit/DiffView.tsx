import { useMemo } from "react";
import { diffLines, foldSame, type DiffLine } from "./diff";
import styles from "./DiffView.module.css";
import { plural } from "./format";

const signs: Record<DiffLine["kind"], string> = { same: " ", added: "+", removed: "−" };

/** What changed from one text to another, unchanged stretches folded. */
export function DiffView({ before, after, label }: { before: string; after: string; label: string }) {
  const parts = useMemo(() => foldSame(diffLines(before, after)), [before, after]);
  if (before === after) return <p className={styles.none}>No difference.</p>;
  return (
    // A scrollable region must be reachable by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={styles.diff} role="region" aria-label={label} tabIndex={0}>
      <table>
        <tbody>
          {parts.map((part, i) =>
            part.kind === "gap" ? (
              <tr key={i} className={styles.gap}>
                <td colSpan={4}>{plural(part.count, "unchanged line")}</td>
              </tr>
            ) : (
              <tr key={i} data-kind={part.kind}>
                <td className={styles.number}>{part.before}</td>
                <td className={styles.number}>{part.after}</td>
                <td className={styles.sign}>{signs[part.kind]}</td>
                <td className={styles.text}>{part.text}</td>
              </tr>
            ),
          )}
        </tbody>
      </table>
    </div>
  );
}
