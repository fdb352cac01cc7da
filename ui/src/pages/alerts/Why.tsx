import { useQuery } from "@tanstack/react-query";
import { whyQuery } from "@/api/alerts";
import type { AlertPart } from "@/api/types";
import { formatValue } from "@/kit/format";
import { Link } from "@/kit/Link";
import { Loaded } from "@/kit/Loaded";
import { Section } from "@/kit/Section";
import { Clock } from "@/kit/Time";
import styles from "./Routing.module.css";

/** The series that fire, and the expression part by part. */
export function Why({ id, firing }: { id: string; firing: boolean }) {
  const query = useQuery({ ...whyQuery(id), refetchInterval: firing ? 30_000 : false });
  return (
    <Section title="Why" aside={query.data && <span className={styles.dim}>at <Clock time={query.data.at} withZone /></span>}>
      <Loaded query={query}>
        {({ parts, more }) => (
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
        )}
      </Loaded>
    </Section>
  );
}

function Part({ part }: { part: AlertPart }) {
  const fitting = part.series.filter((s) => s.fits);
  const shown = fitting.length > 0 ? fitting : part.series;
  return (
    <>
      <div className={styles.whole}>
        <span className={styles.kind}>{part.kind}</span>
        <Link to={`/explore?expr=${encodeURIComponent(part.expr)}`} className={styles.part}>
          <code>{part.expr}</code>
        </Link>
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
