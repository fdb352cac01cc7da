import type { SloState } from "@/api/types";
import { Budget } from "@/kit/Budget";
import { ErrorNote } from "@/kit/ErrorNote";
import { formatValue, windowWords } from "@/kit/format";
import { StateBadge } from "@/kit/StateBadge";
import { budgetTone } from "./health";
import styles from "./SloList.module.css";

/** Objectives with what is left of their budgets and how fast they burn. */
export function SloList({ slos }: { slos: SloState[] }) {
  return (
    <>
      {slos.map((slo) => (
        <article key={slo.name} className={styles.slo}>
          <div className={styles.head}>
            <h3>{slo.name}</h3>
            <span>
              {formatValue(slo.objective, "percent")} wanted over {windowWords(slo.window)}, {formatValue(slo.sli, "ratio")} so far
            </span>
            <Budget remaining={slo.budgetRemaining} tone={budgetTone(slo)} label={slo.name} window={slo.window} />
          </div>
          {slo.error && <ErrorNote error={new Error(slo.error)} />}
          <table className={styles.burn} aria-label={`Burn alerts of ${slo.name}`}>
            <thead>
              <tr>
                <th scope="col">Burn alert</th>
                <th scope="col">Fires above</th>
                <th scope="col">Long window</th>
                <th scope="col">Short window</th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {slo.burn.map((b) => (
                <tr key={`${b.long} ${b.short} ${b.severity}`}>
                  <td>
                    <StateBadge state={b.severity} />
                  </td>
                  <td>{formatValue(b.factor)}×</td>
                  <td>
                    {rate(b.longBurn)} over {windowWords(b.long)}
                  </td>
                  <td>
                    {rate(b.shortBurn)} over {windowWords(b.short)}
                  </td>
                  <td>
                    <StateBadge state={b.firing ? "firing" : "quiet"} tone={b.firing ? "critical" : "good"} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </article>
      ))}
    </>
  );
}

const rate = (burn?: number) => (burn === undefined ? "–" : `${formatValue(burn)}×`);
