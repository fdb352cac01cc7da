import { ActionIcon, Tooltip, useComputedColorScheme } from "@mantine/core";
import { IconChartLine, IconTable } from "@tabler/icons-react";
import { useId, useMemo, useState, type ReactNode } from "react";
import { seriesColours } from "../colours";
import { formatClock, formatValue, type Unit } from "../format";
import { limitSeries, summary, type Series } from "../series";
import { Store, useStore } from "../store";
import { useTimeRange } from "../useTimeRange";
import type { Annotations } from "./annotations";
import { Exemplars } from "./Exemplars";
import type { Exemplar } from "./exemplars";
import { Legend } from "./Legend";
import { Overlay } from "./Overlay";
import { Plot, type PlotBox } from "./Plot";
import styles from "./TimeSeries.module.css";
import { ValuesTable } from "./ValuesTable";

interface Props {
  title: string;
  unit: Unit;
  /** Unix seconds, evenly spaced; the range drawn is from the first to the last. */
  times: number[];
  series: Series[];
  annotations?: Annotations;
  exemplars?: Exemplar[];
  height?: number;
  /** Where the axis may start above zero: a share near 100 %. */
  nearFull?: boolean;
  /** Why nothing is drawn, if it is not for want of data. */
  none?: string;
  /** Beside the title. */
  aside?: ReactNode;
}

const unmarked: Annotations = { markers: [], bands: [] };

/** A graph over time: shared cursor, drag to zoom, changes and incidents marked, readable as a table. */
export function TimeSeries({ title, unit, times, series, annotations = unmarked, exemplars, height = 180, nearFull = false, none, aside }: Props) {
  const id = useId();
  const scheme = useComputedColorScheme();
  const { zone, zoom } = useTimeRange();
  const [cursor] = useState(() => new Store<number | undefined>(undefined));
  const [box, setBox] = useState<PlotBox>();
  const [asTable, setAsTable] = useState(false);
  const [only, setOnly] = useState<string>();
  const [focus, setFocus] = useState<string>();

  const limited = useMemo(() => limitSeries(series, unit), [series, unit]);
  const colours = useMemo(() => seriesColours(limited.map((s) => s.label), scheme), [limited, scheme]);
  const alone = limited.findIndex((s) => s.label === only);
  const drawn = useMemo(() => (alone < 0 ? limited : limited.slice(alone, alone + 1)), [limited, alone]);
  const drawnColours = useMemo(() => (alone < 0 ? colours : colours.slice(alone, alone + 1)), [colours, alone]);
  const [from, to] = [times[0] ?? 0, times.at(-1) ?? 1];
  const single = limited.length === 1 ? limited[0] : undefined;

  return (
    <figure className={styles.figure} aria-labelledby={id}>
      <figcaption>
        <span className={styles.words}>
          <span id={id} className={styles.title}>
            {title}
          </span>
          {single && <Readout series={single} times={times} unit={unit} cursor={cursor} />}
        </span>
        {aside}
        <Tooltip label={asTable ? "Show as graph" : "Show as table"}>
          <ActionIcon size={24} aria-label={`${title}: ${asTable ? "show as graph" : "show as table"}`} onClick={() => setAsTable(!asTable)}>
            {asTable ? <IconChartLine size={14} /> : <IconTable size={14} />}
          </ActionIcon>
        </Tooltip>
      </figcaption>
      {asTable ? (
        <ValuesTable label={title} times={times} series={limited} unit={unit} zone={zone} height={height} />
      ) : (
        <div className={styles.plot}>
          <Plot
            times={times}
            series={drawn}
            colours={drawnColours}
            unit={unit}
            zone={zone}
            from={from}
            to={to}
            height={height}
            fromZero={!nearFull}
            cursor={cursor}
            focus={focus}
            onZoom={zoom}
            onBox={(next) => setBox((now) => (now && sameBox(now, next) ? now : next))}
          />
          {box && <Overlay {...annotations} box={box} from={from} to={to} zone={zone} />}
          {box && exemplars && <Exemplars exemplars={exemplars} box={box} from={from} to={to} unit={unit} zone={zone} />}
          {(none ?? limited.length === 0) && <div className={styles.none}>{none ?? "No data in this time"}</div>}
        </div>
      )}
      {limited.length > 1 && (
        <Legend
          series={limited}
          colours={colours}
          unit={unit}
          cursor={cursor}
          maxHeight={Math.max(150, height * 0.75)}
          only={only}
          onOnly={setOnly}
          onFocus={setFocus}
        />
      )}
    </figure>
  );
}

const sameBox = (a: PlotBox, b: PlotBox) =>
  a.left === b.left && a.top === b.top && a.width === b.width && a.height === b.height && a.low === b.low && a.high === b.high;

interface ReadoutProps {
  series: Series;
  times: number[];
  unit: Unit;
  cursor: Store<number | undefined>;
}

/** The value of a single line: under the cursor, else its last. */
function Readout({ series, times, unit, cursor }: ReadoutProps) {
  const { zone } = useTimeRange();
  const index = useStore(cursor);
  const time = index === undefined ? undefined : times[index];
  if (index === undefined || time === undefined) {
    const { last, max } = summary(series.values);
    return (
      <span className={styles.readout}>
        <b>{formatValue(last, unit)}</b> max {formatValue(max, unit)}
      </span>
    );
  }
  return (
    <span className={styles.readout}>
      <b>{formatValue(series.values[index], unit)}</b> at {formatClock(time * 1000, zone)}
    </span>
  );
}
