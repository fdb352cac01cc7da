import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearchParams } from "react-router";
import type { Revision, Run, Workload } from "@/api/types";
import { removeWorkload, restart, rollBack } from "@/api/workloads";
import { ConfirmAction } from "@/kit/ConfirmAction";
import { revisionName } from "./revisionName";

interface Props {
  workload: Workload;
  revisions?: Revision[];
  onRun: (run: Run) => void;
}

/** Roll back to the last good revision, restart, or remove; `?do=rollback` asks at once. */
export function WorkloadActions({ workload, revisions = [], onRun }: Props) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [params] = useSearchParams();
  const done = (run: Run) => {
    void client.invalidateQueries({ queryKey: ["workloads"] });
    onRun(run);
  };
  const current = revisions.find((r) => r.current);
  const previous = revisions.find((r) => r.revision < workload.revision && r.state !== "failed");
  const serves = workload.service && `Service ${workload.service}: requests wait or fail for the moment between the two processes.`;
  return (
    <>
      {previous && (
        <ConfirmAction
          label={`Roll back to ${revisionName(previous)}`}
          title={`Roll back ${workload.name}?`}
          color="red"
          touches={[
            `Workload ${workload.name}: stops ${current ? revisionName(current) : `revision ${workload.revision}`} and starts ${revisionName(previous)}.`,
            ...(serves ? [serves] : []),
            "The rollback lands on the timeline.",
          ]}
          run={() => rollBack(workload.name, previous.revision)}
          done={done}
          initiallyOpen={params.get("do") === "rollback"}
        />
      )}
      <ConfirmAction
        label="Restart"
        title={`Restart ${workload.name}?`}
        touches={[
          `Workload ${workload.name}: stops its process and starts it again in the same version.`,
          ...(serves ? [serves] : []),
        ]}
        run={() => restart(workload.name)}
        done={done}
      />
      <ConfirmAction
        label="Remove"
        title={`Remove ${workload.name}?`}
        color="red"
        touches={[
          `Workload ${workload.name}: its process stops for good, and its revisions are forgotten; its files stay.`,
          ...(workload.service ? [`Service ${workload.service}: requests to this workload fail.`] : []),
          "If a manifest in the operations directory names it, the next start or reload may bring it back.",
        ]}
        run={() => removeWorkload(workload.name)}
        done={(run) => {
          void client.invalidateQueries({ queryKey: ["workloads"] });
          void navigate(`/runs/${run.id}`);
        }}
      />
    </>
  );
}
