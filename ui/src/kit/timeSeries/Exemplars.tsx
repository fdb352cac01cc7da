import { Tooltip } from "@mantine/core";
import { formatClock, formatValue, type Unit } from "../format";
import { Link } from "../Link";
import { logsPath } from "../paths";
import { seriesName } from "../series";
import type { Zone } from "../timeRange";
import styles from "./Exemplars.module.css";
import { dots, traceOf, type Dot, type Exemplar } from "./exemplars";
import type { PlotBox } from "./Plot";

interface Props {
  exemplars: Exemplar[];
  box: PlotBox;
  from: number;
  to: number;
  unit: Unit;
  zone: Zone;
}

/** Exemplars over a plot; one with a trace leads to what was logged of it. */
export function Exemplars({ exemplars, box, from, to, unit, zone }: Props) {
  const { left, top, width, height } = box;
  return (
    <div className={styles.exemplars} style={{ left, top, width, height }}>
      {dots(exemplars, box, from, to).map((dot) => (
        <Point key={dot.left} dot={dot} unit={unit} zone={zone} />
      ))}
    </div>
  );
}

function Point({ dot: { left, top, exemplar, count }, unit, zone }: { dot: Dot; unit: Unit; zone: Zone }) {
  const trace = traceOf(exemplar);
  const lines = [
    `${formatValue(exemplar.value, unit)} at ${formatClock(exemplar.time * 1000, zone)}`,
    ...Object.entries(exemplar.labels).map(([name, value]) => `${name}: ${value}`),
    seriesName(exemplar.series),
    ...(count > 1 ? [`the highest of ${count} here`] : []),
  ];
  const label = `Exemplar ${lines.join(", ")}`;
  const place = { className: styles.point, style: { left, top }, "aria-label": label };
  return (
    <Tooltip maw={420} multiline label={lines.map((line) => <div key={line} className={styles.line}>{line}</div>)}>
      {trace ? <Link to={logsPath(`trace.id: ${JSON.stringify(trace)}`)} {...place} /> : <span role="img" {...place} />}
    </Tooltip>
  );
}
