import { useQuery } from "@tanstack/react-query";
import { targetsQuery } from "@/api/targets";
import { EmptyState } from "@/kit/EmptyState";
import { Loaded } from "@/kit/Loaded";
import { Section } from "@/kit/Section";
import { LabelList } from "./LabelList";
import { pools, type Pool } from "./pools";
import styles from "./Targets.module.css";

/** What is listed of one pool at most: the rest is counted. */
const most = 100;

export function Discovery() {
  const query = useQuery(targetsQuery);
  return (
    <Loaded query={query}>
      {(targets) => {
        const all = pools(targets);
        if (all.length === 0) return <EmptyState title="Nothing is discovered">Each scrape config of prometheus.yml says where its targets are found.</EmptyState>;
        return all.map((pool) => <Found key={pool.name} pool={pool} />);
      }}
    </Loaded>
  );
}

function Found({ pool }: { pool: Pool }) {
  const aside = <span className={styles.dim}>{`${pool.active} scraped, ${pool.dropped} dropped`}</span>;
  return (
    <Section title={pool.name} aside={aside}>
      <ul className={styles.found}>
        {pool.found.slice(0, most).map(({ before, after }, i) => (
          <li key={i}>
            <div>
              <div className={styles.dim}>Discovered</div>
              <LabelList labels={before} />
            </div>
            <div>
              <div className={styles.dim}>After relabelling</div>
              {after ? <LabelList labels={after} /> : "dropped"}
            </div>
          </li>
        ))}
      </ul>
      {pool.found.length > most && <p className={styles.dim}>{`and ${pool.found.length - most} more`}</p>}
    </Section>
  );
}
