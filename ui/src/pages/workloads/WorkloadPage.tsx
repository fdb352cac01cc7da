import { Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { revisionsQuery, workloadQuery } from "@/api/workloads";
import { Facts } from "@/kit/Facts";
import { Link } from "@/kit/Link";
import { Loaded } from "@/kit/Loaded";
import { PageTitle } from "@/kit/PageTitle";
import { servicePath } from "@/kit/paths";
import { RunView } from "@/kit/RunView";
import { Section } from "@/kit/Section";
import { StateMark } from "@/kit/StateBadge";
import { Ago } from "@/kit/Time";
import { useCarryTime } from "@/kit/useTimeRange";
import { useMe } from "@/shell/useMe";
import { Manifest } from "./Manifest";
import { Revisions } from "./Revisions";
import styles from "./WorkloadPage.module.css";
import { WorkloadActions } from "./WorkloadActions";
import { WorkloadLog } from "./WorkloadLog";
import { WorkloadState } from "./WorkloadsPage";

export function WorkloadPage() {
  const { name = "", tab = "overview" } = useParams();
  const navigate = useNavigate();
  const carry = useCarryTime();
  const query = useQuery(workloadQuery(name));
  const revisions = useQuery(revisionsQuery(name));
  const [run, setRun] = useState<string>();
  const { can } = useMe();
  return (
    <Loaded query={query} page="Workload">
      {(workload) => (
        <>
          <PageTitle
            title={workload.name}
            over={
              <>
                <Link to="/workloads">Workloads</Link>
                {workload.service && (
                  <>
                    {" · service "}
                    <Link to={servicePath(workload.service)}>{workload.service}</Link>
                  </>
                )}
              </>
            }
            badge={<WorkloadState workload={workload} filled />}
            actions={
              can("operator") && (
                <WorkloadActions workload={workload} revisions={revisions.data?.items} onRun={(started) => setRun(started.id)} />
              )
            }
          >
            {workload.version ?? "no version"} · revision {workload.revision}
            {workload.startedAt && (
              <>
                {" · running since "}
                <Ago time={workload.startedAt} />
              </>
            )}
          </PageTitle>
          {workload.reason && (
            <p className={styles.reason}>
              <StateMark tone={workload.status === "crashing" ? "critical" : "info"} /> {workload.reason}
            </p>
          )}
          {run && <RunView key={run} id={run} inset cancellable />}
          <Tabs
            value={tab}
            onChange={(value) => void navigate(carry(`/workloads/${name}${value === "overview" ? "" : `/${value ?? ""}`}`))}
            keepMounted={false}
            mt={12}
          >
            <Tabs.List>
              <Tabs.Tab value="overview">Overview</Tabs.Tab>
              <Tabs.Tab value="log">Log</Tabs.Tab>
              <Tabs.Tab value="manifest">Manifest</Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="overview">
              <Section title="Process">
                <Facts
                  facts={[
                    ["Address", workload.address],
                    ["Process id", workload.pid || undefined],
                    ["Restarts", workload.restarts],
                    ["Takes traffic", workload.ready ? "yes" : "no"],
                    ["Brought by", workload.run && <Link to={`/runs/${workload.run}`}>its run</Link>],
                  ]}
                />
              </Section>
              <Section title="Revisions">
                <Loaded query={revisions}>{({ items }) => <Revisions revisions={items} />}</Loaded>
              </Section>
            </Tabs.Panel>
            <Tabs.Panel value="log">
              <WorkloadLog name={name} />
            </Tabs.Panel>
            <Tabs.Panel value="manifest">
              <Loaded query={revisions}>
                {({ items }) => <Manifest revision={items.find((r) => r.current) ?? items[0]} editable={can("operator")} />}
              </Loaded>
            </Tabs.Panel>
          </Tabs>
        </>
      )}
    </Loaded>
  );
}
