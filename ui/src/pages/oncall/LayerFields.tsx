import { ActionIcon, NativeSelect, NumberInput, TextInput } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconX } from "@tabler/icons-react";
import { formatMoment } from "@/kit/format";
import { useTimeRange } from "@/kit/useTimeRange";
import styles from "./EntryForm.module.css";
import { Members } from "./Members";
import type { LayerDraft, Unit } from "./scheduleDraft";
import { Windows } from "./Windows";

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
      <Windows hours={layer.hours} onChange={(hours) => set({ hours })} first="Count only at certain hours" none="It counts around the clock." />
    </div>
  );
}
