import { Button } from "@mantine/core";
import type { Entry } from "@/api/types";
import { Link } from "./Link";
import { refPath, servicePath } from "./paths";
import { Person } from "./Person";
import { StateMark } from "./StateBadge";
import { Ago } from "./Time";
import styles from "./TimelineList.module.css";
import { useHeld } from "./useHeld";

interface Props {
  entries: Entry[];
  /** Leaves out the service, where the page is about one. */
  withoutService?: boolean;
}

/** Entries of the ledger, newest first. New ones wait while the pointer is on the list. */
export function TimelineList({ entries, withoutService }: Props) {
  const { shown, waiting, release, holder } = useHeld(entries, (e) => e.seq);
  return (
    <div className={styles.timeline} {...holder}>
      {waiting > 0 && (
        <Button variant="light" size="compact-sm" fullWidth mb={4} onClick={release}>
          {waiting} new
        </Button>
      )}
      <ol className={styles.list}>
        {shown.map((entry) => (
          <Row key={entry.seq} entry={entry} withoutService={withoutService} />
        ))}
      </ol>
    </div>
  );
}

function Row({ entry, withoutService }: { entry: Entry; withoutService?: boolean }) {
  const to = entry.ref && refPath(entry.ref);
  return (
    <li className={styles.row}>
      <StateMark tone={entry.tone} />
      <div className={styles.words}>
        <span className={styles.title}>{to ? <Link to={to}>{entry.title}</Link> : entry.title}</span>
        <span className={styles.facts}>
          <span className={styles.kind}>{entry.kind}</span>
          {entry.service && !withoutService && <Link to={servicePath(entry.service)}>{entry.service}</Link>}
          {entry.actor && <Person name={entry.actor} />}
        </span>
      </div>
      <span className={styles.time}>
        <Ago time={entry.time} />
      </span>
    </li>
  );
}
