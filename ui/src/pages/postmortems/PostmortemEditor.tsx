import { Button, Textarea, TextInput } from "@mantine/core";
import { postmortemMarkdownPath } from "@/api/postmortems";
import type { PostmortemDetail } from "@/api/types";
import { ErrorNote } from "@/kit/ErrorNote";
import { Facts } from "@/kit/Facts";
import { Link } from "@/kit/Link";
import { PageTitle } from "@/kit/PageTitle";
import { Person } from "@/kit/Person";
import { Section } from "@/kit/Section";
import { ServiceLink } from "@/kit/ServiceLink";
import { StateBadge } from "@/kit/StateBadge";
import { Ago, Elapsed } from "@/kit/Time";
import { TimelineList } from "@/kit/TimelineList";
import { Actions } from "./Actions";
import { Conflict } from "./Conflict";
import { fieldNames } from "./draft";
import styles from "./PostmortemEditor.module.css";
import { useDraft } from "./useDraft";

const texts = [
  { field: "summary", hint: "What happened, in a few sentences for somebody who was not there." },
  { field: "impact", hint: "Who noticed, for how long, and what they could not do." },
  { field: "rootCause", hint: "What made it possible. Conditions, not culprits." },
  { field: "lessons", hint: "What went well, what went badly, where we were lucky." },
] as const;

export function PostmortemEditor({ latest, editable }: { latest: PostmortemDetail; editable: boolean }) {
  const { draft, change, dirty, save, outdated, takeOver, both, discard } = useDraft(latest);
  const published = latest.status === "published";

  return (
    <>
      <PageTitle
        title={latest.title}
        over={
          <>
            <Link to="/postmortems">Postmortems</Link> · incident{" "}
            <Link to={`/incidents/${latest.incidentId}`}>#{latest.number}</Link>
          </>
        }
        badge={<StateBadge state={latest.status} filled />}
        actions={
          <>
            <Button variant="default" component="a" href={postmortemMarkdownPath(latest.id)} download>
              Export Markdown
            </Button>
            {editable && (
              <Button
                variant="default"
                disabled={save.isPending || outdated}
                onClick={() => save.mutate({ status: published ? "draft" : "published" })}
              >
                {published ? "Back to draft" : dirty ? "Save and publish" : "Publish"}
              </Button>
            )}
          </>
        }
      >
        Updated <Ago time={latest.updatedAt} />
      </PageTitle>
      <div className={styles.columns}>
        <form
          className={styles.form}
          aria-label="Postmortem"
          onSubmit={(event) => {
            event.preventDefault();
            save.mutate({});
          }}
        >
          {outdated && <Conflict latest={latest} dirty={dirty} onTakeOver={takeOver} onDiscard={discard} />}
          <TextInput
            label={fieldNames.title}
            required
            withAsterisk={false}
            readOnly={!editable}
            value={draft.title}
            onChange={(e) => change({ title: e.currentTarget.value })}
          />
          {texts.map(({ field, hint }) => (
            <div key={field}>
              <Textarea
                label={fieldNames[field]}
                description={hint}
                autosize
                minRows={3}
                readOnly={!editable}
                value={draft[field]}
                onChange={(e) => change({ [field]: e.currentTarget.value })}
              />
              {both.includes(field) && (
                <details className={styles.theirs} open>
                  <summary>Somebody else wrote here too. Theirs:</summary>
                  <pre>{latest[field] || "(nothing)"}</pre>
                </details>
              )}
            </div>
          ))}
          <Actions actions={draft.actions} editable={editable} onChange={(actions) => change({ actions })} />
          {save.error && !outdated && <ErrorNote error={save.error} />}
          {editable && (
            <div className={styles.save} data-dirty={dirty || undefined}>
              <span role="status">{dirty ? "Not saved yet" : "All saved"}</span>
              {dirty && (
                <Button variant="subtle" size="sm" onClick={discard}>
                  Discard
                </Button>
              )}
              <Button type="submit" size="sm" disabled={!dirty || outdated} loading={save.isPending}>
                Save
              </Button>
            </div>
          )}
        </form>
        <aside className={styles.aside}>
          <Section title="Facts">
            <Facts
              facts={[
                ["Service", <ServiceLink key="s" service={latest.service} />],
                ["Severity", <StateBadge key="v" state={latest.severity} />],
                ["Opened", <Ago key="o" time={latest.openedAt} />],
                ["Acknowledged", latest.acknowledgedAt && <Took from={latest.openedAt} to={latest.acknowledgedAt} by={latest.acknowledgedBy} />],
                ["Resolved", <Took key="r" from={latest.openedAt} to={latest.resolvedAt} by={latest.resolvedBy} />],
                ["People", latest.people.length > 0 && latest.people.map((name) => <div key={name}><Person name={name} /></div>)],
              ]}
            />
          </Section>
          <Section title="Timeline">
            <TimelineList entries={latest.timeline} />
          </Section>
        </aside>
      </div>
    </>
  );
}

function Took({ from, to, by }: { from: string; to: string; by?: string }) {
  return (
    <>
      after <Elapsed from={from} to={to} />
      {by && (
        <>
          {" by "}
          <Person name={by} />
        </>
      )}
    </>
  );
}
