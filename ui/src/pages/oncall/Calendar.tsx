import { Modal } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useState, type CSSProperties } from "react";
import type { Rendered, Shift } from "@/api/types";
import { useTimeRange } from "@/kit/useTimeRange";
import styles from "./Schedules.module.css";
import { ShiftActions } from "./ShiftActions";
import { wordsOf } from "./shifts";

interface Props {
  rendered: Rendered;
  /** Absent: nothing can be done here. */
  schedule?: string;
  now: number;
  /** The layers too, not only what comes of them. */
  more: boolean;
}

/** Two weeks of a schedule as bars; what is hatched is a gap. */
export function Calendar({ rendered, schedule, now, more }: Props) {
  const from = Date.parse(rendered.from);
  const to = Date.parse(rendered.to);
  const { zone } = useTimeRange();
  const days = Array.from({ length: 14 }, (_, i) => new Date(from + (i * (to - from)) / 14));
  const timeZone = zone === "utc" ? "UTC" : undefined;
  const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "short", timeZone });
  const number = new Intl.DateTimeFormat("en-GB", { day: "numeric", timeZone });
  const { ref, width } = useElementSize();
  const rows: { name?: string; shifts: Shift[] }[] = [
    ...(more ? rendered.layers.map((layer, i) => ({ name: layer.name || `layer ${i + 1}`, shifts: layer.shifts })).reverse() : []),
    { name: more ? "Final" : undefined, shifts: rendered.final },
  ];
  return (
    <div className={styles.calendar} ref={ref}>
      <div className={styles.days} aria-hidden>
        {days.map((d) => (
          <span key={d.getTime()}>
            <span className={styles.weekday}>{weekday.format(d)} </span>
            {number.format(d)}
          </span>
        ))}
      </div>
      {rows.map((row, i) => (
        <div key={i}>
          {row.name && <div className={styles.name}>{row.name}</div>}
          <div className={styles.row}>
            {row.shifts.map((s) => (
              <Bar key={`${s.start}${s.person}`} shift={s} schedule={schedule} from={from} to={to} whole={width} />
            ))}
            {now > from && now < to && <span className={styles.mark} style={{ left: `${(100 * (now - from)) / (to - from)}%` }} />}
          </div>
        </div>
      ))}
    </div>
  );
}

/** What is narrower cannot be hit by a finger; its words are read, and overrides to come stand in a list as well. */
const hittable = 24;

interface BarProps {
  shift: Shift;
  schedule?: string;
  from: number;
  to: number;
  /** Of the calendar, in pixels; 0 until it is known. */
  whole: number;
}

function Bar({ shift, schedule, from, to, whole }: BarProps) {
  const { zone } = useTimeRange();
  const [open, setOpen] = useState(false);
  const left = (100 * (Date.parse(shift.start) - from)) / (to - from);
  const width = (100 * (Date.parse(shift.end) - Date.parse(shift.start))) / (to - from);
  const words = wordsOf(shift, zone);
  const looks = {
    className: shift.override ? `${styles.shift} ${styles.override}` : styles.shift,
    style: { left: `${left}%`, width: `${width}%`, "--person": personColour(shift.person) } as CSSProperties,
    title: words,
    "aria-label": words,
  };
  if (whole > 0 && (whole * width) / 100 < hittable) return <span role="img" {...looks} />;
  return (
    <>
      <button type="button" {...looks} onClick={() => setOpen(true)}>
        {shift.person}
      </button>
      <Modal opened={open} onClose={() => setOpen(false)} title={shift.person}>
        <ShiftActions schedule={schedule} shift={shift} done={() => setOpen(false)} />
      </Modal>
    </>
  );
}

const palette = ["#3b5bdb", "#0b7285", "#5f3dc4", "#2b8a3e", "#a61e4d", "#a3540b", "#1864ab", "#5c7a00"];

/** A person has the same colour everywhere on the page. */
function personColour(name: string): string {
  let sum = 0;
  for (const c of name) sum = (sum * 31 + (c.codePointAt(0) ?? 0)) % 9973;
  return palette[sum % palette.length] ?? "#3b5bdb";
}
