import { useQuery } from "@tanstack/react-query";
import { rulesQuery, type Rule, type RuleGroup } from "@/api/rules";
import { ruleFile } from "@/examples/examples";
import { EmptyState } from "@/kit/EmptyState";
import { formatDuration } from "@/kit/format";
import { Link } from "@/kit/Link";
import { Loaded } from "@/kit/Loaded";
import { Section } from "@/kit/Section";
import { StateBadge } from "@/kit/StateBadge";
import { explorePath } from "@/kit/paths";
import { Ago } from "@/kit/Time";
import styles from "./Rules.module.css";
import { alertCounts, everEvaluated } from "./ruleState";

/** What is watched: the rule files' rules and those made from objectives. */
export function Rules() {
  const query = useQuery(rulesQuery);
  return (
    <Loaded query={query}>
      {(groups) =>
        groups.length > 0 ? (
          groups.map((group) => <Group key={`${group.file} ${group.name}`} group={group} />)
        ) : (
          <EmptyState title="No rules" snippet={ruleFile}>
            Rules come from Prometheus rule files and from the objectives in <code>daytwo.yml</code>.
          </EmptyState>
        )
      }
    </Loaded>
  );
}

function Group({ group }: { group: RuleGroup }) {
  return (
    <Section title={group.name}>
      <p className={styles.group}>
        {group.file && <span className={styles.file}>{group.file}</span>}
        <span>every {formatDuration(group.interval)}</span>
        <Evaluated of={group} />
      </p>
      <ul className={styles.rules}>
        {group.rules.map((rule, i) => (
          <RuleRow key={i} rule={rule} />
        ))}
      </ul>
    </Section>
  );
}

/** When it was last evaluated, and how long that took. */
function Evaluated({ of: { lastEvaluation, evaluationTime = 0 } }: { of: Pick<Rule, "lastEvaluation" | "evaluationTime"> }) {
  if (!everEvaluated(lastEvaluation)) return <span>not evaluated yet</span>;
  return (
    <span>
      evaluated <Ago time={lastEvaluation} /> in {formatDuration(evaluationTime)}
    </span>
  );
}

function RuleRow({ rule }: { rule: Rule }) {
  const service = rule.labels?.service;
  return (
    <li>
      <div className={styles.head}>
        <b>{rule.name}</b>
        {rule.health === "err" ? (
          <StateBadge state="cannot be evaluated" tone="critical" />
        ) : (
          <StateBadge state={rule.state ?? "recording"}>{alertCounts(rule) || undefined}</StateBadge>
        )}
        {service && <Link to={`/services/${encodeURIComponent(service)}`}>{service}</Link>}
        {rule.labels?.severity && <span className={styles.dim}>{rule.labels.severity}</span>}
        {rule.type === "alerting" && (
          <Link to={`/alerts?name=${encodeURIComponent(rule.name)}`}>
            history
          </Link>
        )}
        {rule.duration ? <span className={styles.dim}>for {formatDuration(rule.duration)}</span> : null}
        <span className={styles.dim}>
          <Evaluated of={rule} />
        </span>
      </div>
      <Link to={explorePath(rule.query)} className={styles.expr}>
        <code>{rule.query}</code>
      </Link>
      {rule.lastError && <div className={styles.error}>{rule.lastError}</div>}
    </li>
  );
}
