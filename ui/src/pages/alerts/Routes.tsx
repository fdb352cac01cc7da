import { Checkbox, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { routesQuery, routeTestQuery } from "@/api/alerts";
import type { RouteNode, RouteTree } from "@/api/types";
import { ErrorNote } from "@/kit/ErrorNote";
import { Loaded } from "@/kit/Loaded";
import { Section } from "@/kit/Section";
import { Snippet } from "@/kit/Snippet";
import { StateBadge } from "@/kit/StateBadge";
import { useParam } from "@/kit/useParam";
import { Destination } from "./Destination";
import { splitLabels } from "./held";
import styles from "./Routing.module.css";

/** Where alerts go: the tree of alertmanager.yml, and the way of one with labels typed in. */
export function Routes() {
  const query = useQuery(routesQuery);
  const [text, setText] = useParam("labels");
  const [outside, setOutside] = useParam("outside");
  const [settled] = useDebouncedValue(text, 300);
  const labels = splitLabels(settled);
  const test = useQuery({ ...routeTestQuery(labels, outside === "1"), enabled: labels.length > 0, placeholderData: keepPreviousData });
  const taken = labels.length > 0 ? (test.data?.paths.map((p) => p.id) ?? []) : [];
  return (
    <div className={styles.columns}>
      <div className={styles.main}>
        <Section title="Where would this alert go?">
          <Textarea
            aria-label="Labels of the alert"
            description="Labels of the alert, one a line or with commas"
            placeholder={"alertname=DiskFull, service=checkout, severity=critical"}
            autosize
            minRows={2}
            maxRows={8}
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
            value={text}
            onChange={(e) => setText(e.currentTarget.value)}
          />
          <Checkbox
            mt={8}
            size="xs"
            label="Sent to /alertmanager by others, so without external labels and relabelling of prometheus.yml"
            checked={outside === "1"}
            onChange={(e) => setOutside(e.currentTarget.checked ? "1" : "")}
          />
          <div aria-live="polite" className={styles.answer}>
            {labels.length > 0 && test.error && <ErrorNote error={test.error} />}
            {labels.length > 0 && test.data && <Destination of={test.data} />}
          </div>
        </Section>
      </div>
      <div className={styles.main}>
        <Loaded query={query}>{(tree) => <Tree tree={tree} taken={taken} />}</Loaded>
      </div>
    </div>
  );
}

function Tree({ tree, taken }: { tree: RouteTree; taken: string[] }) {
  return (
    <>
      <Section title="Routes">
        {!tree.file && (
          <p className={styles.dim}>
            There is no <code>alertmanager.yml</code>: every alert opens an incident of its service, at once.
          </p>
        )}
        <ul className={styles.tree}>
          {tree.nodes.map((node) => (
            <li key={node.id} style={{ paddingInlineStart: 8 + node.depth * 20 }} data-taken={taken.includes(node.id) || undefined}>
              <Route node={node} taken={taken.includes(node.id)} />
            </li>
          ))}
        </ul>
      </Section>
      {tree.inhibitions.length > 0 && (
        <Section title="Inhibition">
          <ul className={styles.preview}>
            {tree.inhibitions.map((rule, i) => (
              <li key={i}>
                <code>{rule.source}</code> holds <code>{rule.target}</code>
                {rule.equal.length > 0 && <> of the same {rule.equal.join(", ")}</>}
              </li>
            ))}
          </ul>
        </Section>
      )}
      {tree.file && (
        <Section title="In force">
          <details>
            <summary>{tree.file}</summary>
            <Snippet>{tree.config}</Snippet>
          </details>
        </Section>
      )}
    </>
  );
}

function Route({ node, taken }: { node: RouteNode; taken: boolean }) {
  return (
    <>
      <div className={styles.route}>
        <code>{node.matchers || (node.root ? "every alert" : "any")}</code>
        <span aria-hidden>→</span>
        <b>{node.receiver}</b>
        {node.incident && <StateBadge state="incident" tone="info" />}
        {node.mutedNow && <StateBadge state="muted now" tone="warning" />}
        {taken && <StateBadge state="taken" tone="good" />}
      </div>
      <div className={styles.dim}>
        {[
          node.integrations.length > 0 ? `tells ${node.integrations.join(", ")}` : node.incident ? "" : "tells nobody",
          node.continue && "and goes on",
          node.groupBy.length > 0 && `grouped by ${node.groupBy.join(", ")}`,
          `waits ${node.groupWait}`,
          node.mutedIn.length > 0 && `muted in ${node.mutedIn.join(", ")}`,
          node.activeIn.length > 0 && `only in ${node.activeIn.join(", ")}`,
        ]
          .filter(Boolean)
          .join(" · ")}
      </div>
    </>
  );
}
