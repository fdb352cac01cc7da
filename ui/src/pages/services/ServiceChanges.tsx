import { useQuery } from "@tanstack/react-query";
import { timelineQuery } from "@/api/timeline";
import { EmptyState } from "@/kit/EmptyState";
import { Link } from "@/kit/Link";
import { Loaded } from "@/kit/Loaded";
import { Section } from "@/kit/Section";
import { TimelineList } from "@/kit/TimelineList";

export function ServiceChanges({ service }: { service: string }) {
  const query = useQuery(timelineQuery({ service, kind: "change", limit: 100 }));
  return (
    <Section title="Changes" aside={<Link to={`/changes?service=${encodeURIComponent(service)}`}>Whole timeline</Link>}>
      <Loaded query={query}>
        {({ items }) =>
          items.length > 0 ? (
            <TimelineList entries={items} withoutService />
          ) : (
            <EmptyState
              title="No change yet"
              snippet={`curl -X POST ${window.location.origin}/api/timeline/changes \\
  -H "Authorization: Bearer $DAYTWO_TOKEN" -H "Content-Type: application/json" \\
  -d '{"service": "${service}", "action": "deploy", "title": "${service} v2 deployed"}'`}
            >
              Deploys that daytwo does stand here by themselves. Another tool can tell of its own:
            </EmptyState>
          )
        }
      </Loaded>
    </Section>
  );
}
