import { useQuery } from "@tanstack/react-query";
import { useParams } from "react-router";
import { runQuery } from "@/api/runs";
import { Facts } from "@/kit/Facts";
import { Link } from "@/kit/Link";
import { Loaded } from "@/kit/Loaded";
import { PageTitle } from "@/kit/PageTitle";
import { servicePath } from "@/kit/paths";
import { Person } from "@/kit/Person";
import { CancelRun, RunView } from "@/kit/RunView";
import { Section } from "@/kit/Section";
import { ShortId } from "@/kit/Snippet";
import { StateBadge } from "@/kit/StateBadge";
import { Ago, Elapsed } from "@/kit/Time";
import { useMe } from "@/shell/useMe";

export function RunPage() {
  const { id = "" } = useParams();
  const query = useQuery(runQuery(id));
  const { can } = useMe();
  return (
    <Loaded query={query} page="Run">
      {(run) => {
        const output = Object.entries(run.output ?? {});
        return (
          <>
            <PageTitle
              title={run.title}
              over={
                <>
                  <Link to="/runs">Runs</Link> · {run.kind} <ShortId id={run.id} />
                </>
              }
              badge={<StateBadge state={run.status} filled />}
              actions={!run.finishedAt && can("operator") && <CancelRun run={run} />}
            >
              {run.service && (
                <>
                  <Link to={servicePath(run.service)}>{run.service}</Link>
                  {" · "}
                </>
              )}
              {run.startedAt ? "started" : "queued"} <Ago time={run.startedAt ?? run.queuedAt} />
              {run.actor && (
                <>
                  {" by "}
                  <Person name={run.actor} />
                </>
              )}
              {run.startedAt && (
                <>
                  {" · "}
                  {run.finishedAt ? "took " : "for "}
                  <Elapsed from={run.startedAt} to={run.finishedAt} />
                </>
              )}
            </PageTitle>
            <RunView id={run.id} />
            {output.length > 0 && (
              <Section title="Output">
                <Facts facts={output} />
              </Section>
            )}
          </>
        );
      }}
    </Loaded>
  );
}
