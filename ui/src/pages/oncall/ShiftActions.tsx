import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { endOverride, override, renderedQuery, swapShifts, useRotaChanged } from "@/api/oncall";
import { peopleQuery } from "@/api/services";
import type { Shift } from "@/api/types";
import { ErrorNote } from "@/kit/ErrorNote";
import { formatMoment } from "@/kit/format";
import { toast, toastError } from "@/kit/toasts";
import { useTimeRange } from "@/kit/useTimeRange";
import { useMe } from "@/shell/useMe";
import styles from "./Schedules.module.css";
import { rest, swappable, whole, wordsOf } from "./shifts";

interface Props {
  /** Absent: nothing can be done here. */
  schedule?: string;
  shift: Shift;
  done: () => void;
}

/** How far ahead shifts are offered for a swap. */
const ahead = 8 * 7 * 86_400_000;

/** One shift of the calendar: who else could take it, in one more tap. */
export function ShiftActions({ schedule, shift, done }: Props) {
  const { zone } = useTimeRange();
  const { can } = useMe();
  const [now] = useState(Date.now);
  // From a little before it, so that it is there as a whole: the calendar cuts off what begins earlier or ends later.
  const from = Math.min(now, Date.parse(shift.start)) - ahead / 8;
  const { data: rendered } = useQuery({
    ...renderedQuery(schedule ?? "", new Date(from).toISOString(), new Date(now + ahead).toISOString()),
    enabled: schedule !== undefined,
  });
  const mine = whole(shift, rendered?.final ?? []);
  const over = Date.parse(mine.end) <= now;
  return (
    <div className={styles.fields}>
      <div>
        {formatMoment(mine.start, zone)} to {formatMoment(mine.end, zone)}
      </div>
      <div className={styles.dim}>{mine.override ? "an override" : `layer ${mine.layer ?? ""}`}</div>
      {schedule && <TakeBack schedule={schedule} shift={mine} done={done} />}
      {schedule && over && <p className={styles.dim}>It is over: what was cannot be changed.</p>}
      {schedule && rendered && !over && can("responder") && (
        <GiveAway schedule={schedule} shift={mine} others={swappable(mine, rendered.final, now)} done={done} />
      )}
    </div>
  );
}

function GiveAway({ schedule, shift, others, done }: { schedule: string; shift: Shift; others: Shift[]; done: () => void }) {
  const { zone } = useTimeRange();
  const { data: people } = useQuery(peopleQuery);
  const changed = useRotaChanged();
  const saved = (text: string, id: string | undefined) => {
    done();
    const undo = () => void endOverride(schedule, id ?? "").catch(toastError).finally(changed);
    toast({ tone: "good", text, action: { label: "Undo", run: undo } });
    void changed();
  };
  const give = useMutation({
    mutationFn: (person: string) => override(schedule, { person, ...rest(shift, Date.now()) }),
    onSuccess: (made) => saved(`${made.person} has the shift of ${shift.person}`, made.id),
  });
  const swap = useMutation({
    mutationFn: (theirs: Shift) => swapShifts(schedule, rest(shift, Date.now()), rest(theirs, Date.now())),
    onSuccess: ({ items }, theirs) => saved(`${shift.person} and ${theirs.person} have swapped`, items[0]?.id),
  });
  return (
    <>
      <h2>Somebody else takes it</h2>
      <div className={styles.spans} role="group" aria-label="Who takes it">
        {people?.items
          .filter((p) => p.name !== shift.person)
          .map((p) => (
            <Button key={p.name} variant="default" size="sm" loading={give.isPending && give.variables === p.name} onClick={() => give.mutate(p.name)}>
              {p.fullName ?? p.name}
            </Button>
          ))}
      </div>
      <h2>Or it is swapped for</h2>
      {others.length === 0 && <p className={styles.dim}>Nobody else has a shift in the next eight weeks.</p>}
      <div className={styles.choices} role="group" aria-label="Swap for">
        {others.slice(0, 6).map((s) => (
          <Button key={`${s.start}${s.person}`} variant="default" size="sm" loading={swap.isPending && swap.variables === s} onClick={() => swap.mutate(s)}>
            {wordsOf(s, zone)}
          </Button>
        ))}
      </div>
      {give.error && <ErrorNote error={give.error} />}
      {swap.error && <ErrorNote error={swap.error} />}
    </>
  );
}

/** Ends an override, for those who may. */
export function TakeBack({ schedule, shift, done }: { schedule: string; shift: Shift; done?: () => void }) {
  const { can } = useMe();
  const changed = useRotaChanged();
  const end = useMutation({
    mutationFn: () => endOverride(schedule, shift.override ?? ""),
    onSuccess: () => {
      done?.();
      void changed();
    },
  });
  if (!shift.override || !can("responder")) return null;
  return (
    <>
      {end.error && <ErrorNote error={end.error} />}
      <Button size="sm" variant="default" loading={end.isPending} onClick={() => end.mutate()}>
        Take the override back
      </Button>
    </>
  );
}
