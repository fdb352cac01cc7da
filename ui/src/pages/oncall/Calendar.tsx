import { Button, Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type CSSProperties } from "react";
import { endOverride } from "@/api/oncall";
import type { Rendered, Shift } from "@/api/types";
import { ErrorNote } from "@/kit/ErrorNote";
import { formatMoment } from "@/kit/format";
import { useTimeRange } from "@/kit/useTimeRange";
import { useMe } from "@/shell/useMe";
import styles from "./Schedules.module.css";

interface Props {
  rendered: Rendered;
  schedule: string;
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
  const rows: { name?: string; shifts: Shift[] }[] = [
    ...(more ? [...rendered.layers].reverse().map((layer) => ({ name: layer.name, shifts: layer.shifts })) : []),
    { name: more ? "Final" : undefined, shifts: rendered.final },
  ];
  return (
    <div className={styles.calendar}>
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
              <Bar key={`${s.start}${s.person}`} shift={s} schedule={schedule} from={from} to={to} />
            ))}
            {now > from && now < to && <span className={styles.mark} style={{ left: `${(100 * (now - from)) / (to - from)}%` }} />}
          </div>
        </div>
      ))}
    </div>
  );
}

function Bar({ shift, schedule, from, to }: { shift: Shift; schedule: string; from: number; to: number }) {
  const { zone } = useTimeRange();
  const { can } = useMe();
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const end = useMutation({
    mutationFn: () => endOverride(schedule, shift.override ?? ""),
    onSuccess: () => {
      setOpen(false);
      void client.invalidateQueries({ queryKey: ["oncall"] });
    },
  });
  const left = (100 * (Date.parse(shift.start) - from)) / (to - from);
  const width = (100 * (Date.parse(shift.end) - Date.parse(shift.start))) / (to - from);
  const words = `${shift.person}, ${formatMoment(shift.start, zone)} to ${formatMoment(shift.end, zone)}`;
  return (
    <>
      <button
        type="button"
        className={shift.override ? `${styles.shift} ${styles.override}` : styles.shift}
        style={{ left: `${left}%`, width: `${width}%`, "--person": personColour(shift.person) } as CSSProperties}
        title={words}
        aria-label={words}
        onClick={() => setOpen(true)}
      >
        {shift.person}
      </button>
      <Modal opened={open} onClose={() => setOpen(false)} title={shift.person}>
        <div className={styles.fields}>
          <div>
            {formatMoment(shift.start, zone)} to {formatMoment(shift.end, zone)}
          </div>
          <div className={styles.dim}>{shift.override ? "an override" : `layer ${shift.layer ?? ""}`}</div>
          {end.error && <ErrorNote error={end.error} />}
          {shift.override && can("responder") && (
            <Button size="sm" variant="default" loading={end.isPending} onClick={() => end.mutate()}>
              Take the override back
            </Button>
          )}
        </div>
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
