import { ActionIcon, Button, Checkbox, NativeSelect, NumberInput, TextInput } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconX } from "@tabler/icons-react";
import { formatMoment } from "@/kit/format";
import { useTimeRange } from "@/kit/useTimeRange";
import styles from "./EntryForm.module.css";
import { Members } from "./Members";
import { closes, newKey, type Hours, type LayerDraft, type Unit } from "./scheduleDraft";

const units: { value: Unit; label: string }[] = [
  { value: "hour", label: "hours" },
  { value: "day", label: "days" },
  { value: "week", label: "weeks" },
];

interface Props {
  layer: LayerDraft;
  /** Its place, from the strongest. */
  place: number;
  count: number;
  onChange: (layer: LayerDraft) => void;
  onMove: (by: number) => void;
  onRemove: () => void;
}

/** One layer: who takes turns, for how long, from when, and at which hours it counts. */
export function LayerFields({ layer, place, count, onChange, onMove, onRemove }: Props) {
  const { zone } = useTimeRange();
  const title = layer.name || `Layer ${count - place}`;
  const set = (change: Partial<LayerDraft>) => onChange({ ...layer, ...change });
  return (
    <div className={styles.card} role="group" aria-label={title}>
      <div className={styles.head}>
        <span>
          {title}
          {place === 0 && count > 1 && <span className={styles.dim}> · comes before those below it</span>}
        </span>
        <ActionIcon aria-label={`Let ${title} come before`} disabled={place === 0} onClick={() => onMove(-1)}>
          <IconArrowUp size={14} />
        </ActionIcon>
        <ActionIcon aria-label={`Let ${title} come after`} disabled={place === count - 1} onClick={() => onMove(1)}>
          <IconArrowDown size={14} />
        </ActionIcon>
        <ActionIcon aria-label={`Remove ${title}`} onClick={onRemove}>
          <IconX size={14} />
        </ActionIcon>
      </div>
      <div className={styles.row}>
        <TextInput label="Name" placeholder={`layer ${count - place}`} value={layer.name} onChange={(e) => set({ name: e.currentTarget.value })} />
        <NumberInput label="Turns last" min={1} max={1_000} allowDecimal={false} value={layer.every} onChange={(v) => set({ every: Number(v) || 1 })} />
        <NativeSelect
          label="Unit"
          value={layer.unit}
          data={layer.unit === "minute" ? [{ value: "minute", label: "minutes" }, ...units] : units}
          onChange={(e) => set({ unit: e.currentTarget.value as Unit })}
        />
        <TextInput label="Any handoff" type="datetime-local" required withAsterisk={false} value={layer.handoff} onChange={(e) => set({ handoff: e.currentTarget.value })} />
      </div>
      <Members label="Take turns, in this order" members={layer.members} onChange={(members) => set({ members })} repeats />
      {layer.timeZone && <div className={styles.dim}>Its clock is that of {layer.timeZone}.</div>}
      {layer.until && <div className={styles.dim}>It ends on {formatMoment(layer.until, zone)}.</div>}
      <Windows hours={layer.hours} onChange={(hours) => set({ hours })} />
    </div>
  );
}

// Monday first, as calendars have it; the API counts from Sunday.
const days = [
  [1, "Mon"],
  [2, "Tue"],
  [3, "Wed"],
  [4, "Thu"],
  [5, "Fri"],
  [6, "Sat"],
  [0, "Sun"],
] as const;

function Windows({ hours, onChange }: { hours: Hours[]; onChange: (hours: Hours[]) => void }) {
  const set = (row: Hours) => onChange(hours.map((h) => (h.key === row.key ? row : h)));
  return (
    <>
      {hours.map((row) => (
        <div key={row.key} className={styles.hours} role="group" aria-label="Hours">
          <div>
            <div className={styles.label}>Only on {row.days.length === 0 && <span className={styles.dim}>(every day)</span>}</div>
            <div className={styles.days}>
              {days.map(([day, name]) => (
                <Checkbox
                  key={day}
                  size="xs"
                  label={name}
                  checked={row.days.includes(day)}
                  onChange={(e) => set({ ...row, days: e.currentTarget.checked ? [...row.days, day] : row.days.filter((d) => d !== day) })}
                />
              ))}
            </div>
          </div>
          <TextInput label="From" type="time" required withAsterisk={false} value={row.from} onChange={(e) => set({ ...row, from: e.currentTarget.value })} />
          <NumberInput
            label="For hours"
            min={0.25}
            max={row.days.length === 0 ? 24 : 168}
            step={1}
            w={90}
            value={row.hours}
            onChange={(v) => set({ ...row, hours: Number(v) || 0 })}
          />
          <span className={styles.dim}>{closes(row)}</span>
          <Button variant="subtle" color="red" onClick={() => onChange(hours.filter((h) => h.key !== row.key))}>
            Remove
          </Button>
        </div>
      ))}
      <div>
        <Button variant="default" onClick={() => onChange([...hours, { key: newKey(), days: [1, 2, 3, 4, 5], from: "09:00", hours: 8 }])}>
          {hours.length === 0 ? "Count only at certain hours" : "Add hours"}
        </Button>
        {hours.length === 0 && <span className={styles.dim}> It counts around the clock.</span>}
      </div>
    </>
  );
}
