import type { IncidentDetail } from "@/api/types";
import { plural } from "@/kit/format";
import { Link } from "@/kit/Link";
import { Section } from "@/kit/Section";
import { StateBadge } from "@/kit/StateBadge";
import { Ago } from "@/kit/Time";
import styles from "./IncidentPage.module.css";

/** The alerts that opened it or joined. */
export function IncidentAlerts({ incident: { alerts, moreAlerts, openedBy } }: { incident: IncidentDetail }) {
  return (
    <Section title="Alerts">
      {alerts.length === 0 ? (
        <p className={styles.none}>{openedBy ? `${openedBy} opened it by hand.` : "No alert belongs to it."}</p>
      ) : (
        <ul className={styles.rows}>
          {alerts.map((alert) => (
            <li key={alert.id}>
              <div className={styles.row}>
                <Link to={`/alerts/${alert.id}`}>{alert.title}</Link>
                <StateBadge state={alert.status} />
              </div>
              <div className={styles.dim}>
                since <Ago time={alert.at} />
              </div>
            </li>
          ))}
        </ul>
      )}
      {moreAlerts ? <p className={styles.none}>and {plural(moreAlerts, "more alert", "more alerts")}</p> : null}
    </Section>
  );
}
