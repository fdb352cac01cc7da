import { formatInstant, formatValue, type Unit } from "../format";
import type { Series } from "../series";
import type { Zone } from "../timeRange";
import styles from "./ValuesTable.module.css";

interface Props {
  label: string;
  times: number[];
  series: Series[];
  unit: Unit;
  zone: Zone;
  height: number;
}

/** A graph as a table, newest first. */
export function ValuesTable({ label, times, series, unit, zone, height }: Props) {
  return (
    // A scrollable region must be reachable by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={styles.scroll} style={{ height }} tabIndex={0} role="region" aria-label={`${label} as a table`}>
      <table className={styles.values}>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map((s) => (
              <th key={s.label} scope="col">
                {s.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {times
            .map((time, i) => (
              <tr key={time}>
                <th scope="row">{formatInstant(time * 1000, zone)}</th>
                {series.map((s) => (
                  <td key={s.label}>{formatValue(s.values[i], unit)}</td>
                ))}
              </tr>
            ))
            .reverse()}
        </tbody>
      </table>
    </div>
  );
}
