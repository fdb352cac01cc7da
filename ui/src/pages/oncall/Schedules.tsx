import { Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { onCallNowQuery, renderedQuery, scheduleFeed } from "@/api/oncall";
import type { OnCallNow } from "@/api/types";
import { ErrorNote } from "@/kit/ErrorNote";
import { formatDuration, formatMoment } from "@/kit/format";
import { Person } from "@/kit/Person";
import { Section } from "@/kit/Section";
import { Snippet } from "@/kit/Snippet";
import { StateBadge } from "@/kit/StateBadge";
import { useNow } from "@/kit/useNow";
import { useTimeRange } from "@/kit/useTimeRange";
import { useMe } from "@/shell/useMe";
import { Calendar } from "./Calendar";
import { EntryLink } from "./EntryLink";
import { Fairness } from "./Fairness";
import { ImportCalendar } from "./ImportCalendar";
import { Override } from "./Override";
import { Overrides } from "./Overrides";
import styles from "./Schedules.module.css";

const day = 86_400_000;

/** For every schedule: who is on call, who comes next, and what is not covered. */
export function Schedules() {
  const { data } = useQuery(onCallNowQuery);
  return (
    <>
      {data?.items.map((now) => (
        <Schedule key={now.id} now={now} />
      ))}
    </>
  );
}

function Schedule({ now }: { now: OnCallNow }) {
  const clock = useNow(60_000);
  const { zone } = useTimeRange();
  const { can } = useMe();
  const [more, setMore] = useState(false);
  const from = new Date(Math.floor(clock / day) * day);
  const to = new Date(from.getTime() + 14 * day);
  const rendered = useQuery(renderedQuery(now.schedule, from.toISOString(), to.toISOString()));
  const gap = now.gaps[0];
  return (
    <Section
      title={now.schedule}
      aside={<EntryLink to={`/oncall/schedules/${now.id}`} noun={`schedule ${now.schedule}`} file={now.file} />}
    >
      <div className={styles.now}>
        <div>
          <span className={styles.label}>On call now</span>
          {now.on ? (
            <>
              <strong className={styles.who}>
                <Person name={now.on.person} link />
              </strong>
              <span className={styles.dim}>
                {Date.parse(now.on.end) - clock > 300 * day ? "for good" : `until ${formatMoment(now.on.end, zone)}, ${left(now.on.end, clock)} left`}
                {now.on.override && " · override"}
              </span>
            </>
          ) : (
            <StateBadge state="nobody" />
          )}
        </div>
        <div>
          <span className={styles.label}>Next</span>
          {now.next ? (
            <>
              <span>
                <Person name={now.next.person} link />
              </span>
              <span className={styles.dim}>from {formatMoment(now.next.start, zone)}</span>
            </>
          ) : (
            <span className={styles.dim}>nobody takes over within a year</span>
          )}
        </div>
        {can("responder") && <Override schedule={now.schedule} timeZone={now.timeZone} on={now.on?.person} />}
      </div>
      {gap && (
        <p className={styles.gap}>
          Nobody is on call {Date.parse(gap.start) <= clock ? "now" : `from ${formatMoment(gap.start, zone)}`} until {formatMoment(gap.end, zone)}
          {now.gaps.length > 1 && `, and in ${now.gaps.length - 1} more gaps within two weeks`}.
        </p>
      )}
      {rendered.error && <ErrorNote error={rendered.error} />}
      {rendered.data && <Calendar rendered={rendered.data} now={clock} schedule={now.schedule} more={more} />}
      <div className={styles.tools}>
        <Button variant="subtle" onClick={() => setMore(!more)} aria-expanded={more}>
          {more ? "Less" : "Layers, shares, calendars"}
        </Button>
      </div>
      {more && (
        <>
          <Overrides schedule={now.schedule} />
          <div className={styles.label}>Shares of the last 90 days</div>
          <Fairness schedule={now.schedule} />
          <FeedAddress schedule={now.schedule} />
          {can("responder") && <ImportCalendar schedule={now.schedule} />}
        </>
      )}
    </Section>
  );
}

function left(end: string, now: number): string {
  return formatDuration(Math.max(0, Math.round((Date.parse(end) - now) / 60_000) * 60));
}

function FeedAddress({ schedule }: { schedule: string }) {
  const feed = useMutation({ mutationFn: () => scheduleFeed(schedule) });
  if (feed.data) return <Snippet>{feed.data.url}</Snippet>;
  return (
    <div className={styles.tools}>
      <Button variant="default" loading={feed.isPending} onClick={() => feed.mutate()}>
        Show the address of the calendar
      </Button>
      {feed.error && <ErrorNote error={feed.error} />}
    </div>
  );
}
