import { useQuery } from "@tanstack/react-query";
import { runsQuery } from "@/api/runs";
import type { IncidentDetail, Run } from "@/api/types";
import { RunView } from "@/kit/RunView";
import { useMe } from "@/shell/useMe";
import styles from "./IncidentPage.module.css";

interface Props {
  incident: IncidentDetail;
  /** The run just started here, perhaps of another service. */
  started?: Run;
}

/** What was executed to mend it, live, whoever started it. */
export function IncidentRuns({ incident, started }: Props) {
  const { data } = useQuery({ ...runsQuery({ service: incident.service, limit: 20 }), enabled: incident.service !== "" });
  const { can } = useMe();
  const during = (data?.items ?? []).filter(
    (run) => run.queuedAt >= incident.openedAt && run.id !== started?.id && (!incident.resolvedAt || run.queuedAt <= incident.resolvedAt),
  );
  const ids = [...(started ? [started.id] : []), ...during.map((run) => run.id)];
  if (ids.length === 0) return null;
  return (
    <div className={styles.runs}>
      {ids.map((id) => (
        <RunView key={id} id={id} inset cancellable={can("operator")} />
      ))}
    </div>
  );
}
