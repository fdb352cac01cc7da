import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { schedulesQuery } from "@/api/catalog";
import { useTimeRange } from "@/kit/useTimeRange";
import styles from "./Schedules.module.css";
import { TakeBack } from "./ShiftActions";
import { toCome, wordsOf } from "./shifts";

/** Every override of a schedule that is under way or to come, however far ahead, each with its way back. */
export function Overrides({ schedule }: { schedule: string }) {
  const { data } = useQuery(schedulesQuery);
  const { zone } = useTimeRange();
  const [now] = useState(Date.now);
  const list = toCome(data?.items.find((s) => s.name === schedule)?.overrides ?? [], now);
  return (
    <>
      <div className={styles.label}>Overrides to come</div>
      {list.length === 0 && <p className={styles.dim}>None.</p>}
      <ul className={styles.overrides} aria-label="Overrides to come">
        {list.map((o) => (
          <li key={o.id}>
            <span>
              {wordsOf(o, zone)}
              {o.source && <span className={styles.dim}> · of the calendar {o.source}</span>}
            </span>
            <TakeBack schedule={schedule} shift={{ ...o, override: o.id }} />
          </li>
        ))}
      </ul>
    </>
  );
}
