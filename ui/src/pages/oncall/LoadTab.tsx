import { useQuery } from "@tanstack/react-query";
import { analyticsQuery, onCallNowQuery } from "@/api/oncall";
import type { components } from "@/api/schema";
import { EmptyState } from "@/kit/EmptyState";
import { ChoiceFilter, Filters, ServiceFilter } from "@/kit/Filters";
import { formatCount, formatDuration, formatValue, plural } from "@/kit/format";
import { Loaded } from "@/kit/Loaded";
import { Person } from "@/kit/Person";
import { Section } from "@/kit/Section";
import { ServiceLink } from "@/kit/ServiceLink";
import { Table, type Column } from "@/kit/Table";
import { useParam } from "@/kit/useParam";
import { Fairness } from "./Fairness";
import styles from "./LoadTab.module.css";

type Analytics = components["schemas"]["IncidentAnalytics"];
type Numbers = components["schemas"]["IncidentNumbers"];
type OfService = components["schemas"]["IncidentOfService"];
type OfPerson = components["schemas"]["IncidentOfPerson"];
type OfNight = components["schemas"]["IncidentOfNight"];

const spans = [
  { value: "7", label: "Last 7 days" },
  { value: "30", label: "Last 30 days" },
  { value: "90", label: "Last 90 days" },
  { value: "365", label: "Last year" },
];

/** How fast incidents were taken and ended, whom they woke, and how much of it was noise. */
export function LoadTab() {
  const [days] = useParam("days", "30");
  const [service] = useParam("service");
  const span = spans.some((s) => s.value === days) ? Number(days) : 30;
  const query = useQuery(analyticsQuery(span, service));
  const { data: schedules } = useQuery(onCallNowQuery);
  return (
    <>
      <div className={styles.filters}>
        <Filters>
          <ChoiceFilter label="Span" param="days" options={spans} fallback="30" />
          <ServiceFilter />
        </Filters>
      </div>
      <Loaded query={query} rows={8}>
        {(a) =>
          a.all.opened === 0 && a.people.length === 0 ? (
            <EmptyState title="No incident in this span">A longer span, or another service, may have some.</EmptyState>
          ) : (
            <Report analytics={a} />
          )
        }
      </Loaded>
      {!service &&
        schedules?.items.map((s) => (
          <Section key={s.id} title={`Shares of ${s.schedule}`}>
            <Fairness schedule={s.schedule} days={span} />
          </Section>
        ))}
    </>
  );
}

function Report({ analytics: { all, services, people, nights, more } }: { analytics: Analytics }) {
  return (
    <>
      <dl className={styles.figures}>
        <Figure name="Incidents" value={formatCount(all.opened)}>
          {all.opened - all.resolved === 0 ? "all are over" : `${all.opened - all.resolved} still open`}
        </Figure>
        <Figure name="To acknowledge, mean (MTTA)" value={seconds(all.ackMean)}>
          {all.ackMedian === undefined ? "none was acknowledged" : `median ${seconds(all.ackMedian)}, of ${plural(all.acknowledged, "incident")}`}
        </Figure>
        <Figure name="To resolve, mean (MTTR)" value={seconds(all.resolveMean)}>
          {all.resolveMedian === undefined ? "none is over" : `median ${seconds(all.resolveMedian)}, of ${plural(all.resolved, "incident")}`}
        </Figure>
        <Figure name="Pages" value={formatCount(all.pages)}>
          {all.opened === 0 ? "" : `${formatValue(all.pages / all.opened)} for an incident`}
        </Figure>
        <Figure name="Noise" value={noise(all)}>
          {all.resolved === 0 ? "none is over" : `${all.unacted} of ${all.resolved} ended before anybody did anything`}
        </Figure>
      </dl>
      {more && <p className={styles.dim}>There is more than is counted here: choose a shorter span.</p>}
      <Section title="By service">
        <Table label="Incidents by service" rows={services} columns={serviceColumns} rowKey={(s) => s.service} />
      </Section>
      <div className={styles.columns}>
        <Section title="Pages by person">
          {people.length > 0 ? (
            <Table label="Pages by person" rows={people} columns={personColumns} rowKey={(p) => p.person} />
          ) : (
            <p className={styles.dim}>Nobody was paged.</p>
          )}
        </Section>
        <Section title="Nights">
          {nights.length > 0 ? (
            <Table label="Nights with pages" rows={nights} columns={nightColumns} rowKey={(n) => `${n.night}${n.person}`} />
          ) : (
            <p className={styles.dim}>Nobody was paged between 22:00 and 06:00 where they live.</p>
          )}
        </Section>
      </div>
      <p className={styles.dim}>
        A page counts once, over however many channels it rings. Noise is what ended although nobody acknowledged, wrote or did anything. A night
        lasts from 22:00 to 06:00 on the clock of the person.
      </p>
    </>
  );
}

function Figure({ name, value, children }: { name: string; value: string; children: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <span className={styles.value}>{value}</span>
        <span className={styles.dim}>{children}</span>
      </dd>
    </div>
  );
}

const seconds = (value?: number) => (value === undefined ? "–" : formatDuration(value));

/** The part of the incidents that are over on which nobody acted. */
const noise = (n: Numbers) => (n.resolved === 0 ? "–" : formatValue(n.unacted / n.resolved, "ratio"));

const serviceColumns: Column<OfService>[] = [
  { id: "service", header: "Service", phone: "title", cell: (s) => (s.service ? <ServiceLink service={s.service} /> : "none"), value: (s) => s.service },
  { id: "opened", header: "Incidents", align: "end", cell: (s) => formatCount(s.opened), value: (s) => s.opened },
  { id: "alerts", header: "Alerts", align: "end", cell: (s) => formatCount(s.alerts), value: (s) => s.alerts },
  { id: "pages", header: "Pages", align: "end", cell: (s) => formatCount(s.pages), value: (s) => s.pages },
  { id: "mtta", header: "MTTA", align: "end", cell: (s) => seconds(s.ackMean), value: (s) => s.ackMean ?? -1 },
  { id: "mttr", header: "MTTR", align: "end", cell: (s) => seconds(s.resolveMean), value: (s) => s.resolveMean ?? -1 },
  {
    id: "noise",
    header: "Noise",
    align: "end",
    cell: (s) => (s.resolved === 0 ? "–" : `${noise(s)} (${s.unacted} of ${s.resolved})`),
    value: (s) => (s.resolved === 0 ? -1 : s.unacted / s.resolved),
  },
];

const personColumns: Column<OfPerson>[] = [
  { id: "person", header: "Person", phone: "title", cell: (p) => <Person name={p.person} />, value: (p) => p.person },
  { id: "pages", header: "Pages", align: "end", cell: (p) => formatCount(p.pages), value: (p) => p.pages },
  { id: "incidents", header: "Incidents", align: "end", cell: (p) => formatCount(p.incidents), value: (p) => p.incidents },
  { id: "night", header: "At night", align: "end", cell: (p) => formatCount(p.nightPages), value: (p) => p.nightPages },
  { id: "nights", header: "Nights", align: "end", cell: (p) => formatCount(p.nights), value: (p) => p.nights },
  { id: "worst", header: "Worst night", align: "end", cell: (p) => (p.worstNight > 0 ? plural(p.worstNight, "page") : "–"), value: (p) => p.worstNight },
];

const nightColumns: Column<OfNight>[] = [
  { id: "night", header: "Night of", phone: "title", cell: (n) => n.night, value: (n) => n.night },
  { id: "person", header: "Person", cell: (n) => <Person name={n.person} />, value: (n) => n.person },
  { id: "pages", header: "Pages", phone: "side", align: "end", cell: (n) => formatCount(n.pages), value: (n) => n.pages },
];
