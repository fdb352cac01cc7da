import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { acknowledge, reopen, resolve } from "@/api/incidents";
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

  if (!open) return may && !incident.mergedInto ? <Reopen incident={incident} /> : null;
  return (
    <>
      <NextStep incident={incident} />
      <Talk conference={incident.board.conference} />
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

/** Where people talk: one tap joins. */
function Talk({ conference }: { conference: IncidentDetail["board"]["conference"] }) {
  if (!conference?.url && !conference?.number) return null;
  return (
    <div className={styles.talk}>
      {conference.url && (
        <Button component="a" href={conference.url} target="_blank" rel="noreferrer" variant="light" size="sm">
          Join the call
        </Button>
      )}
      {conference.number && <a href={`tel:${conference.number.replace(/[^+0-9,#*]/g, "")}`}>{conference.number}</a>}
    </div>
  );
}

function Reopen({ incident }: { incident: IncidentDetail }) {
  const client = useQueryClient();
  return (
    <div className={styles.actions}>
      <ConfirmAction
        label="Reopen"
        title={`Reopen incident #${incident.number}?`}
        size="sm"
        touches={["It pages again, from the first level of its escalation on."]}
        run={() => reopen(incident.id)}
        done={() => void client.invalidateQueries({ queryKey: ["incidents"] })}
      />
    </div>
  );
}
