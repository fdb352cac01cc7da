import { useMemo } from "react";
import { formatValue, type Unit } from "../format";
import { summary, type Series } from "../series";
import { useStore, type Store } from "../store";
import styles from "./Legend.module.css";

interface Props {
  series: Series[];
  colours: string[];
  unit: Unit;
  cursor: Store<number | undefined>;
  /** Rows beyond this height scroll. */
  maxHeight: number;
  /** The line shown alone. */
  only?: string;
  onOnly: (label: string | undefined) => void;
  onFocus: (label: string | undefined) => void;
}

/** The lines of a graph as a table: value under the cursor (else last), mean, max. */
export function Legend({ series, colours, unit, cursor, maxHeight, only, onOnly, onFocus }: Props) {
  const index = useStore(cursor);
  const summaries = useMemo(() => series.map((s) => summary(s.values)), [series]);
  return (
    <div className={styles.scroll} style={{ maxHeight }}>
      <table className={styles.legend}>
        <thead>
          <tr>
            <th scope="col">Series</th>
            <th scope="col">{index === undefined ? "last" : "here"}</th>
            <th scope="col">mean</th>
            <th scope="col">max</th>
          </tr>
        </thead>
        <tbody>
          {series.map((s, i) => (
            <tr key={s.label} data-dim={(only !== undefined && only !== s.label) || undefined} onPointerEnter={() => onFocus(s.label)} onPointerLeave={() => onFocus(undefined)}>
              <th scope="row">
                <button type="button" aria-pressed={only === s.label} onClick={() => onOnly(only === s.label ? undefined : s.label)}>
                  <span className={styles.swatch} style={{ background: colours[i] }} />
                  <span className={styles.name} title={s.label}>
                    {s.label}
                  </span>
                </button>
              </th>
              <td>{formatValue(index === undefined ? summaries[i]?.last : s.values[index], unit)}</td>
              <td>{formatValue(summaries[i]?.mean, unit)}</td>
              <td>{formatValue(summaries[i]?.max, unit)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
