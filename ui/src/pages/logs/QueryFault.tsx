import { useQuery } from "@tanstack/react-query";
import { histogramQuery, type Asked } from "@/api/logs";
import { asProblem } from "@/api/problem";
import { StateMark } from "@/kit/StateBadge";
import { aroundPlace } from "./clause";
import styles from "./Logs.module.css";

/** Whether an error is one of how the query is written. */
export const isFaultOfQuery = (error: unknown): boolean => error !== null && asProblem(error).field === "query";

/** What is wrong with the query, at its place. */
export function QueryFault({ asked }: { asked: Asked }) {
  const { error } = useQuery(histogramQuery(asked)); // every view asks for it
  if (!isFaultOfQuery(error)) return null;
  const problem = asProblem(error);
  const place = problem.column ? aroundPlace(asked.q, problem.column) : undefined;
  return (
    <div className={styles.fault} role="alert">
      <StateMark tone="critical" size={12} />
      <div>
        {place && (
          <code>
            {place.before}
            <mark>{place.at.trim() || "\u00a0"}</mark>
            {place.after}
          </code>
        )}
        <div className={styles.faultMessage}>{problem.message}</div>
        {problem.mend && <div className={styles.dim}>{problem.mend}</div>}
      </div>
    </div>
  );
}
