import { useQuery } from "@tanstack/react-query";
import { incidentsQuery } from "@/api/incidents";
import { servicesQuery } from "@/api/services";
import { timelineQuery } from "@/api/timeline";
import type { Incident } from "@/api/types";
import { ErrorNote } from "@/kit/ErrorNote";
import { formatDuration, plural } from "@/kit/format";
import { Link } from "@/kit/Link";
import { Loaded } from "@/kit/Loaded";
import { PageTitle } from "@/kit/PageTitle";
import { Section } from "@/kit/Section";
import { StateBadge } from "@/kit/StateBadge";
import { TimelineList } from "@/kit/TimelineList";
import { useNow } from "@/kit/useNow";
import { NoServices } from "../services/NoServices";
import { ServiceTable } from "../services/ServiceTable";
import styles from "./HomePage.module.css";
import { OnCallNow } from "./OnCallNow";
import { OpenIncidents } from "./OpenIncidents";

/** What is wrong, since when, what changed, who looks after it. */
export function HomePage() {
  const incidents = useQuery(incidentsQuery({ limit: 50 }));
  const services = useQuery(servicesQuery);
  const changes = useQuery(timelineQuery({ kind: ["change", "incident"], limit: 15 }));
  const open = incidents.data?.items.filter((i) => i.status !== "resolved") ?? [];

  return (
    <>
      <PageTitle title="Home" badge={incidents.data && <Quiet incidents={incidents.data.items} open={open.length} />} />
      {incidents.error && <ErrorNote error={incidents.error} retry={() => void incidents.refetch()} />}
      <OpenIncidents incidents={open} />
      <div className={styles.columns}>
        <Section title="Services" aside={<Link to="/services">All services</Link>}>
          <Loaded query={services} rows={6}>
            {({ items }) => (items.length > 0 ? <ServiceTable services={items} /> : <NoServices />)}
          </Loaded>
        </Section>
        <div>
          <Section title="On call now" aside={<Link to="/oncall">On-call</Link>}>
            <OnCallNow />
          </Section>
          <Section title="What changed" aside={<Link to="/changes">Changes</Link>}>
            <Loaded query={changes} rows={6}>
              {({ items }) =>
                items.length > 0 ? <TimelineList entries={items} /> : <p className={styles.none}>Nothing changed since daytwo keeps the timeline.</p>
              }
            </Loaded>
          </Section>
        </div>
      </div>
    </>
  );
}

/** The page's one-word answer. */
function Quiet({ incidents, open }: { incidents: Incident[]; open: number }) {
  const now = useNow(30_000);
  if (open > 0) {
    return (
      <StateBadge state="open" tone="critical" filled>
        {plural(open, "open incident")}
      </StateBadge>
    );
  }
  const ended = incidents.map((i) => Date.parse(i.resolvedAt ?? i.openedAt));
  const seconds = ended.length > 0 ? (now - Math.max(...ended)) / 1000 : undefined;
  return (
    <StateBadge state="quiet" tone="good" filled>
      {seconds === undefined ? "quiet: no incident yet" : `quiet for ${formatDuration(Math.max(0, Math.floor(seconds)))}`}
    </StateBadge>
  );
}
