import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { timelinePagesQuery } from "@/api/timeline";
import { EmptyState } from "@/kit/EmptyState";
import { ChoiceFilter, Filters, ServiceFilter } from "@/kit/Filters";
import { Loaded } from "@/kit/Loaded";
import { PageTitle } from "@/kit/PageTitle";
import { TimelineList } from "@/kit/TimelineList";
import { useParam } from "@/kit/useParam";
import { useTimeRange } from "@/kit/useTimeRange";
import { useMe } from "@/shell/useMe";
import { RecordChange } from "./RecordChange";

const kinds = [
  { value: "change", label: "Changes" },
  { value: "alert", label: "Alerts" },
  { value: "incident", label: "Incidents" },
  { value: "page", label: "Pages" },
  { value: "run", label: "Runs" },
  { value: "postmortem", label: "Postmortems" },
  { value: "all", label: "Everything" },
];

/** The ledger: what somebody or something did, and what came of it. */
export function ChangesPage() {
  const [kind] = useParam("kind", "change");
  const [service] = useParam("service");
  const { range, setRange } = useTimeRange();
  const { can } = useMe();
  const query = useInfiniteQuery(
    timelinePagesQuery({
      kind: kind === "all" ? undefined : kind,
      service: service || undefined,
      from: range.from,
      // The newest entry belongs to the list even if a clock is a moment ahead.
      to: range.to === "now" ? undefined : range.to,
    }),
  );
  return (
    <>
      <PageTitle title="Changes" actions={can("responder") && <RecordChange service={service} />} />
      <Filters>
        <ChoiceFilter label="Kind" param="kind" fallback="change" options={kinds} />
        <ServiceFilter />
      </Filters>
      <Loaded query={query} rows={8}>
        {({ pages }) => {
          const entries = pages.flatMap((page) => page.items);
          if (entries.length === 0) return <Nothing onWiden={() => setRange({ from: "now-7d", to: "now" })} />;
          return (
            <>
              <TimelineList entries={entries} withoutService={service !== ""} />
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

function Nothing({ onWiden }: { onWiden: () => void }) {
  return (
    <EmptyState
      title="Nothing of this kind in this time range"
      snippet={`curl -X POST ${window.location.origin}/api/timeline/changes \\
  -H "Authorization: Bearer $DAYTWO_TOKEN" -H "Content-Type: application/json" \\
  -d '{"service": "checkout", "action": "flag", "title": "Turned new-tax on"}'`}
      action={
        <Button variant="default" onClick={onWiden} style={{ alignSelf: "flex-start" }}>
          Look at the last 7 days
        </Button>
      }
    >
      Deploys and rollbacks of workloads come by themselves. What another tool changes, it can tell:
    </EmptyState>
  );
}
