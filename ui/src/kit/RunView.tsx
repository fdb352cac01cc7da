import { useQuery } from "@tanstack/react-query";
import { cancelRun, runQuery } from "@/api/runs";
import type { Run, Step } from "@/api/types";
import { ConfirmAction } from "./ConfirmAction";
import { ErrorNote } from "./ErrorNote";
import { Loaded } from "./Loaded";
import { LogView } from "./LogView";
import styles from "./RunView.module.css";
import { StateBadge, StateMark } from "./StateBadge";
import { Elapsed } from "./Time";
import { toneOf } from "./tone";
import { useRunLog } from "./useRunLog";

interface Props {
  id: string;
  /** On another thing's page: with the run's name and state, and a lower log. */
  inset?: boolean;
  /** Whether the reader may cancel it. */
  cancellable?: boolean;
}

/** A run as it happens: its steps, what they print, how it ended. */
export function RunView({ id, inset, cancellable }: Props) {
  const query = useQuery(runQuery(id));
  const { lines, dropped, error } = useRunLog(id);
  return (
    <Loaded query={query}>
      {(run) => (
        <div className={styles.run} data-inset={inset || undefined}>
          {inset && (
            <div className={styles.state} role="status">
              <StateBadge state={run.status} filled />
              <span className={styles.name}>{run.title}</span>
              {run.startedAt && <Elapsed from={run.startedAt} to={run.finishedAt} />}
              {cancellable && !run.finishedAt && <CancelRun run={run} />}
            </div>
          )}
          {run.error && (
            <p className={styles.failure}>
              <StateMark tone="critical" /> {run.error}
            </p>
          )}
          <div className={styles.parts}>
            {run.steps.length > 0 && <Steps steps={run.steps} />}
            <div className={styles.log}>
              {error && <ErrorNote error={error} />}
              <LogView
                label={`Output of ${run.title}`}
                lines={lines}
                dropped={dropped}
                follow={!run.finishedAt}
                height={inset ? 200 : 480}
              />
            </div>
          </div>
        </div>
      )}
    </Loaded>
  );
}

export function CancelRun({ run }: { run: Run }) {
  return (
    <ConfirmAction
      label="Cancel run"
      touches={[`“${run.title}” stops at the step it is in; what its steps have done so far stays done.`]}
      run={() => cancelRun(run.id)}
    />
  );
}

function Steps({ steps }: { steps: Step[] }) {
  return (
    <ol className={styles.steps} aria-label="Steps">
      {steps.map((step) => (
        <li key={step.path} style={{ paddingLeft: step.depth * 16 }}>
          <StateMark tone={toneOf(step.status)} />
          <span className={styles.step}>
            {step.name}
            <span className={styles.detail}>
              {step.status}
              {step.attempt > 1 && `, attempt ${step.attempt}`}
            </span>
            {step.error && <span className={styles.stepError}>{step.error}</span>}
          </span>
          {step.startedAt && (
            <span className={styles.detail}>
              <Elapsed from={step.startedAt} to={step.finishedAt} />
            </span>
          )}
        </li>
      ))}
    </ol>
  );
}
