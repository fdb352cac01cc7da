import type { IncidentDetail } from "@/api/types";
import { StateMark } from "@/kit/StateBadge";
import { Ago } from "@/kit/Time";
import styles from "./IncidentPage.module.css";

/** What the pager does if nobody acknowledges; loud where nobody is left. */
export function NextStep({ incident: { nextStep } }: { incident: IncidentDetail }) {
  if (!nextStep) return null;
  return (
    <p className={styles.next} data-nobody={!nextStep.at || undefined}>
      {!nextStep.at && <StateMark tone="critical" />} 
      {nextStep.at ? (
        <>
          If nobody acknowledges, <Ago time={nextStep.at} />: {nextStep.what}
        </>
      ) : (
        nextStep.what
      )}
    </p>
  );
}
