import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useParams } from "react-router";
import { alertQuery } from "@/api/alerts";
import { incidentsQuery } from "@/api/incidents";
import type { Alert } from "@/api/types";
import { Facts } from "@/kit/Facts";
import { formatValue } from "@/kit/format";
import { Link } from "@/kit/Link";
import { Loaded } from "@/kit/Loaded";
import { PageTitle } from "@/kit/PageTitle";
import { servicePath } from "@/kit/paths";
import { Section } from "@/kit/Section";
import { ShortId } from "@/kit/Snippet";
import { StateBadge } from "@/kit/StateBadge";
import { Ago, Elapsed } from "@/kit/Time";
import { useAnnotations } from "@/kit/timeSeries/annotations";
import { QueryGraph } from "@/kit/timeSeries/QueryGraph";
import styles from "./AlertPage.module.css";

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
  const explore = `/explore?expr=${encodeURIComponent(alert.expr)}`;
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
            <StateBadge state={alert.state} filled />
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
          <Section title="Expression" aside={<Link to={explore}>Open in Explore</Link>}>
            <pre className={styles.expr}>{alert.expr}</pre>
            <QueryGraph title="Value" unit="count" queries={queries} annotations={marks} height={220} />
          </Section>
        </div>
        <div className={styles.side}>
          <Section title="Alert">
            <Facts
              facts={[
                ["Value", formatValue(alert.value)],
                ["Made by", alert.source === "slo" ? "an objective of the service" : "a rule"],
                ["Runbook", runbook && <a href={runbook}>{runbook}</a>],
                ["Incident", alert.service && <IncidentOf alert={alert} />],
                ["Id", <ShortId key="id" id={alert.id} />],
              ]}
            />
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
