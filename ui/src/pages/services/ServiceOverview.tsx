import { useQuery } from "@tanstack/react-query";
import { servicesQuery } from "@/api/services";
import { timelineQuery } from "@/api/timeline";
import type { Service } from "@/api/types";
import { Link } from "@/kit/Link";
import { Loaded } from "@/kit/Loaded";
import { Section } from "@/kit/Section";
import { TimelineList } from "@/kit/TimelineList";
import { Breakers } from "./Breakers";
import styles from "./ServiceOverview.module.css";
import { ServiceTable } from "./ServiceTable";

/** What happened to the service lately, and the services around it. */
export function ServiceOverview({ service }: { service: Service }) {
  const services = useQuery(servicesQuery);
  const recent = useQuery(timelineQuery({ service: service.name, limit: 12 }));
  const all = services.data?.items ?? [];
  const below = all.filter((s) => service.dependsOn.includes(s.name));
  const above = all.filter((s) => s.dependsOn.includes(service.name));

  return (
    <div className={styles.columns}>
      <div>
        <Breakers service={service.name} />
        {below.length > 0 && (
          <Section title="Depends on">
            <ServiceTable services={below} />
          </Section>
        )}
        {above.length > 0 && (
          <Section title="Used by">
            <ServiceTable services={above} />
          </Section>
        )}
        {below.length + above.length === 0 && (
          <Section title="Neighbours">
            <p className={styles.none}>
              No service depends on this one, and it names none. Write <code>depends_on</code> in <code>daytwo.yml</code> to see them here.
            </p>
          </Section>
        )}
      </div>
      <Section title="Lately" aside={<Link to={`/changes?service=${encodeURIComponent(service.name)}`}>Timeline</Link>}>
        <Loaded query={recent} rows={6}>
          {({ items }) =>
            items.length > 0 ? <TimelineList entries={items} withoutService /> : <p className={styles.none}>Nothing happened yet.</p>
          }
        </Loaded>
      </Section>
    </div>
  );
}
