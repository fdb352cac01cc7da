import type { Destination as DestinationOf } from "@/api/types";
import { Facts } from "@/kit/Facts";
import { Link } from "@/kit/Link";
import { Person } from "@/kit/Person";
import { servicePath } from "@/kit/paths";
import { StateBadge } from "@/kit/StateBadge";
import { Ago } from "@/kit/Time";
import styles from "./Routing.module.css";

/** The way of an alert: what holds it, whom Alertmanager tells, and whose incident it becomes. */
export function Destination({ of, handed }: { of: DestinationOf; handed?: boolean }) {
  return (
    <>
      <p>
        <Verdict of={of} handed={handed} />
      </p>
      {!handed && reason(of) && <p>{reason(of)}</p>}
      {of.dropped && <p>alert_relabel_configs of prometheus.yml drop it: no receiver gets it.</p>}
      {of.silencedBy.length > 0 && (
        <p>
          <Link to="/alerts?tab=silences">Silenced</Link> {of.silencedBy.map((s) => s.text).join("; ")}
        </p>
      )}
      {of.inhibitedBy.length > 0 && <p>Inhibited by {of.inhibitedBy.map((s) => s.text).join("; ")}</p>}
      {!of.dropped &&
        of.paths.map((path) => (
          <Facts
            key={path.id}
            facts={[
              ["Route", path.steps.length > 0 ? <Steps key="s" steps={path.steps} /> : "the one at the top"],
              ["Receiver", path.receiver + (path.integrations.length > 0 ? ` (${path.integrations.join(", ")})` : "")],
              ["Group", <code key="g">{path.groupKey}</code>],
              ["Told by plan", `after ${path.groupWait}, news every ${path.groupInterval}, again after ${path.repeatInterval}`],
              ["Muted", path.mutedBy.join(", ")],
            ]}
          />
        ))}
      {of.texts && of.texts.length > 0 && (
        <details>
          <summary>What would be written</summary>
          <Facts
            facts={of.texts.map((text) => [
              `${text.receiver}, ${text.integration} ${text.field}`,
              text.error ? <StateBadge key="t" state={text.error} tone="critical" /> : <span key="t" className={styles.text}>{text.text}</span>,
            ])}
          />
        </details>
      )}
      {of.told.length > 0 && <Facts facts={of.told.map((one) => [`${one.receiver}, ${one.integration}`, <Told key="t" one={one} />])} />}
      {of.incident && (
        <Facts
          facts={[
            ["Service", of.service ? of.known ? <Link to={servicePath(of.service)}>{of.service}</Link> : `${of.service}, which is not in daytwo.yml` : "none"],
            ["Policy", of.policy ?? "none: the last resort"],
            ["Pages first", of.people.length > 0 ? <People names={of.people} /> : "nobody"],
          ]}
        />
      )}
    </>
  );
}

/** What the last notification came to. */
function Told({ one }: { one: DestinationOf["told"][number] }) {
  return (
    <>
      {one.error ? <StateBadge state="failed" tone="critical" /> : one.ended ? "Told of its end" : "Told"} <Ago time={one.at} />
      {one.error && <>: {one.error}</>}
    </>
  );
}

function Verdict({ of, handed }: { of: DestinationOf; handed?: boolean }) {
  if (handed) return <StateBadge state="Became part of an incident" tone="info" filled />;
  if (!of.incident) return <StateBadge state="Opens no incident" tone="neutral" filled />;
  if (of.withheld) return <StateBadge state="Opens no incident now" tone="warning" filled />;
  return <StateBadge state="Opens an incident" tone="info" filled />;
}

/** The reason in words, where no silence and no inhibition below says it. */
function reason({ withheld, silencedBy, inhibitedBy, dropped }: DestinationOf) {
  if (!withheld || dropped) return undefined;
  if (silencedBy.length > 0 && withheld.startsWith("silenced")) return undefined;
  if (inhibitedBy.length > 0 && withheld.startsWith("inhibited")) return undefined;
  return withheld.startsWith("alertmanager.yml") ? withheld : withheld.charAt(0).toUpperCase() + withheld.slice(1);
}

function Steps({ steps }: { steps: string[] }) {
  return (
    <span className={styles.matchers}>
      {steps.map((step, i) => (
        <code key={i}>{step}</code>
      ))}
    </span>
  );
}

function People({ names }: { names: string[] }) {
  return (
    <>
      {names.map((name) => (
        <Person key={name} name={name} link />
      ))}
    </>
  );
}
