import { ActionIcon } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { useState } from "react";
import { previewQuery, type ScheduleBody } from "@/api/catalog";
import { renderedQuery } from "@/api/oncall";
import type { Rendered, Schedule } from "@/api/types";
import { ErrorNote } from "@/kit/ErrorNote";
import { formatDay, formatMoment, plural } from "@/kit/format";
import { Person } from "@/kit/Person";
import { Section } from "@/kit/Section";
import { useTimeRange } from "@/kit/useTimeRange";
import { Calendar } from "./Calendar";
import styles from "./EntryForm.module.css";

const day = 86_400_000;
const typingMs = 300;

/** What saving would bring: the final schedule beside the one in force, and whom it would move. */
export function SchedulePreview({ body, stored, now }: { body?: ScheduleBody; stored?: Schedule; now: number }) {
  const [fortnight, setFortnight] = useState(0);
  const { zone } = useTimeRange();
  const from = new Date((Math.floor(now / day) + 14 * fortnight) * day);
  const to = new Date(from.getTime() + 14 * day);
  const [settled] = useDebouncedValue(body, typingMs);
  const complete = settled !== undefined && settled.layers.every((l) => l.members.length > 0);
  const span = [from.toISOString(), to.toISOString()] as const;
  const after = useQuery({
    ...previewQuery(settled ?? { name: "", timeZone: "UTC", layers: [] }, stored?.id, ...span),
    enabled: complete,
    placeholderData: keepPreviousData,
  });
  const before = useQuery({ ...renderedQuery(stored?.name ?? "", ...span), enabled: stored !== undefined });
  const fixed = stored?.file !== undefined;
  return (
    <Section
      title={fixed ? "Who is on call" : stored ? "As it would be" : "Who would be on call"}
      aside={
        <span className={styles.pager}>
          <ActionIcon aria-label="Two weeks earlier" disabled={fortnight === 0} onClick={() => setFortnight(fortnight - 1)}>
            <IconChevronLeft size={16} />
          </ActionIcon>
          {formatDay(from, zone)} to {formatDay(to, zone)}
          <ActionIcon aria-label="Two weeks later" disabled={fortnight > 20} onClick={() => setFortnight(fortnight + 1)}>
            <IconChevronRight size={16} />
          </ActionIcon>
        </span>
      }
    >
      <div className={styles.effect} aria-live="polite">
        {!complete && <p className={styles.dim}>Every layer needs somebody and a handoff before it can be laid out.</p>}
        {complete && after.error && <ErrorNote error={after.error} />}
        {complete && after.data && !after.error && (
          <>
            <Calendar rendered={after.data} now={now} more />
            <Effects before={fixed ? undefined : before.data} after={after.data} now={now} />
          </>
        )}
        {before.data && !fixed && (
          <>
            <div className={styles.label}>As it is</div>
            <Calendar rendered={before.data} now={now} more={false} />
          </>
        )}
      </div>
    </Section>
  );
}

function Effects({ before, after, now }: { before?: Rendered; after: Rendered; now: number }) {
  const { zone } = useTimeRange();
  const at = (r?: Rendered) => r?.final.find((s) => Date.parse(s.start) <= now && now < Date.parse(s.end))?.person;
  const within = Date.parse(after.from) <= now && now < Date.parse(after.to);
  const [was, will] = [at(before), at(after)];
  const gaps = after.gaps.filter((g) => Date.parse(g.end) > now);
  const gap = gaps[0];
  return (
    <>
      {within && before && was !== will && (
        <p className={styles.warn}>
          Saving changes who is on call now: {was ? <Person name={was} /> : "nobody"} → {will ? <Person name={will} /> : "nobody"}.
        </p>
      )}
      {within && before && was !== undefined && was === will && (
        <p className={styles.dim}>
          <Person name={was} /> stays on call; what was before now stays as it was.
        </p>
      )}
      {gap && (
        <p className={styles.warn}>
          Nobody is on call {Date.parse(gap.start) <= now ? "now" : `from ${formatMoment(gap.start, zone)}`} until {formatMoment(gap.end, zone)}
          {gaps.length > 1 && `, and in ${plural(gaps.length - 1, "more gap")} of these two weeks`}.
        </p>
      )}
    </>
  );
}
