import { useQuery } from "@tanstack/react-query";
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
import styles from "./OnCallPage.module.css";
import { Schedules } from "./Schedules";

/** Who is paged for what, and what time it is where they are. */
export function OnCallPage() {
  const query = useQuery(onCallsQuery);
  const people = useQuery(peopleQuery);
  return (
    <>
      <PageTitle title="On-call">Who is on call, and who is paged in which order if nobody acknowledges.</PageTitle>
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
              Without an escalation policy an incident pages nobody. Write one into <code>daytwo.yml</code> and name it in the
              service:
            </EmptyState>
          )
        }
      </Loaded>
    </>
  );
}

function Policy({ onCall, people }: { onCall: OnCall; people: PersonEntry[] }) {
  return (
    <Section title={onCall.policy}>
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
