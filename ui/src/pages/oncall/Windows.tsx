import { Button, Checkbox, NumberInput, TextInput } from "@mantine/core";
import styles from "./EntryForm.module.css";
import { closes, newKey, type Hours } from "./scheduleDraft";

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

interface Props {
  hours: Hours[];
  onChange: (hours: Hours[]) => void;
  /** The words of the button that adds the first of them. */
  first: string;
  /** What holds without any. */
  none: string;
}

/** Hours of some days of the week. */
export function Windows({ hours, onChange, first, none }: Props) {
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
          {hours.length === 0 ? first : "Add hours"}
        </Button>
        {hours.length === 0 && <span className={styles.dim}> {none}</span>}
      </div>
    </>
  );
}
