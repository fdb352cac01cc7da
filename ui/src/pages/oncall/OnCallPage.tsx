import { Button, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Navigate, useNavigate, useParams } from "react-router";
import { policiesQuery } from "@/api/catalog";
import { onCallsQuery, peopleQuery } from "@/api/services";
import type { OnCall, Person as PersonEntry } from "@/api/types";
import { escalationPolicies } from "@/examples/examples";
import { EmptyState } from "@/kit/EmptyState";
import { formatDuration } from "@/kit/format";
import { Link } from "@/kit/Link";
import { Loaded } from "@/kit/Loaded";
import { PageTitle } from "@/kit/PageTitle";
import { servicePath } from "@/kit/paths";
import { Person } from "@/kit/Person";
import { Section } from "@/kit/Section";
import { parseDuration } from "@/kit/timeRange";
import { useNow } from "@/kit/useNow";
import { useCarryTime } from "@/kit/useTimeRange";
import { useMe } from "@/shell/useMe";
import { EntryLink } from "./EntryLink";
import { LoadTab } from "./LoadTab";
import styles from "./OnCallPage.module.css";
import { PeopleTab } from "./PeopleTab";
import { Schedules } from "./Schedules";

const tabs = [
  { value: "now", label: "Now" },
  { value: "people", label: "People and teams" },
  { value: "load", label: "Load" },
];

/** Who is on call, who is paged for what, and how they are reached. */
export function OnCallPage() {
  const { tab = "now" } = useParams();
  const navigate = useNavigate();
  const carry = useCarryTime();
  const { can } = useMe();
  if (!tabs.some((t) => t.value === tab)) return <Navigate to={carry("/oncall")} replace />;
  return (
    <>
      <PageTitle
        title="On-call"
        actions={
          tab === "now" &&
          can("operator") && (
            <>
              <Button component={Link} variant="default" to="/oncall/schedules/new">
                New schedule
              </Button>
              <Button component={Link} variant="default" to="/oncall/policies/new">
                New escalation policy
              </Button>
            </>
          )
        }
      >
        Who is on call, and who is paged in which order if nobody acknowledges.
      </PageTitle>
      <Tabs value={tab} onChange={(value) => void navigate(carry(value === "now" ? "/oncall" : `/oncall/${value ?? ""}`))} keepMounted={false}>
        <Tabs.List>
          {tabs.map((t) => (
            <Tabs.Tab key={t.value} value={t.value}>
              {t.label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="now">
          <Now />
        </Tabs.Panel>
        <Tabs.Panel value="people">
          <PeopleTab />
        </Tabs.Panel>
        <Tabs.Panel value="load">
          <LoadTab />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function Now() {
  const query = useQuery(onCallsQuery);
  const people = useQuery(peopleQuery);
  return (
    <>
      <Schedules />
      <Loaded query={query}>
        {({ items }) =>
          items.length > 0 ? (
            <div className={styles.policies}>
              {items.map((policy) => (
                <Policy key={policy.policy} onCall={policy} people={people.data?.items ?? []} />
              ))}
            </div>
          ) : (
            <EmptyState title="Nobody is on call" snippet={escalationPolicies}>
              Without an escalation policy an incident pages nobody. Make one here, or write one into <code>daytwo.yml</code>, and name it in the
              service:
            </EmptyState>
          )
        }
      </Loaded>
    </>
  );
}

function Policy({ onCall, people }: { onCall: OnCall; people: PersonEntry[] }) {
  const { data } = useQuery(policiesQuery);
  const entry = data?.items.find((p) => p.name === onCall.policy);
  return (
    <Section title={onCall.policy} aside={entry && <EntryLink to={`/oncall/policies/${entry.id}`} noun={`policy ${entry.name}`} file={entry.file} />}>
      <p className={styles.services}>
        {onCall.services.length === 0
          ? "No service uses this policy."
          : onCall.services.map((name, i) => (
              <span key={name}>
                {i > 0 && " · "}
                <Link to={servicePath(name)}>{name}</Link>
              </span>
            ))}
      </p>
      <ol className={styles.levels}>
        {onCall.levels.map((level) => (
          <li key={level.level}>
            <span className={styles.after}>{afterWords(level.after)}</span>
            <div>
              {level.people.length === 0 && <span className={styles.nobody}>nobody</span>}
              {level.people.map((name) => (
                <div key={name} className={styles.person}>
                  <Person name={name} link />
                  <LocalTime person={people.find((p) => p.name === name)} />
                </div>
              ))}
            </div>
          </li>
        ))}
      </ol>
    </Section>
  );
}

function LocalTime({ person }: { person?: PersonEntry }) {
  const now = useNow(30_000);
  if (!person?.timeZone) return null;
  const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: person.timeZone }).format(now);
  return (
    <span className={styles.zone}>
      {time} in {person.timeZone.replace(/^.*\//, "").replaceAll("_", " ")}
    </span>
  );
}

/** "5m" as people say it. */
function afterWords(after: string): string {
  const ms = parseDuration(after) ?? 0;
  return ms === 0 ? "at once" : `after ${formatDuration(ms / 1000)}`;
}
