import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { inboundEventsQuery, type InboundEvent } from "@/api/events";
import { EmptyState } from "@/kit/EmptyState";
import { ChoiceFilter, Filters } from "@/kit/Filters";
import { Link } from "@/kit/Link";
import { Loaded } from "@/kit/Loaded";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { Ago } from "@/kit/Time";
import type { StateTone } from "@/kit/tone";
import { useParam } from "@/kit/useParam";

const tones: Record<string, StateTone> = { opened: "critical", joined: "critical", failed: "warning", resolved: "good", acknowledged: "info" };

const columns: Column<InboundEvent>[] = [
  { id: "title", header: "Event", phone: "title", cell: (e) => e.body.title ?? (e.dedupKey ?? e.action), value: (e) => e.body.title ?? "" },
  {
    id: "outcome",
    header: "Became",
    phone: "side",
    cell: (e) => (e.outcome ? <StateBadge state={e.outcome} tone={tones[e.outcome] ?? "neutral"} /> : "waiting"),
    value: (e) => e.outcome ?? "",
  },
  { id: "reason", header: "Why", cell: (e) => e.reason ?? "" },
  { id: "incident", header: "Incident", cell: (e) => (e.incidentId ? <Link to={`/incidents/${e.incidentId}`}>open it</Link> : "–") },
  { id: "action", header: "Says", cell: (e) => e.action, value: (e) => e.action },
  { id: "service", header: "Service", cell: (e) => e.service ?? "none", value: (e) => e.service ?? "" },
  { id: "source", header: "From", cell: (e) => e.source, value: (e) => e.source },
  { id: "time", header: "When", cell: (e) => <Ago time={e.time} />, value: (e) => e.time },
];

const outcomes = ["opened", "joined", "updated", "suppressed", "dropped", "acknowledged", "resolved", "noted", "ignored", "failed"];

/** Everything that other systems said, and what became of it. */
export function InboundEvents() {
  const [outcome] = useParam("outcome");
  const query = useInfiniteQuery(inboundEventsQuery(outcome));
  return (
    <>
      <Filters>
        <ChoiceFilter label="What became of it" param="outcome" options={[{ value: "", label: "All that came in" }, ...outcomes]} />
      </Filters>
      <Loaded query={query}>
        {({ pages }) => {
          const rows = pages.flatMap((page) => page.items);
          if (rows.length === 0) {
            return outcome ? (
              <EmptyState title={`Nothing was ${outcome}`}>Another outcome may have some. Events are kept for a week.</EmptyState>
            ) : (
              <EmptyState
                title="Nothing has come in from other systems"
                snippet={`curl -X POST ${window.location.origin}/pagerduty/v2/enqueue -H "Content-Type: application/json" \\
  -d '{"routing_key": "KEY OF A SERVICE", "event_action": "trigger", "payload": {"summary": "Disk is full", "source": "db1", "severity": "critical"}}'`}
              >
                Alertmanager, Grafana and whatever speaks PagerDuty's Events API send here with the key of a service's integration. daytwo's own
                alerts are under Alerts.
              </EmptyState>
            );
          }
          return (
            <>
              <Table label="What came in" rows={rows} columns={columns} rowKey={(e) => e.id} />
              {query.hasNextPage && (
                <Button variant="default" mt={12} loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                  Show earlier
                </Button>
              )}
            </>
          );
        }}
      </Loaded>
    </>
  );
}
