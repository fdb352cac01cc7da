import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useParams } from "react-router";
import { incidentQuery } from "@/api/incidents";
import type { IncidentDetail, Run } from "@/api/types";
import { Loaded } from "@/kit/Loaded";
import { Section } from "@/kit/Section";
import { IncidentActions } from "./IncidentActions";
import { IncidentAlerts } from "./IncidentAlerts";
import { IncidentHead } from "./IncidentHead";
import { IncidentLog } from "./IncidentLog";
import styles from "./IncidentPage.module.css";
import { IncidentPages } from "./IncidentPages";
import { IncidentPeople } from "./IncidentPeople";
import { IncidentRuns } from "./IncidentRuns";
import { IncidentTasks } from "./IncidentTasks";
import { IncidentUpdates } from "./IncidentUpdates";
import { Learned } from "./Learned";
import { ServiceErrors } from "./ServiceErrors";
import { Suspects } from "./Suspects";
import { useAroundIncident } from "./useAroundIncident";

export function IncidentPage() {
  const { id = "" } = useParams();
  const query = useQuery(incidentQuery(id));
  return (
    <Loaded query={query} rows={8} page="Incident">
      {(incident) => <Incident key={incident.id} incident={incident} />}
    </Loaded>
  );
}

/** What is wrong, since when, what changed, what can be done; then how everything went. */
function Incident({ incident }: { incident: IncidentDetail }) {
  const client = useQueryClient();
  const [started, setStarted] = useState<Run>();
  useAroundIncident(incident);
  const onRun = (run: Run) => {
    setStarted(run);
    void client.invalidateQueries({ queryKey: ["runs"] });
  };
  return (
    <>
      <IncidentHead incident={incident} />
      <IncidentActions incident={incident} />
      <Learned incident={incident} />
      <div className={styles.columns}>
        <div className={styles.main}>
          <Section title="What changed">
            <Suspects incident={incident} onRun={onRun} />
            <IncidentRuns incident={incident} started={started} />
            {incident.service && <ServiceErrors service={incident.service} />}
          </Section>
          <Section title="Log">
            <IncidentLog incident={incident} />
          </Section>
        </div>
        <div className={styles.side}>
          <IncidentPeople incident={incident} />
          <IncidentTasks incident={incident} />
          <IncidentUpdates incident={incident} />
          <IncidentPages incident={incident} />
          <IncidentAlerts incident={incident} />
        </div>
      </div>
    </>
  );
}
