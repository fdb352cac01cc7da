import type { IncidentDetail } from "@/api/types";
import { Link } from "@/kit/Link";
import { PageTitle } from "@/kit/PageTitle";
import { Person } from "@/kit/Person";
import { ServiceLink } from "@/kit/ServiceLink";
import { StateBadge } from "@/kit/StateBadge";
import { Ago, Clock, Elapsed } from "@/kit/Time";
import styles from "./IncidentPage.module.css";

/** What is wrong and since when. */
export function IncidentHead({ incident }: { incident: IncidentDetail }) {
  const { number, title, service, group, status, severity, openedAt, acknowledgedAt, acknowledgedBy, resolvedAt, resolvedBy } = incident;
  const { urgency, priority, snoozedUntil, mergedInto } = incident;
  return (
    <PageTitle
      title={title}
      over={
        <>
          <Link to="/incidents">Incidents</Link> · #{number} · <ServiceLink service={service} group={group} />
        </>
      }
      badge={
        <span className={styles.badges}>
          <StateBadge state={status} filled />
          <StateBadge state={severity} />
          {urgency === "low" && <StateBadge state="low urgency" tone="neutral" />}
          {priority && <StateBadge state={priority} tone="neutral" />}
        </span>
      }
    >
      <div className={styles.since}>
        <span>
          Since <Clock time={openedAt} withZone /> (<Ago time={openedAt} />)
        </span>
        {acknowledgedAt && (
          <span>
            acknowledged{acknowledgedBy && " by "}
            {acknowledgedBy && <Person name={acknowledgedBy} />} after <Elapsed from={openedAt} to={acknowledgedAt} />
          </span>
        )}
        {snoozedUntil && !resolvedAt && (
          <span>
            snoozed: pages again <Ago time={snoozedUntil} />
          </span>
        )}
        {mergedInto && (
          <span>
            merged into <Link to={`/incidents/${mergedInto}`}>another incident</Link>
          </span>
        )}
        {resolvedAt ? (
          <span>
            resolved{resolvedBy && " by "}
            {resolvedBy && <Person name={resolvedBy} />} after <Elapsed from={openedAt} to={resolvedAt} />
          </span>
        ) : (
          <span>
            lasting <Elapsed from={openedAt} />
          </span>
        )}
      </div>
    </PageTitle>
  );
}
