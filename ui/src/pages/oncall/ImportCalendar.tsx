import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { importCalendar, useRotaChanged } from "@/api/oncall";
import type { Rendered } from "@/api/types";
import { Dialog } from "@/kit/Dialog";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";
import { formatMoment, plural } from "@/kit/format";
import { toast } from "@/kit/toasts";
import { useTimeRange } from "@/kit/useTimeRange";
import { Calendar } from "./Calendar";
import styles from "./Schedules.module.css";

type Imported = Awaited<ReturnType<typeof importCalendar>>;

/** Shifts of another calendar, seen before they are taken over. */
export function ImportCalendar({ schedule }: { schedule: string }) {
  return (
    <div className={styles.tools}>
      <Dialog label="Import a calendar" title={`Import a calendar into ${schedule}`}>
        {(close) => <Form schedule={schedule} done={close} />}
      </Dialog>
    </div>
  );
}

function Form({ schedule, done }: { schedule: string; done: () => void }) {
  const changed = useRotaChanged();
  const [file, setFile] = useState<{ name: string; text: string }>();
  const [source, setSource] = useState("calendar");
  const look = useMutation({ mutationFn: (text: string) => importCalendar(schedule, text, source, true) });
  const take = useMutation({
    mutationFn: () => importCalendar(schedule, file?.text ?? "", source, false),
    onSuccess: ({ overrides }) => {
      done();
      toast({ tone: "good", text: `${plural(overrides.length, "shift")} taken over into ${schedule}` });
      void changed();
    },
  });
  const choose = async (chosen: File | null | undefined) => {
    take.reset();
    if (!chosen) {
      setFile(undefined);
      look.reset();
      return;
    }
    const text = await chosen.text();
    setFile({ name: chosen.name, text });
    setSource(chosen.name.replace(/\.ics$/i, "").slice(0, 200) || "calendar");
    look.mutate(text);
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    take.mutate();
  };
  return (
    <form className={form.form} onSubmit={submit}>
      <label>
        <div className={styles.label}>An .ics file, as Google Calendar, Outlook or PagerDuty export it</div>
        <input type="file" accept=".ics,text/calendar" onChange={(e) => void choose(e.currentTarget.files?.[0])} />
      </label>
      {look.error && <ErrorNote error={look.error} />}
      {look.data && <Found found={look.data} />}
      {look.data && look.data.overrides.length > 0 && (
        <>
          <TextInput
            label="What it is called"
            description="Importing again under the same name replaces what is still to come of it"
            required
            withAsterisk={false}
            maxLength={200}
            value={source}
            onChange={(e) => setSource(e.currentTarget.value)}
          />
          {take.error && <ErrorNote error={take.error} />}
          <Button type="submit" size="sm" loading={take.isPending}>
            Take {plural(look.data.overrides.length, "shift")} over
          </Button>
        </>
      )}
    </form>
  );
}

const day = 86_400_000;

/** What is in the file: who would be on call when, and whom nobody here knows. */
function Found({ found: { overrides, unknown } }: { found: Imported }) {
  const { zone } = useTimeRange();
  const [now] = useState(Date.now);
  const sorted = overrides.toSorted((a, b) => Date.parse(a.start) - Date.parse(b.start));
  const first = sorted[0];
  return (
    <>
      {first ? (
        <>
          <p>
            {plural(overrides.length, "shift")} of the year to come, from {formatMoment(first.start, zone)} on. They come before the layers, as overrides.
          </p>
          <Calendar rendered={fortnightOf(sorted, Math.max(now, Date.parse(first.start)))} now={now} more={false} />
        </>
      ) : (
        <p>No event of the year to come names anybody here: let its summary or an attendee be a person's name or e-mail address.</p>
      )}
      {unknown.length > 0 && (
        <details open={!first}>
          <summary>{plural(unknown.length, "event")} left out: nobody here is called so</summary>
          <ul className={styles.taken}>
            {unknown.map((what, i) => (
              <li key={i}>{what}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

/** The first two weeks of what is imported, to be drawn. */
function fortnightOf(shifts: Imported["overrides"], begin: number): Rendered {
  const from = Math.floor(begin / day) * day;
  const to = from + 14 * day;
  const seen = shifts.filter((s) => Date.parse(s.end) > from && Date.parse(s.start) < to);
  const cut = seen.map(({ person, start, end }) => ({
    person,
    start: new Date(Math.max(from, Date.parse(start))).toISOString(),
    end: new Date(Math.min(to, Date.parse(end))).toISOString(),
  }));
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), layers: [], final: cut, gaps: [], coverage: 0 };
}
