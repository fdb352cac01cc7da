import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useParams } from "react-router";
import { removeSchedule, saveSchedule, schedulesQuery, teamsQuery } from "@/api/catalog";
import { peopleQuery } from "@/api/services";
import type { Schedule } from "@/api/types";
import { Editing } from "@/kit/Editing";
import type { Edition } from "@/kit/edition";
import { Loaded } from "@/kit/Loaded";
import { moved } from "@/kit/moved";
import { Section } from "@/kit/Section";
import { EntryForm, Missing } from "./EntryForm";
import styles from "./EntryForm.module.css";
import { LayerFields } from "./LayerFields";
import { bodyOf, draftOf, emptySchedule, newLayer, type LayerDraft, type ScheduleDraft } from "./scheduleDraft";
import { SchedulePreview } from "./SchedulePreview";
import { ZoneInput } from "./ZoneInput";

/** One schedule: its layers, and who would be on call when. */
export function SchedulePage() {
  const { id = "" } = useParams();
  const query = useQuery(schedulesQuery);
  if (id === "new") return <Editor key="new" />;
  return (
    <Loaded query={query} page="Schedule">
      {({ items }) => {
        const found = items.find((s) => s.id === id || s.name === id);
        if (!found) return <Missing noun="schedule" name={id} />;
        return (
          <Editing key={found.id} entry={found}>
            {(edition) => <Editor edition={edition} />}
          </Editing>
        );
      }}
    </Loaded>
  );
}

function Editor({ edition }: { edition?: Edition<Schedule> }) {
  const stored = edition?.opened;
  const [opened] = useState(Date.now);
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const [draft, setDraft] = useState<ScheduleDraft>(() => (stored ? draftOf(stored, opened) : { ...emptySchedule(here), layers: [newLayer([], opened, here)] }));
  const { data: people } = useQuery(peopleQuery);
  const { data: teams } = useQuery(teamsQuery);
  const set = (change: Partial<ScheduleDraft>) => setDraft({ ...draft, ...change });
  const setLayer = (layer: LayerDraft) => set({ layers: draft.layers.map((l) => (l.key === layer.key ? layer : l)) });
  const body = bodyOf(draft);
  /** New layers have got ids, by which the next change knows them. */
  const saved = (schedule: Schedule) => {
    setDraft(draftOf(schedule, Date.now()));
    return schedule;
  };
  return (
    <EntryForm
      noun="schedule"
      list="/oncall"
      edition={edition}
      path={(id) => `/oncall/schedules/${id}`}
      save={body && ((version) => saveSchedule(stored?.id, body, version).then(saved))}
      remove={removeSchedule}
      effect={<SchedulePreview body={body} stored={stored} now={opened} />}
    >
      <div className={styles.row}>
        <TextInput label="Name" required withAsterisk={false} data-autofocus value={draft.name} onChange={(e) => set({ name: e.currentTarget.value })} />
        <ZoneInput value={draft.timeZone} onChange={(timeZone) => set({ timeZone })} required />
        <NativeSelect
          label="Team"
          value={draft.team}
          data={[{ value: "", label: "none" }, ...(teams?.items.map((t) => t.name) ?? [])]}
          onChange={(e) => set({ team: e.currentTarget.value })}
        />
        <TextInput label="What it is for" value={draft.description} onChange={(e) => set({ description: e.currentTarget.value })} />
      </div>
      <Section
        title="Layers"
        aside={
          <Button
            variant="default"
            onClick={() => set({ layers: [newLayer(draft.layers.length === 0 ? (people?.items.slice(0, 1).map((p) => p.name) ?? []) : [], opened, draft.timeZone || "UTC"), ...draft.layers] })}
          >
            Add a layer
          </Button>
        }
      >
        <div className={styles.fields}>
          {draft.layers.map((layer, place) => (
            <LayerFields
              key={layer.key}
              layer={layer}
              place={place}
              count={draft.layers.length}
              onChange={setLayer}
              onMove={(by) => set({ layers: moved(draft.layers, place, place + by) })}
              onRemove={() => set({ layers: draft.layers.filter((l) => l.key !== layer.key) })}
            />
          ))}
          {draft.layers.length === 0 && <p className={styles.dim}>Without a layer nobody is on call but by an override.</p>}
        </div>
      </Section>
    </EntryForm>
  );
}
