import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { acknowledge, resolve } from "@/api/incidents";
import type { IncidentDetail } from "@/api/types";
import { ConfirmAction } from "@/kit/ConfirmAction";
import { ErrorNote } from "@/kit/ErrorNote";
import { usePageCommands, type Command } from "@/shell/palette";
import { useMe } from "@/shell/useMe";
import styles from "./IncidentActions.module.css";
import { IncidentSteer } from "./IncidentSteer";
import { NextStep } from "./NextStep";

/** The id of the note's field, to which "Add a note" leads. */
export const noteField = "incident-note";

/** What can be done now. On a phone Acknowledge is the biggest thing, above the evidence and never over it. */
export function IncidentActions({ incident }: { incident: IncidentDetail }) {
  const client = useQueryClient();
  const { can } = useMe();
  const changed = () => client.invalidateQueries({ queryKey: ["incidents"] });
  const ack = useMutation({ mutationFn: () => acknowledge(incident.id), onSettled: changed });

  const triggered = incident.status === "triggered";
  const open = incident.status !== "resolved";
  const may = can("responder");
  const focusNote = () => document.getElementById(noteField)?.focus();
  const commands: Command[] = [
    ...(may && triggered ? [{ group: "Action", label: "Acknowledge this incident", words: "ack take", run: () => ack.mutate() }] : []),
    ...(may ? [{ group: "Action", label: "Add a note to this incident", run: focusNote }] : []),
  ];
  usePageCommands(commands);

  if (!open) return null;
  return (
    <>
      <NextStep incident={incident} />
      {ack.error && <ErrorNote error={ack.error} />}
      {may && (
        <div className={styles.actions} role="group" aria-label="Actions">
          {triggered && (
            <Button className={styles.acknowledge} size="md" loading={ack.isPending} onClick={() => ack.mutate()}>
              Acknowledge
            </Button>
          )}
          <ConfirmAction
            label="Resolve"
            title={`Resolve incident #${incident.number}?`}
            size="sm"
            touches={[
              "The incident ends: nobody is paged for it any more.",
              incident.alerts.some((a) => a.status === "firing")
                ? "An alert still fires. It stays with this incident; if it fires anew, a new incident opens and pages."
                : "Its postmortem begins.",
            ]}
            run={() => resolve(incident.id)}
            done={() => void changed()}
          />
          <Button variant="default" size="sm" onClick={focusNote}>
            Add a note
          </Button>
        </div>
      )}
      {may && <IncidentSteer incident={incident} />}
    </>
  );
}
