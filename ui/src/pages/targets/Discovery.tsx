import { useQuery } from "@tanstack/react-query";
import type { Labels } from "@/api/prometheus";
import { targetsQuery } from "@/api/targets";
import { EmptyState } from "@/kit/EmptyState";
import { Loaded } from "@/kit/Loaded";
import { Section } from "@/kit/Section";
import { StateBadge } from "@/kit/StateBadge";
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
        const all = pools(targets).filter(({ name, found }) => found.length > 0 || !name.startsWith(own));
        if (all.length === 0) return <EmptyState title="Nothing is discovered">Each scrape config of prometheus.yml says where its targets are found.</EmptyState>;
        return all.map((pool) => <Found key={pool.name} pool={pool} />);
      }}
    </Loaded>
  );
}

/** Pools of daytwo itself, which are there before there is anything to scrape. */
const own = "daytwo/";

/** Settings that discovery puts on every target and that say nothing until they are switched on. */
const unset = (labels: Labels) => ["__always_scrape_classic_histograms__", "__convert_classic_histograms_to_nhcb__", "__scrape_native_histograms__"].filter((name) => labels[name] === "false");

function Found({ pool }: { pool: Pool }) {
  const aside = <span className={styles.dim}>{`${pool.active} scraped, ${pool.dropped} dropped`}</span>;
  return (
    <Section title={pool.name} aside={aside}>
      {pool.found.length === 0 && <p className={styles.dim}>{pool.dropped > 0 ? "The dropped ones are not listed." : "Nothing was found."}</p>}
      <ul className={styles.found}>
        {pool.found.slice(0, most).map(({ before, after }, i) => (
          <li key={i}>
            <div>
              <div className={styles.dim}>Discovered</div>
              <LabelList labels={before} without={unset(before)} />
            </div>
            <div>
              <div className={styles.dim}>After relabelling</div>
              {after ? <LabelList labels={after} /> : <StateBadge state="dropped" tone="neutral" />}
            </div>
          </li>
        ))}
      </ul>
      {pool.found.length > most && <p className={styles.dim}>{`and ${pool.found.length - most} more`}</p>}
    </Section>
  );
}
