import type { AlertPart } from "@/api/types";
import styles from "./ExpressionParts.module.css";
import { formatDuration, formatValue, plural } from "./format";
import { Link } from "./Link";
import { explorePath } from "./paths";

/** An expression part by part: what each does, how many series it has, how long it took, and the first of them. */
export function ExpressionParts({ parts, more }: { parts: AlertPart[]; more?: number }) {
  return (
    <>
      <ul className={styles.tree}>
        {parts.map((part, i) => (
          <li key={i} style={{ paddingInlineStart: part.depth * 16 }}>
            <Part part={part} />
          </li>
        ))}
      </ul>
      {more ? <p className={styles.dim}>{more} parts more</p> : null}
    </>
  );
}

function Part({ part }: { part: AlertPart }) {
  const fitting = part.series.filter((s) => s.fits);
  const shown = fitting.length > 0 ? fitting : part.series;
  return (
    <>
      <div className={styles.whole}>
        <span className={styles.kind}>{part.kind}</span>
        <Link to={explorePath(part.expr)} className={styles.part}>
          <code>{part.expr}</code>
        </Link>
        <span className={styles.cost}>{`${plural(part.count, "series", "series")} · ${formatDuration(part.took)}`}</span>
      </div>
      {part.error ? (
        <div className={styles.error}>{part.error}</div>
      ) : (
        <ul className={styles.series}>
          {shown.slice(0, 4).map((s, i) => (
            <li key={i}>
              <b>{formatValue(s.value)}</b> <span className={styles.dim}>{Object.entries(s.labels).filter(([n]) => n !== "__name__").map(([n, v]) => `${n}=${v}`).join(", ")}</span>
            </li>
          ))}
          {part.count === 0 && <li className={styles.dim}>no series</li>}
          {part.count > Math.min(4, shown.length) && (
            <li className={styles.dim}>{part.count - Math.min(4, shown.length)} series more{fitting.length > 0 && fitting.length < part.series.length ? ", of other labels among them" : ""}</li>
          )}
        </ul>
      )}
    </>
  );
}
