import { useQuery } from "@tanstack/react-query";
import { rollBackFor, suspectsQuery } from "@/api/incidents";
import type { IncidentDetail, Run, Suspect } from "@/api/types";
import { ConfirmAction } from "@/kit/ConfirmAction";
import { EvidenceCard } from "@/kit/EvidenceCard";
import { Loaded } from "@/kit/Loaded";
import { refPath } from "@/kit/paths";
import { Person } from "@/kit/Person";
import { Ago, Clock } from "@/kit/Time";
import { useMe } from "@/shell/useMe";
import styles from "./IncidentPage.module.css";

/** Further suspects stand behind a fold. */
const shown = 2;

interface Props {
  incident: IncidentDetail;
  onRun: (run: Run) => void;
}

/** The changes that may have caused it, the likeliest first, each with its proof and the way back. */
export function Suspects({ incident, onRun }: Props) {
  const query = useQuery(suspectsQuery(incident.id));
  const card = (suspect: Suspect, i: number) => (
    <SuspectCard key={suspect.entry.id} suspect={suspect} incident={incident} prime={i === 0} onRun={onRun} />
  );
  return (
    <Loaded query={query} rows={3}>
      {({ items }) => (
        <div className={styles.suspects}>
          {items.length === 0 && (
            <p className={styles.none}>
              {incident.service
                ? `Nothing that daytwo knows of changed in the hour before, neither ${incident.service} nor what it depends on.`
                : "Its alerts name no service, so no change can be told to bear on it. Give their rules the label service."}
            </p>
          )}
          {items.slice(0, shown).map(card)}
          {items.length > shown && (
            <details>
              <summary>{items.length - shown} more changes before it</summary>
              <div className={styles.suspects}>{items.slice(shown).map((suspect, i) => card(suspect, i + shown))}</div>
            </details>
          )}
        </div>
      )}
    </Loaded>
  );
}

interface CardProps extends Props {
  suspect: Suspect;
  prime: boolean;
}

function SuspectCard({ suspect: { entry, score, reasons, action }, incident, prime, onRun }: CardProps) {
  const { can } = useMe();
  return (
    <EvidenceCard
      title={entry.title}
      to={entry.ref && refPath(entry.ref)}
      strength={score}
      reasons={reasons}
      when={
        <>
          <Clock time={entry.time} /> (<Ago time={entry.time} />)
          {entry.actor && (
            <>
              {" by "}
              <Person name={entry.actor} />
            </>
          )}
        </>
      }
      action={
        action &&
        incident.status !== "resolved" &&
        can("operator") && (
          <ConfirmAction
            label={action.title}
            title={`${action.title}?`}
            size="sm"
            color={prime ? "red" : undefined}
            variant={prime ? "filled" : "default"}
            touches={[
              `Workload ${action.workload}: its process stops, and revision ${action.revision} starts in its place.`,
              `Service ${entry.service ?? action.workload}: requests wait or fail for the moment in between.`,
              `Taken back: ${entry.title}.`,
              "The rollback lands on the timeline and in this incident.",
            ]}
            run={() => rollBackFor(incident.id, action)}
            done={onRun}
          />
        )
      }
    />
  );
}
