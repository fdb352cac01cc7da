import { Button } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { acknowledge, escalate, reopen, resolve, retake, snooze, unacknowledge } from "@/api/incidents";
import type { IncidentDetail } from "@/api/types";
import { ConfirmAction } from "@/kit/ConfirmAction";
import { ErrorNote } from "@/kit/ErrorNote";
import { toast, toastError } from "@/kit/toasts";
import { usePageCommands, type Command } from "@/shell/palette";
import { useMe } from "@/shell/useMe";
import styles from "./IncidentActions.module.css";
import { IncidentMore, IncidentSteer } from "./IncidentSteer";
import { NextStep } from "./NextStep";
import { oneHour } from "./snoozes";
import { useIncidentAction, useIncidentsChanged } from "./useIncidentAction";

/** The id of the note's field, to which "Add a note" leads. */
export const noteField = "incident-note";

/** What can be done now, each with one tap. On a phone it stays in reach of the thumb, and Acknowledge is the biggest thing on the page. */
export function IncidentActions({ incident }: { incident: IncidentDetail }) {
  const { can } = useMe();
  const phone = useMediaQuery("(max-width: 767px)", undefined, { getInitialValueInEffect: false });
  const { take, end, wait, waitFor, error } = useDeeds(incident);

  const triggered = incident.status === "triggered";
  const open = incident.status !== "resolved";
  const may = can("responder");
  const focusNote = () => document.getElementById(noteField)?.focus();
  const commands: Command[] = [
    ...(may && triggered ? [{ group: "Action", label: "Acknowledge this incident", words: "ack take", run: () => take.mutate() }] : []),
    ...(may && open ? [{ group: "Action", label: "Resolve this incident", words: "end close", run: () => end.mutate() }] : []),
    ...(may ? [{ group: "Action", label: "Add a note to this incident", run: focusNote }] : []),
  ];
  usePageCommands(commands);

  if (!open) return may && !incident.mergedInto ? <Reopen incident={incident} /> : null;
  return (
    <>
      <NextStep incident={incident} />
      <Talk conference={incident.board.conference} />
      {error && <ErrorNote error={error} />}
      {may && (
        <div className={styles.actions} role="group" aria-label="Actions">
          {triggered && (
            <Button className={styles.acknowledge} size="md" loading={take.isPending} onClick={() => take.mutate()}>
              Acknowledge
            </Button>
          )}
          <Button variant="default" size="sm" loading={end.isPending} onClick={() => end.mutate()}>
            Resolve
          </Button>
          <Button variant="default" size="sm" loading={wait.isPending} onClick={() => waitFor(oneHour)}>
            Snooze 1 h
          </Button>
          <Escalate incident={incident} />
          {phone ? (
            <IncidentMore incident={incident} snooze={waitFor} />
          ) : (
            <Button variant="default" size="sm" onClick={focusNote}>
              Add a note
            </Button>
          )}
        </div>
      )}
      {may && !phone && <IncidentSteer incident={incident} snooze={waitFor} />}
    </>
  );
}

/** What Undo goes back to is what was when it was tapped: the page may hear of the snooze before its answer comes. */
type Wait = { time: string; nobodys: boolean };

/** What one tap does, and how it is taken back. */
function useDeeds({ id, number, status }: IncidentDetail) {
  const changed = useIncidentsChanged();
  const undo = (label: string, run: (id: string) => Promise<unknown>) => ({ label, run: () => void run(id).catch(toastError).finally(changed) });
  const take = useIncidentAction(
    () => acknowledge(id),
    () => toast({ tone: "info", text: `#${number} is yours: nobody else is paged`, action: undo("Give it back", unacknowledge) }),
  );
  const end = useIncidentAction(
    () => resolve(id),
    () => toast({ tone: "good", text: `#${number} is resolved`, detail: "Undo makes it yours, and pages nobody", action: undo("Undo", retake) }),
  );
  const wait = useIncidentAction(
    ({ time }: Wait) => snooze(id, time),
    (_, { nobodys }) =>
      toast({
        tone: "info",
        text: `#${number} waits, and pages again after that`,
        action: nobodys ? undo("Give it back", unacknowledge) : undo("Undo", retake),
      }),
  );
  const waitFor = (time: string) => wait.mutate({ time, nobodys: status === "triggered" });
  return { take, end, wait, waitFor, error: take.error ?? end.error ?? wait.error };
}

/** Somebody is woken, and nothing takes that back: so it says whom, and asks. */
function Escalate({ incident }: { incident: IncidentDetail }) {
  const changed = useIncidentsChanged();
  const next = incident.nextStep?.what;
  return (
    <ConfirmAction
      label="Escalate"
      title={`Escalate incident #${incident.number} now?`}
      size="sm"
      touches={[
        next ? `What comes next is done at once: ${next}.` : "Whoever comes next in its escalation is paged at once.",
        ...(incident.status === "acknowledged" ? ["It is nobody's any more until somebody acknowledges it."] : []),
      ]}
      run={() => escalate(incident.id)}
      done={() => void changed()}
    />
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
  const changed = useIncidentsChanged();
  return (
    <div className={styles.over}>
      <ConfirmAction
        label="Reopen"
        title={`Reopen incident #${incident.number}?`}
        size="sm"
        touches={["It pages again, from the first level of its escalation on."]}
        run={() => reopen(incident.id)}
        done={() => void changed()}
      />
      <ConfirmAction
        label="Reopen as mine"
        title={`Reopen incident #${incident.number} as yours?`}
        size="sm"
        touches={["It is open again and acknowledged by you. Nobody is paged."]}
        run={() => retake(incident.id)}
        done={() => void changed()}
      />
    </div>
  );
}
