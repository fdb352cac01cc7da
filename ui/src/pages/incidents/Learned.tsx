import { useQuery } from "@tanstack/react-query";
import { postmortemOfQuery } from "@/api/postmortems";
import type { IncidentDetail } from "@/api/types";
import { Link } from "@/kit/Link";
import { StateMark } from "@/kit/StateBadge";
import { Elapsed } from "@/kit/Time";
import styles from "./IncidentPage.module.css";

/** Once it is over: that it is, and where to write what was learned. */
export function Learned({ incident }: { incident: IncidentDetail }) {
  const over = incident.resolvedAt !== undefined;
  const { data } = useQuery({ ...postmortemOfQuery(incident.id), enabled: over });
  if (!over) return null;
  return (
    <p className={styles.learned} role="status">
      <StateMark tone="good" size={12} /> It is over after <Elapsed from={incident.openedAt} to={incident.resolvedAt} />.
      {data && (
        <>
          {" "}
          <Link to={`/postmortems/${data.id}`}>
            {data.status === "draft" ? "Its postmortem was begun for you" : "Read the postmortem"}
          </Link>
          .
        </>
      )}
    </p>
  );
}
