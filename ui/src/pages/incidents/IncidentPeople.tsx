import { Button, NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { answerRequest, setRole } from "@/api/incidents";
import { peopleQuery } from "@/api/services";
import type { IncidentDetail } from "@/api/types";
import { ErrorNote } from "@/kit/ErrorNote";
import { Person } from "@/kit/Person";
import { Section } from "@/kit/Section";
import { StateBadge } from "@/kit/StateBadge";
import { useMe } from "@/shell/useMe";
import { AskForHelp } from "./AskForHelp";
import styles from "./IncidentBoard.module.css";
import { useIncidentAction } from "./useIncidentAction";

const roles = ["commander", "scribe", "liaison"] as const;

/** Who it lies with, who has which role, and who was asked to help. */
export function IncidentPeople({ incident }: { incident: IncidentDetail }) {
  const { can } = useMe();
  const may = can("responder") && incident.status !== "resolved";
  const { assigned = [], roles: given = {}, responders = [] } = incident.board;
  return (
    <Section title="People" aside={may && <AskForHelp incident={incident} />}>
      <div className={styles.board}>
        {assigned.length > 0 && (
          <div className={styles.role}>
            <span>{incident.status === "resolved" ? "lay with" : "lies with"}</span>
            <span className={styles.people}>
              {assigned.map((name) => (
                <Person key={name} name={name} />
              ))}
            </span>
          </div>
        )}
        {roles.map((role) => (
          <div key={role} className={styles.role}>
            <span>{role}</span>
            {may ? <Role incident={incident} role={role} /> : given[role] ? <Person name={given[role]} /> : <span>nobody</span>}
          </div>
        ))}
        {responders.length > 0 && (
          <ul aria-label="Asked to help">
            {responders.map((r) => (
              <li key={r.person} className={styles.responder}>
                <Person name={r.person} />
                <StateBadge state={r.state} tone={r.state === "joined" ? "good" : r.state === "pending" ? "info" : "neutral"}>
                  {r.state === "pending" ? "asked" : r.state}
                </StateBadge>
                {r.unreached && <StateBadge state={`not told: ${r.unreached}`} tone="critical" />}
                <MyAnswer incident={incident} person={r.person} state={r.state} />
              </li>
            ))}
          </ul>
        )}
      </div>
    </Section>
  );
}

function Role({ incident, role }: { incident: IncidentDetail; role: (typeof roles)[number] }) {
  const { data } = useQuery(peopleQuery);
  const save = useIncidentAction((person: string) => setRole(incident.id, role, person || undefined));
  const holder = incident.board.roles?.[role] ?? "";
  const known = data?.items.map((p) => ({ value: p.name, label: p.fullName ?? p.name })) ?? [];
  return (
    <div>
      <NativeSelect
        aria-label={role}
        size="sm"
        value={save.isPending ? save.variables : holder}
        data={[
          { value: "", label: "nobody" },
          ...known,
          ...(holder && !known.some((p) => p.value === holder) ? [{ value: holder, label: holder }] : []),
        ]}
        onChange={(e) => save.mutate(e.currentTarget.value)}
      />
      {save.error && <ErrorNote error={save.error} />}
    </div>
  );
}

/** The reader was asked: one tap says whether they come. */
function MyAnswer({ incident, person, state }: { incident: IncidentDetail; person: string; state: string }) {
  const { user } = useMe();
  const say = useIncidentAction((joins: boolean) => answerRequest(incident.id, joins));
  if (user?.name !== person || state !== "pending" || incident.status === "resolved") return null;
  return (
    <span className={styles.answer}>
      <Button size="sm" loading={say.isPending && say.variables} onClick={() => say.mutate(true)}>
        I help
      </Button>
      <Button size="sm" variant="default" loading={say.isPending && !say.variables} onClick={() => say.mutate(false)}>
        I cannot
      </Button>
      {say.error && <ErrorNote error={say.error} />}
    </span>
  );
}
