import { Button, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useNavigate, useParams } from "react-router";
import { incidentsQuery } from "@/api/incidents";
import { onCallsQuery, serviceQuery } from "@/api/services";
import { workloadsQuery } from "@/api/workloads";
import type { Service } from "@/api/types";
import { Budget } from "@/kit/Budget";
import { Link } from "@/kit/Link";
import { Loaded } from "@/kit/Loaded";
import { PageTitle } from "@/kit/PageTitle";
import { Person } from "@/kit/Person";
import { StateBadge } from "@/kit/StateBadge";
import { useAnnotations } from "@/kit/timeSeries/annotations";
import { QueryGraph } from "@/kit/timeSeries/QueryGraph";
import { useCarryTime } from "@/kit/useTimeRange";
import { EntryLink } from "../oncall/EntryLink";
import { OpenIncidents } from "../home/OpenIncidents";
import { budgetTone, tightest, useHealth, type Health } from "./health";
import { ServiceAlerts } from "./ServiceAlerts";
import { ServiceChanges } from "./ServiceChanges";
import { ServiceDeploys } from "./ServiceDeploys";
import { ServiceOverview } from "./ServiceOverview";
import styles from "./ServicePage.module.css";
import { goldenSignals, titleOf } from "./signals";

/** The hub: everything about one service is here or one click away. */
export function ServicePage() {
  const { name = "" } = useParams();
  const query = useQuery(serviceQuery(name));
  return <Loaded query={query} page="Service">{(service) => <Hub key={service.name} service={service} />}</Loaded>;
}

const tabs = [
  { value: "overview", label: "Overview" },
  { value: "deploys", label: "Deploys" },
  { value: "alerts", label: "Alerts and SLOs" },
  { value: "changes", label: "Changes" },
];

function Hub({ service }: { service: Service }) {
  const { tab = "overview" } = useParams();
  const navigate = useNavigate();
  const carry = useCarryTime();
  const health = useHealth()(service.name);
  const base = `/services/${encodeURIComponent(service.name)}`;
  const expressions = goldenSignals(service).map((s) => `q=${encodeURIComponent(s.expr)}`);

  return (
    <>
      <PageTitle
        title={service.name}
        over={<Link to="/services">Services</Link>}
        badge={<StateBadge state={health.words} tone={health.tone} filled />}
        actions={
          <>
            <EntryLink to={`/oncall/services/${service.id}`} noun={`service ${service.name}`} file={service.file} />
            <Button component={Link} variant="default" to={`/explore?${expressions[0] ?? ""}&unit=perSecond`}>
              Explore
            </Button>
          </>
        }
      >
        {service.description}
      </PageTitle>
      <Facts service={service} health={health} />
      <Open service={service.name} />
      <Signals service={service} />
      <Tabs value={tab} onChange={(value) => void navigate(carry(value === "overview" ? base : `${base}/${value ?? ""}`))} keepMounted={false}>
        <Tabs.List mb={4}>
          {tabs.map((t) => (
            <Tabs.Tab key={t.value} value={t.value}>
              {t.label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="overview">
          <ServiceOverview service={service} />
        </Tabs.Panel>
        <Tabs.Panel value="deploys">
          <ServiceDeploys service={service.name} />
        </Tabs.Panel>
        <Tabs.Panel value="alerts">
          <ServiceAlerts service={service.name} slos={health.slos} />
        </Tabs.Panel>
        <Tabs.Panel value="changes">
          <ServiceChanges service={service.name} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function Open({ service }: { service: string }) {
  const { data } = useQuery(incidentsQuery({ status: "open", service }));
  return <OpenIncidents incidents={data?.items ?? []} />;
}

/** Owner, on call, budget and running version, in one line. */
function Facts({ service, health }: { service: Service; health: Health }) {
  const onCalls = useQuery(onCallsQuery);
  const workloads = useQuery(workloadsQuery);
  const people = onCalls.data?.items.find((o) => o.policy === service.escalationPolicy)?.levels[0]?.people ?? [];
  const running = workloads.data?.items.filter((w) => w.service === service.name) ?? [];
  const slo = tightest(health.slos) ?? health.slos[0];
  return (
    <dl className={styles.facts}>
      <div>
        <dt>Owner</dt>
        <dd>{service.team ?? "no team"}</dd>
      </div>
      <div>
        <dt>On call</dt>
        <dd>
          {people.length > 0 ? people.map((p) => <Person key={p} name={p} link />) : <span>{onCalls.data ? "nobody" : ""}</span>}
        </dd>
      </div>
      {slo && (
        <div>
          <dt>Error budget</dt>
          <dd>
            <Budget remaining={slo.budgetRemaining} tone={budgetTone(slo)} label={slo.name} window={slo.window} />
          </dd>
        </div>
      )}
      {running.length > 0 && (
        <div>
          <dt>Running</dt>
          <dd>
            {running.map((w) => (
              <Link key={w.name} to={`/workloads/${encodeURIComponent(w.name)}`}>
                {running.length > 1 && `${w.name} `}
                {w.version ?? `revision ${w.revision}`}
              </Link>
            ))}
          </dd>
        </div>
      )}
      {service.runbook && (
        <div>
          <dt>Runbook</dt>
          <dd>
            <a href={service.runbook}>open</a>
          </dd>
        </div>
      )}
      {service.repository && (
        <div>
          <dt>Repository</dt>
          <dd>
            <a href={service.repository}>open</a>
          </dd>
        </div>
      )}
    </dl>
  );
}

function Signals({ service }: { service: Service }) {
  const annotations = useAnnotations(service.name);
  const signals = useMemo(() => goldenSignals(service).map((s) => ({ ...s, queries: [{ expr: s.expr, label: s.label }] })), [service]);
  return (
    <div className={styles.signals}>
      {signals.map((signal) => (
        <QueryGraph key={signal.id} title={titleOf(signal)} unit={signal.unit} queries={signal.queries} annotations={annotations} height={168} />
      ))}
    </div>
  );
}
