import { useQuery } from "@tanstack/react-query";
import { targetsQuery, type Target } from "@/api/targets";
import { EmptyState } from "@/kit/EmptyState";
import { ChoiceFilter, Filters, SearchFilter } from "@/kit/Filters";
import { formatDuration } from "@/kit/format";
import { Loaded } from "@/kit/Loaded";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { Ago } from "@/kit/Time";
import { explorePath } from "@/kit/paths";
import { useParam } from "@/kit/useParam";
import { LabelList } from "./LabelList";
import { byUrgency, healthTone, jobOf, matches } from "./pools";
import styles from "./Targets.module.css";

const never = "0001-01-01T00:00:00Z";

const columns: Column<Target>[] = [
  { id: "instance", header: "Instance", phone: "title", cell: (t) => t.labels.instance ?? t.scrapeUrl, value: (t) => t.labels.instance ?? "" },
  { id: "health", header: "Health", phone: "side", cell: (t) => <StateBadge state={t.health} tone={healthTone[t.health]} />, value: (t) => t.health },
  { id: "job", header: "Job", cell: jobOf, value: jobOf },
  { id: "labels", header: "Labels", phone: "hide", cell: (t) => <LabelList labels={t.labels} without={["job", "instance"]} /> },
  { id: "scraped", header: "Scraped", cell: (t) => (t.lastScrape === never ? "not yet" : <Ago time={t.lastScrape} />), value: (t) => t.lastScrape },
  { id: "took", header: "Took", align: "end", cell: (t) => formatDuration(t.lastScrapeDuration), value: (t) => t.lastScrapeDuration },
  { id: "every", header: "Every", align: "end", phone: "hide", cell: (t) => t.scrapeInterval, value: (t) => t.scrapeInterval },
  { id: "why", header: "Error", cell: (t) => (t.lastError ? <span className={styles.error}>{t.lastError}</span> : "") },
];

const states = [
  { value: "", label: "Up and down" },
  { value: "down", label: "Down" },
  { value: "up", label: "Up" },
  { value: "unknown", label: "Not scraped yet" },
];

const snippet = `# prometheus.yml
scrape_configs:
  - job_name: node
    static_configs:
      - targets: [web-1:9100, web-2:9100]`;

export function TargetList() {
  const [health] = useParam("health");
  const [job] = useParam("job");
  const [words] = useParam("q");
  const query = useQuery(targetsQuery);
  return (
    <Loaded query={query}>
      {({ activeTargets }) => {
        if (activeTargets.length === 0) {
          return (
            <EmptyState title="Nothing is scraped" snippet={snippet}>
              Targets come from the scrape configs of <code>prometheus.yml</code> in the operations directory, and from the workloads that daytwo runs.
            </EmptyState>
          );
        }
        const jobs = [...new Set(activeTargets.map(jobOf))].sort();
        const shown = byUrgency(activeTargets).filter(
          (t) => (!health || t.health === health) && (!job || jobOf(t) === job) && matches(t, words),
        );
        return (
          <>
            <Filters>
              <ChoiceFilter label="Health" param="health" options={states} />
              <ChoiceFilter label="Job" param="job" options={[{ value: "", label: "All jobs" }, ...jobs]} />
              <SearchFilter label="Search labels, addresses and errors" />
            </Filters>
            {shown.length > 0 ? (
              <Table label="Targets" rows={shown} columns={columns} rowKey={(t) => `${t.scrapePool} ${t.scrapeUrl} ${t.labels.instance ?? ""}`} to={toSamples} />
            ) : (
              <EmptyState title="No target of this kind">{`${activeTargets.length} others are scraped.`}</EmptyState>
            )}
          </>
        );
      }}
    </Loaded>
  );
}

/** A target opens what it is about: whether it was up. */
function toSamples(target: Target): string {
  const { job, instance } = target.labels;
  const text = JSON.stringify;
  const expr = `up{job=${text(job ?? "")},instance=${text(instance ?? "")}}`;
  return explorePath(expr);
}
