import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useParams } from "react-router";
import { alertQuery, alertsQuery, destinationQuery } from "@/api/alerts";
import { incidentsQuery } from "@/api/incidents";
import type { Alert } from "@/api/types";
import { Facts } from "@/kit/Facts";
import { formatValue } from "@/kit/format";
import { Link } from "@/kit/Link";
import { Loaded } from "@/kit/Loaded";
import { PageTitle } from "@/kit/PageTitle";
import { servicePath, explorePath } from "@/kit/paths";
import { Section } from "@/kit/Section";
import { ShortId } from "@/kit/Snippet";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { Ago, Elapsed } from "@/kit/Time";
import { useAnnotations } from "@/kit/timeSeries/annotations";
import { QueryGraph } from "@/kit/timeSeries/QueryGraph";
import { useMe } from "@/shell/useMe";
import styles from "./AlertPage.module.css";
import { Destination } from "./Destination";
import { heldBy, matcherFor, stateOf } from "./held";
import { Why } from "./Why";

export function AlertPage() {
  const { id = "" } = useParams();
  const query = useQuery(alertQuery(id));
  return <Loaded query={query} page="Alert">{(alert) => <Detail alert={alert} />}</Loaded>;
}

/** Why it fires: the rule, its value over time, its labels and where they lead. */
function Detail({ alert }: { alert: Alert }) {
  const { summary, runbook, ...annotations } = alert.annotations;
  const marks = useAnnotations(alert.service);
  const queries = useMemo(() => [{ expr: alert.expr }], [alert.expr]);
  const explore = explorePath(alert.expr);
  return (
    <>
      <PageTitle
        title={alert.name}
        over={
          <>
            <Link to="/alerts">Alerts</Link>
            {alert.service && (
              <>
                {" · "}
                <Link to={servicePath(alert.service)}>{alert.service}</Link>
              </>
            )}
          </>
        }
        badge={
          <>
            <StateBadge state={stateOf(alert)} filled />
            <StateBadge state={alert.severity} />
          </>
        }
      >
        {alert.state === "firing" ? "Firing" : "Fired"} since <Ago time={alert.startsAt} />, for{" "}
        <Elapsed from={alert.startsAt} to={alert.endsAt} />
        {alert.ended && ` · ${alert.ended}`}
      </PageTitle>
      {summary && <p className={styles.summary}>{summary}</p>}
      <div className={styles.columns}>
        <div className={styles.main}>
          {alert.expr ? (
            <>
              <Section title="Expression" aside={<Link to={explore}>Open in Explore</Link>}>
                <pre className={styles.expr}>{alert.expr}</pre>
                <QueryGraph title="Value" unit="count" queries={queries} annotations={marks} height={220} />
              </Section>
              <Why id={alert.id} firing={alert.state === "firing"} />
            </>
          ) : (
            <Section title="From outside">
              <p>
                Others sent it to <code>/alertmanager</code>
                {alert.generatorUrl && (
                  <>
                    : <a href={alert.generatorUrl}>{alert.generatorUrl}</a>
                  </>
                )}
                . Its expression is not known here.
              </p>
            </Section>
          )}
          <History alert={alert} />
        </div>
        <div className={styles.side}>
          <Section title="Alert">
            <Facts
              facts={[
                ["Value", formatValue(alert.value)],
                ["Made by", makers[alert.source]],
                ["Runbook", runbook && <a href={runbook}>{runbook}</a>],
                ["Incident", alert.service && <IncidentOf alert={alert} />],
                ["Id", <ShortId key="id" id={alert.id} />],
              ]}
            />
          </Section>
          <Section title="Where it goes" aside={<Link to={tester(alert)}>Test the route</Link>}>
            <Goes alert={alert} />
          </Section>
          <Section title="Labels">
            <Facts facts={Object.entries(alert.labels)} />
          </Section>
          {Object.keys(annotations).length > 0 && (
            <Section title="Annotations">
              <Facts facts={Object.entries(annotations)} />
            </Section>
          )}
        </div>
      </div>
    </>
  );
}

const makers = { rule: "a rule", slo: "an objective of the service", outside: "another server" } as const;

const tester = (alert: Alert) =>
  `/alerts?tab=routes&labels=${encodeURIComponent(
    Object.entries(alert.labels).map(([name, value]) => `${name}=${value.includes(",") ? `"${value}"` : value}`).join("\n"),
  )}${alert.source === "outside" ? "&outside=1" : ""}`;

/** While it fires, where it goes now; afterwards what became of it. */
function Goes({ alert }: { alert: Alert }) {
  const { can } = useMe();
  const firing = alert.state === "firing";
  const query = useQuery({ ...destinationQuery(alert.id), enabled: firing });
  if (!firing) return <p>{alert.handedAt ? "It became part of an incident." : `It opened no incident: ${alert.withheld ?? ""}`}</p>;
  const matchers = Object.entries(alert.labels).map(([name, value]) => matcherFor(name, value));
  return (
    <>
      <Loaded query={query}>{(destination) => <Destination of={destination} handed={alert.handedAt !== undefined} />}</Loaded>
      {can("responder") && (
        <p>
          <Link to={`/alerts?tab=silences&new=1&matchers=${encodeURIComponent(matchers.join("\n"))}`}>Silence it</Link>
        </p>
      )}
    </>
  );
}

/** When it fired before. */
function History({ alert }: { alert: Alert }) {
  const { data } = useQuery(alertsQuery({ name: alert.name, service: alert.service ?? "" }));
  const others = data?.items.filter((a) => a.id !== alert.id && a.fingerprint === alert.fingerprint) ?? [];
  return (
    <Section title="Before" aside={<Link to={`/alerts?name=${encodeURIComponent(alert.name)}`}>All of {alert.name}</Link>}>
      {others.length === 0 ? (
        <p className={styles.dim}>No other alert of these labels is on record.</p>
      ) : (
        <Table label="The same alert before" rows={others} columns={past} rowKey={(a) => a.id} to={(a) => `/alerts/${a.id}`} />
      )}
    </Section>
  );
}

const past: Column<Alert>[] = [
  { id: "since", header: "Since", phone: "title", cell: (a) => <Ago time={a.startsAt} />, value: (a) => a.startsAt },
  { id: "lasted", header: "Lasted", phone: "side", cell: (a) => <Elapsed from={a.startsAt} to={a.endsAt} /> },
  { id: "incident", header: "Incident", cell: (a) => <span title={a.withheld}>{heldBy(a)}</span> },
  { id: "ended", header: "Ended", cell: (a) => a.ended ?? "" },
];

/** A service has one open incident at a time: the one that was open while the alert fired is its own. */
function IncidentOf({ alert }: { alert: Alert }) {
  const { data } = useQuery(incidentsQuery({ service: alert.service }));
  const found = data?.items.find(
    (i) => (!i.resolvedAt || i.resolvedAt >= alert.startsAt) && (!alert.endsAt || i.openedAt <= alert.endsAt),
  );
  if (!found) return "none";
  return (
    <Link to={`/incidents/${found.id}`}>
      #{found.number} {found.title}
    </Link>
  );
}
