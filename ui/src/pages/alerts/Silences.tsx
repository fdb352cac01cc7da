import { Button, Modal } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { expireSilence, silencesQuery } from "@/api/alerts";
import type { Silence } from "@/api/types";
import { ConfirmAction } from "@/kit/ConfirmAction";
import { EmptyState } from "@/kit/EmptyState";
import { Filters, ChoiceFilter } from "@/kit/Filters";
import { Loaded } from "@/kit/Loaded";
import { Person } from "@/kit/Person";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { Ago } from "@/kit/Time";
import { useParam } from "@/kit/useParam";
import { useMe } from "@/shell/useMe";
import styles from "./Routing.module.css";
import { SilenceForm } from "./SilenceForm";

const columns: Column<Silence>[] = [
  { id: "matchers", header: "Alerts with", phone: "title", cell: (s) => <Matchers of={s} />, value: (s) => s.matchers.join() },
  { id: "state", header: "State", phone: "side", cell: (s) => <StateBadge state={s.state} tone={tones[s.state]} />, value: (s) => s.state },
  { id: "alerts", header: "Firing now", align: "end", cell: (s) => (s.state === "expired" ? "–" : s.alerts), value: (s) => s.alerts },
  { id: "comment", header: "Why", cell: (s) => s.comment },
  { id: "by", header: "By", cell: (s) => <Person name={s.createdBy} />, value: (s) => s.createdBy },
  { id: "from", header: "Begins", cell: (s) => <Ago time={s.startsAt} />, value: (s) => s.startsAt },
  { id: "to", header: "Ends", cell: (s) => <Ago time={s.endsAt} />, value: (s) => s.endsAt },
  { id: "end", header: "", cell: (s) => <Actions silence={s} /> },
];

const tones = { active: "info", pending: "neutral", expired: "neutral" } as const;

const kinds = [
  { value: "", label: "In force and to come" },
  { value: "expired", label: "Ended" },
];

/** What holds alerts back, for how long and why. */
export function Silences() {
  const { can } = useMe();
  const query = useQuery(silencesQuery);
  const [kind] = useParam("kind");
  const [making, setMaking] = useParam("new");
  return (
    <>
      <Filters>
        <ChoiceFilter label="Which" param="kind" options={kinds} />
        {can("responder") && (
          <Button size="xs" onClick={() => setMaking("1")}>
            New silence
          </Button>
        )}
      </Filters>
      <Modal opened={making !== ""} onClose={() => setMaking("")} title="Silence alerts" size={640}>
        {making !== "" && <SilenceForm onDone={() => setMaking("")} />}
      </Modal>
      <Loaded query={query}>
        {({ items }) => {
          const shown = items.filter((s) => (s.state === "expired") === (kind === "expired"));
          return shown.length > 0 ? (
            <Table label="Silences" rows={shown} columns={columns} rowKey={(s) => s.id} />
          ) : (
            <EmptyState
              title={kind === "expired" ? "No silence has ended" : "Nothing is silenced"}
              snippet={`amtool --alertmanager.url=${window.location.origin}/alertmanager silence add service=checkout --comment="new disk" --duration=2h`}
            >
              Alerts that a silence matches open no incident and are told to nobody while it is in force. Make one here, or with
              amtool:
            </EmptyState>
          );
        }}
      </Loaded>
    </>
  );
}

function Matchers({ of }: { of: Silence }) {
  return (
    <span className={styles.matchers}>
      {of.matchers.map((m) => (
        <code key={m}>{m}</code>
      ))}
    </span>
  );
}

function Actions({ silence }: { silence: Silence }) {
  const client = useQueryClient();
  const { can } = useMe();
  if (silence.state === "expired" || !can("responder")) return null;
  return (
    <ConfirmAction
      size="compact-xs"
      label="End now"
      title="End this silence now?"
      touches={[
        <Matchers key="m" of={silence} />,
        silence.alerts === 0
          ? "none of the alerts that fire now"
          : `${silence.alerts} ${silence.alerts === 1 ? "alert that fires" : "alerts that fire"} now: each may open an incident and page`,
      ]}
      run={() => expireSilence(silence.id)}
      done={() => {
        void client.invalidateQueries({ queryKey: ["silences"] });
        void client.invalidateQueries({ queryKey: ["alerts"] });
      }}
    />
  );
}
