import { useEffect, useLayoutEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { tickDistances, tickLabels, timeLabels } from "../axis";
import type { Unit } from "../format";
import type { Series } from "../series";
import type { Store } from "../store";
import type { Zone } from "../timeRange";
import styles from "./Plot.module.css";

/** Where the plotting area lies within the plot's element, in CSS pixels, and the values at its foot and top. */
export interface PlotBox {
  left: number;
  top: number;
  width: number;
  height: number;
  low: number;
  high: number;
}

export interface PlotProps {
  times: number[];
  series: Series[];
  colours: string[];
  unit: Unit;
  zone: Zone;
  from: number;
  to: number;
  height: number;
  /** Amounts start at zero; a share near 100 % need not. */
  fromZero: boolean;
  /** The index into `times` under the cursor of this or a neighbouring graph. */
  cursor: Store<number | undefined>;
  /** The only line to show at full strength. */
  focus?: string;
  onZoom: (from: number, to: number) => void;
  onBox: (box: PlotBox) => void;
}

/** All graphs of a page share one cursor. */
const pageCursor = "page";
/** As wide on every graph, so that graphs under each other line up. */
const axisWidth = 62;

export function Plot(props: PlotProps) {
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const latest = useRef(props);
  const [width, setWidth] = useState(0);
  const { times, series, colours, unit, zone, from, to, height, fromZero, focus } = props;
  const shape = JSON.stringify([series.map((s) => s.label), colours, unit, zone, height, fromZero]);

  useLayoutEffect(() => {
    latest.current = props;
  });

  useLayoutEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);

  const ready = width > 0;
  useEffect(() => {
    if (!ready || !element.current) return;
    const { times, series } = latest.current;
    const made = new uPlot(options(element.current, latest), [times, ...series.map((s) => s.values)], element.current);
    plot.current = made;
    return () => {
      made.destroy();
      plot.current = null;
    };
  }, [shape, ready]);

  useEffect(() => {
    plot.current?.setData([times, ...series.map((s) => s.values)]);
  }, [times, series, from, to]);

  useEffect(() => {
    plot.current?.setSize({ width, height });
  }, [width, height]);

  useEffect(() => {
    const index = series.findIndex((s) => s.label === focus);
    plot.current?.setSeries(index < 0 ? null : index + 1, { focus: index >= 0 }, false);
  }, [focus, series]);

  return <div ref={element} className={styles.plot} style={{ height }} aria-hidden />;
}

function options(element: HTMLElement, latest: { current: PlotProps }): uPlot.Options {
  const { series, colours, unit, zone, height, fromZero, cursor } = latest.current;
  const css = getComputedStyle(element);
  const text = css.getPropertyValue("--mantine-color-dimmed");
  const line = css.getPropertyValue("--hairline");
  const axis = { stroke: text, font: `11px ${css.fontFamily}`, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  const reportBox = (u: uPlot) => {
    const ratio = uPlot.pxRatio;
    latest.current.onBox({
      left: u.bbox.left / ratio,
      top: u.bbox.top / ratio,
      width: u.bbox.width / ratio,
      height: u.bbox.height / ratio,
      low: u.scales.y?.min ?? 0,
      high: u.scales.y?.max ?? 1,
    });
  };

  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    padding: [8, 24, 0, 0],
    tzDate: (at) => (zone === "utc" ? uPlot.tzDate(new Date(at * 1000), "Etc/UTC") : new Date(at * 1000)),
    cursor: {
      sync: { key: pageCursor, setSeries: false, scales: ["x", null] },
      drag: { x: true, y: false, setScale: false },
      points: { size: 6 },
      y: false,
    },
    focus: { alpha: 0.2 },
    scales: {
      x: { time: true, range: () => [latest.current.from, latest.current.to] },
      y: { range: (_, min, max) => valueRange(min, max, unit, fromZero) },
    },
    axes: [
      { ...axis, size: 24, gap: 4, space: 64, values: (_, ticks, _axis, _space, distance) => timeLabels(ticks, distance, zone) },
      { ...axis, size: axisWidth, gap: 6, space: 30, incrs: tickDistances(unit), values: (_, ticks) => tickLabels(ticks, unit) },
    ],
    series: [
      {},
      ...series.map((s, i): uPlot.Series => {
        const colour = colours[i] ?? text;
        return {
          label: s.label,
          stroke: colour,
          width: 1.5,
          dash: s.others ? [4, 4] : undefined,
          fill: series.length === 1 ? `${colour}1a` : undefined,
          points: { show: (u, index) => isolated(u.data[index], u.data[0].length), size: 4 },
        };
      }),
    ],
    hooks: {
      draw: [reportBox],
      setCursor: [(u) => cursor.set(u.cursor.idx ?? undefined)],
      setSelect: [
        (u) => {
          const { left, width } = u.select;
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          // Neighbours hear of the selection too: only the graph that was dragged has an event.
          if (width < 4 || !u.cursor.event) return;
          latest.current.onZoom(u.posToVal(left, "x") * 1000, u.posToVal(left + width, "x") * 1000);
        },
      ],
    },
  };
}

function valueRange(min: number | null, max: number | null, unit: Unit, fromZero: boolean): [number, number] {
  if (min === null || max === null) return [0, 1];
  const full = unit === "percent" ? 100 : unit === "ratio" ? 1 : Infinity;
  if (!fromZero && full !== Infinity) {
    const room = Math.max((full - min) * 0.1, full * 0.0005);
    return [Math.max(0, min - room), full];
  }
  const low = Math.min(0, min);
  const high = Math.max(0, max);
  if (low === high) return [0, unit === "ratio" ? 0.01 : 1];
  return [low * 1.08, Math.min(high * 1.08, high <= full ? full : Infinity)];
}

/** Whether a line has only points without neighbours, which a line alone would not show. */
function isolated(values: uPlot.AlignedData[number] | undefined, count: number): boolean {
  if (!values) return false;
  for (let i = 1; i < count; i++) {
    const [a, b] = [values[i - 1], values[i]];
    if (a !== null && a !== undefined && b !== null && b !== undefined) return false;
  }
  return true;
}
