import { Button, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { noticesQuery, statusViewQuery, type ComponentView, type StatusView } from "@/api/statusPage";
import { EmptyState } from "@/kit/EmptyState";
import { Link } from "@/kit/Link";
import { Loaded } from "@/kit/Loaded";
import { PageTitle } from "@/kit/PageTitle";
import { Section } from "@/kit/Section";
import { ServiceLink } from "@/kit/ServiceLink";
import { Snippet } from "@/kit/Snippet";
import { StateBadge } from "@/kit/StateBadge";
import { Ago } from "@/kit/Time";
import { useParam } from "@/kit/useParam";
import { useMe } from "@/shell/useMe";
import { ComponentsEditor } from "./ComponentsEditor";
import { Maintenances } from "./Maintenances";
import { NoticeView } from "./NoticeView";
import { PublishNotice } from "./PublishNotice";
import styles from "./StatusPage.module.css";
import { componentState, indicatorTone, stateTone, uptime } from "./words";

/** What the public sees, and what people tell it. */
export function StatusPagePage() {
  const query = useQuery(statusViewQuery);
  const [tab, setTab] = useParam("tab", "now");
  const { can } = useMe();
  const listed = (query.data?.components.length ?? 0) > 0;
  return (
    <>
      <PageTitle
        title="Status page"
        badge={query.data && listed && <StateBadge state={query.data.description} tone={indicatorTone(query.data.indicator)} filled />}
        actions={
          listed && (
            <>
              {can("responder") && <PublishNotice />}
              <Button component="a" href="/status/" target="_blank" variant="default">
                Open the public page
              </Button>
            </>
          )
        }
      />
      <Tabs value={tab} onChange={(value) => setTab(value ?? "now")} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="now">Now</Tabs.Tab>
          <Tabs.Tab value="told">Told the public</Tabs.Tab>
          <Tabs.Tab value="components">Components</Tabs.Tab>
          <Tabs.Tab value="maintenance">Maintenance</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="now">
          <Loaded query={query} rows={8}>
            {(view) => (listed ? <Now view={view} /> : <Nothing onList={() => setTab("components")} />)}
          </Loaded>
        </Tabs.Panel>
        <Tabs.Panel value="told">
          <Told />
        </Tabs.Panel>
        <Tabs.Panel value="components">
          <ComponentsEditor />
        </Tabs.Panel>
        <Tabs.Panel value="maintenance">
          <Maintenances />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function Nothing({ onList }: { onList: () => void }) {
  const { can } = useMe();
  return (
    <EmptyState
      title="There is no status page yet"
      snippet={"status_page:\n  title: Shop status\n  components:\n    - {name: Checkout, service: checkout}"}
      action={can("operator") && <Button onClick={onList}>List components</Button>}
    >
      It shows the services you list, under names for customers: how they are, how they did for ninety days, and what you tell of it. List them
      here, or in <code>daytwo.yml</code>:
    </EmptyState>
  );
}

function Now({ view }: { view: StatusView }) {
  return (
    <>
      {view.incidents.length > 0 && (
        <Section title="What the public reads now">
          <ul className={styles.list}>
            {view.incidents.map((i) =>
              i.notice ? (
                <NoticeView key={i.id} id={i.id} />
              ) : (
                <li key={i.id}>
                  <div className={styles.head}>
                    <strong>{i.name}</strong>
                    <StateBadge state={i.state} tone={stateTone(i.state)} />
                  </div>
                  <div className={styles.dim}>
                    since <Ago time={i.start} /> · said by the page itself, of <Link to={`/incidents/${i.id}`}>an incident</Link>
                  </div>
                  {i.updates.map((u) => (
                    <p key={u.id} className={styles.text}>
                      {u.text} <span className={styles.dim}>{<Ago time={u.at} />}</span>
                    </p>
                  ))}
                  <PublishNotice incident={i} label="Say it in your words" />
                </li>
              ),
            )}
          </ul>
        </Section>
      )}
      <Section title="Components">
        {view.components.map((c) => (
          <Component key={c.service} component={c} />
        ))}
      </Section>
      <Section title="For others">
        <div className={styles.others}>
          <img src="/status/badge.svg" alt={`Badge: ${view.description}`} height={20} />
          <Snippet>{`[![status](${view.badge})](${view.url})`}</Snippet>
          <Snippet>{`curl ${view.summary}`}</Snippet>
        </div>
        <details>
          <summary>A badge for each component</summary>
          {view.components.map((c) => (
            <div key={c.service} className={styles.others}>
              <img src={local(c.badge)} alt={`Badge: ${c.name}, ${componentState(c.state).words}`} height={20} />
              <img src={`${local(c.badge)}?uptime`} alt={`Badge: ${c.name}, ${uptime(c.uptime)} uptime`} height={20} />
              <Snippet>{`[![${c.name}](${c.badge})](${view.url})`}</Snippet>
            </div>
          ))}
          <p className={styles.dim}>With ?uptime behind its address a badge says how much of 90 days it was up.</p>
        </details>
        <p className={styles.dim}>What reads Statuspage's API reads this one; nobody has to sign in.</p>
      </Section>
    </>
  );
}

/** On this server, under whatever name the reader knows it. */
const local = (address: string) => new URL(address).pathname;

function Component({ component: { name, service, description, state, uptime: percent, days } }: { component: ComponentView }) {
  const { words, tone } = componentState(state);
  return (
    <div className={styles.component}>
      <div className={styles.head}>
        <span>
          <strong>{name}</strong> <span className={styles.dim}>{description}</span>
        </span>
        <StateBadge state={words} tone={tone} />
      </div>
      <div className={styles.days} role="img" aria-label={`The last 90 days of ${name}: ${uptime(percent)} uptime`}>
        {days.map((d) => (
          <i key={d.date} data-level={d.level} title={d.words} />
        ))}
      </div>
      <div className={styles.foot}>
        <span>90 days ago</span>
        <span>
          {uptime(percent)} uptime · <ServiceLink service={service} />
        </span>
        <span>today</span>
      </div>
    </div>
  );
}

/** What people published, also what is over. */
function Told() {
  const query = useQuery(noticesQuery);
  return (
    <Loaded query={query}>
      {({ items }) =>
        items.length > 0 ? (
          <ul className={styles.list}>
            {items.map((n) => (
              <NoticeView key={n.id} id={n.id} />
            ))}
          </ul>
        ) : (
          <EmptyState title="Nothing was published in the last 90 days">
            What you publish stands on the public page until you resolve it. It pages nobody.
          </EmptyState>
        )
      }
    </Loaded>
  );
}
