import type { IncidentDetail } from "@/api/types";
import { StateMark } from "@/kit/StateBadge";
import { Ago } from "@/kit/Time";
import styles from "./IncidentPage.module.css";

/** What the pager does if nobody acknowledges; loud where nobody is left, or nobody could be told. */
export function NextStep({ incident: { nextStep, unreached } }: { incident: IncidentDetail }) {
  if (!nextStep) return null;
  const nobody = !nextStep.at || Boolean(unreached);
  return (
    <p className={styles.next} data-nobody={nobody || undefined}>
      {nobody && <StateMark tone="critical" />} 
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
