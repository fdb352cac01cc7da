import type { IncidentDetail, Page } from "@/api/types";
import { Person } from "@/kit/Person";
import { Section } from "@/kit/Section";
import { StateBadge } from "@/kit/StateBadge";
import { Ago } from "@/kit/Time";
import styles from "./IncidentPage.module.css";

/** Who was paged, over what, and whether it arrived. */
export function IncidentPages({ incident: { pages, policy } }: { incident: IncidentDetail }) {
  return (
    <Section title="Pages" aside={policy && <span className={styles.dim}>policy {policy}</span>}>
      {pages.length === 0 ? (
        <p className={styles.none}>Nobody was paged.</p>
      ) : (
        <ul className={styles.rows}>
          {pages.map((page) => (
            <PageRow key={page.id} page={page} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function PageRow({ page }: { page: Page }) {
  return (
    <li>
      <div className={styles.row}>
        <Person name={page.person} />
        <StateBadge state={page.status} />
      </div>
      <div className={styles.row}>
        <span className={styles.dim}>
          {page.channel} {page.address}
          {page.attempts > 1 && `, ${page.attempts} attempts`}
        </span>
        <span className={styles.dim}>
          <Ago time={page.at} />
        </span>
      </div>
      {page.error && <div className={styles.error}>{page.error}</div>}
    </li>
  );
}
