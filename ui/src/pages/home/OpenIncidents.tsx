import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { acknowledge } from "@/api/incidents";
import type { Incident } from "@/api/types";
import { ErrorNote } from "@/kit/ErrorNote";
import { Link } from "@/kit/Link";
import { Person } from "@/kit/Person";
import { ServiceLink } from "@/kit/ServiceLink";
import { StateBadge } from "@/kit/StateBadge";
import { Elapsed } from "@/kit/Time";
import { toneOf } from "@/kit/tone";
import { useMe } from "@/shell/useMe";
import styles from "./OpenIncidents.module.css";

/** What is wrong now, with the first thing to do about it. */
export function OpenIncidents({ incidents }: { incidents: Incident[] }) {
  if (incidents.length === 0) return null;
  return (
    <ul className={styles.list} aria-label="Open incidents">
      {incidents.map((incident) => (
        <li key={incident.id} data-tone={toneOf(incident.status)}>
          <Row incident={incident} />
        </li>
      ))}
    </ul>
  );
}

function Row({ incident }: { incident: Incident }) {
  const { can } = useMe();
  const client = useQueryClient();
  const ack = useMutation({
    mutationFn: () => acknowledge(incident.id),
    onSuccess: () => client.invalidateQueries({ queryKey: ["incidents"] }),
  });
  return (
    <>
      <div className={styles.words}>
        <Link to={`/incidents/${incident.id}`} className={styles.title}>
          #{incident.number} {incident.title}
        </Link>
        <div className={styles.facts}>
          <StateBadge state={incident.status} />
          <ServiceLink service={incident.service} group={incident.group} />
          <span>
            for <Elapsed from={incident.openedAt} />
          </span>
          {incident.acknowledgedBy && <Person name={incident.acknowledgedBy} />}
        </div>
        {incident.unreached && <div className={styles.unreached}>{incident.unreached}</div>}
        {ack.error && <ErrorNote error={ack.error} />}
      </div>
      {incident.status === "triggered" && can("responder") && (
        <Button size="md" className={styles.ack} loading={ack.isPending} onClick={() => ack.mutate()}>
          Acknowledge
        </Button>
      )}
    </>
  );
}
