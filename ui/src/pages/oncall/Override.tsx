import { Button, Modal, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { endOverride, override, useRotaChanged } from "@/api/oncall";
import { peopleQuery } from "@/api/services";
import { ErrorNote } from "@/kit/ErrorNote";
import form from "@/kit/Form.module.css";
import { formatMoment } from "@/kit/format";
import { toast, toastError } from "@/kit/toasts";
import { useTimeRange } from "@/kit/useTimeRange";
import { instantOf, wallOf } from "@/kit/wallClock";
import { useMe } from "@/shell/useMe";
import styles from "./Schedules.module.css";
import { laterSpans, type Span } from "./shifts";

const hour = 3_600_000;
const spans = [
  { label: "1 hour", ms: hour },
  { label: "4 hours", ms: 4 * hour },
  { label: "12 hours", ms: 12 * hour },
  { label: "1 day", ms: 24 * hour },
  { label: "1 week", ms: 7 * 24 * hour },
];

interface Props {
  schedule: string;
  /** Of the schedule: what is to come is asked for on its clock. */
  timeZone: string;
  on?: string;
}

/** Takes over in two taps: the button, then from when to when. */
export function Override(props: Props) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button variant="default" size="sm" onClick={() => setOpen(true)}>
        Override
      </Button>
      <Modal opened={open} onClose={() => setOpen(false)} title={`Override ${props.schedule}`}>
        <Form {...props} done={() => setOpen(false)} />
      </Modal>
    </>
  );
}

function Form({ schedule, timeZone, on, done }: Props & { done: () => void }) {
  const { user } = useMe();
  const { zone } = useTimeRange();
  const { data } = useQuery(peopleQuery);
  const [now] = useState(Date.now);
  const names = data?.items.map((p) => p.name) ?? [];
  const [chosen, setChosen] = useState("");
  const person = chosen || names.find((n) => n === user?.name && n !== on) || names.find((n) => n !== on) || "";
  const changed = useRotaChanged();
  const save = useMutation({
    mutationFn: ({ span }: { span: Span | number; label: string }) => override(schedule, { person, ...(typeof span === "number" ? fromNow(span) : span) }),
    onSuccess: (made) => {
      done();
      const undo = () => void endOverride(schedule, made.id ?? "").catch(toastError).finally(changed);
      const when = Date.parse(made.start) > Date.now() ? `from ${formatMoment(made.start, zone)} ` : "";
      toast({ tone: "good", text: `${made.person} is on call for ${schedule} ${when}until ${formatMoment(made.end, zone)}`, action: { label: "Undo", run: undo } });
      void changed();
    },
  });
  const asked = save.isPending ? save.variables.label : undefined;
  return (
    <div className={styles.fields}>
      <NativeSelect label="Who takes over" size="sm" value={person} data={names} onChange={(e) => setChosen(e.currentTarget.value)} />
      <h2>From now on, for</h2>
      <div className={styles.spans} role="group" aria-label="For how long">
        {spans.map(({ label, ms }) => (
          <Button key={label} size="sm" disabled={!person} loading={asked === label} onClick={() => save.mutate({ span: ms, label })}>
            {label}
          </Button>
        ))}
      </div>
      <h2>Later</h2>
      <div className={styles.spans} role="group" aria-label="Later">
        {laterSpans(now, timeZone).map(({ label, start, end }) => (
          <Button key={label} variant="default" size="sm" disabled={!person} loading={asked === label} onClick={() => save.mutate({ span: { start, end }, label })}>
            {label}
          </Button>
        ))}
      </div>
      <Others now={now} timeZone={timeZone} pending={asked === others} disabled={!person} save={(span) => save.mutate({ span, label: others })} />
      {save.error && <ErrorNote error={save.error} />}
    </div>
  );
}

const others = "other times";

const fromNow = (ms: number): Span => ({ start: new Date().toISOString(), end: new Date(Date.now() + ms).toISOString() });

/** Any span, on the clock of the schedule. */
function Others({ now, timeZone, pending, disabled, save }: { now: number; timeZone: string; pending: boolean; disabled: boolean; save: (span: Span) => void }) {
  const [from, setFrom] = useState(() => wallOf(Math.ceil(now / hour) * hour, timeZone));
  const [to, setTo] = useState(() => wallOf(Math.ceil(now / hour) * hour + 8 * hour, timeZone));
  const [start, end] = [instantOf(from, timeZone), instantOf(to, timeZone)];
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (start && end) save({ start, end });
  };
  return (
    <details>
      <summary>Other times</summary>
      <form className={form.form} onSubmit={submit} aria-label="Other times">
        <div className={form.line}>
          <TextInput label="From" type="datetime-local" required withAsterisk={false} value={from} onChange={(e) => setFrom(e.currentTarget.value)} />
          <TextInput
            label="To"
            type="datetime-local"
            required
            withAsterisk={false}
            value={to}
            onChange={(e) => setTo(e.currentTarget.value)}
            error={start && end && start >= end ? "It ends before it begins." : undefined}
          />
        </div>
        <p>On the clock of {timeZone.replaceAll("_", " ")}.</p>
        <Button type="submit" variant="default" size="sm" loading={pending} disabled={disabled || !start || !end || start >= end}>
          Override
        </Button>
      </form>
    </details>
  );
}
