import { Button } from "@mantine/core";
import { asProblem } from "@/api/problem";
import { StateMark } from "./StateBadge";
import styles from "./ErrorNote.module.css";

/** What failed and what to do, where it failed. */
export function ErrorNote({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = asProblem(error);
  return (
    <div className={styles.note} role="alert">
      <StateMark tone="critical" size={12} />
      <div>
        <div className={styles.message}>{problem.message}</div>
        {problem.mend && <div>{problem.mend}</div>}
        {problem.requestId && <div className={styles.request}>Request {problem.requestId}</div>}
      </div>
      {retry && (
        <Button variant="default" size="compact-xs" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}
