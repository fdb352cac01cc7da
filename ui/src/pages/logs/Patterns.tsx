import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { logPatternsQuery, type Asked, type LogPattern } from "@/api/logs";
import { ErrorNote } from "@/kit/ErrorNote";
import { formatCount, formatValue, plural } from "@/kit/format";
import { Waiting } from "@/kit/Loaded";
import { StateBadge } from "@/kit/StateBadge";
import { isFaultOfQuery } from "./QueryFault";
import styles from "./Logs.module.css";

/** The longest run of words of a template without a mask: finds its lines. */
function phraseOf(pattern: LogPattern): string {
  const runs = pattern.template
    .split(/\S*<[^>]*>\S*/)
    .map((run) => run.replace(/[^\p{L}\p{N}_\s]+/gu, " ").trim())
    .sort((a, b) => b.length - a.length);
  return runs[0] ?? "";
}

/** Templates behind the messages, the most frequent first, and which are new. */
export function Patterns({ asked, onPhrase }: { asked: Asked; onPhrase: (phrase: string) => void }) {
  const query = useQuery(logPatternsQuery(asked));
  if (isFaultOfQuery(query.error)) return null; // it stands below the query
  if (query.error) return <ErrorNote error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Waiting rows={8} />;
  const { patterns, looked, matched, before } = query.data;
  return (
    <>
      <p className={styles.dim}>
        {plural(patterns.length, "pattern")} in the newest {formatCount(looked)} of {plural(matched, "line")};
        {before > 0 ? ` new is what none of the ${formatCount(before)} lines of the time before is like.` : " the time before has no lines, so that nothing can be called new."}
      </p>
      <ul className={styles.patterns}>
        {patterns.map((p) => (
          <li key={p.id}>
            <span className={styles.patternCount}>
              {formatCount(p.count)}
              <span className={styles.dim}> {formatValue(p.share, "ratio")}</span>
            </span>
            <span className={styles.template}>
              {p.new && (
                <StateBadge state="new" tone="info">
                  new
                </StateBadge>
              )}
              <code title={p.sample}>{p.template}</code>
              <span className={styles.dim}>
                {Object.entries(p.levels)
                  .filter(([level]) => level !== "")
                  .map(([level, n]) => `${level} ${formatCount(n)}`)
                  .join(" · ")}
              </span>
            </span>
            {phraseOf(p) && (
              <Button variant="default" size="compact-xs" onClick={() => onPhrase(phraseOf(p))}>
                Show lines
              </Button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
