import { TextInput } from "@mantine/core";
import { useId, useMemo } from "react";
import { isZone, zones } from "@/kit/wallClock";

interface Props {
  label?: string;
  value: string;
  onChange: (zone: string) => void;
  required?: boolean;
}

/** A time zone of the IANA list, typed or chosen. */
export function ZoneInput({ label = "Time zone", value, onChange, required }: Props) {
  const id = useId();
  const known = useMemo(() => zones(), []);
  return (
    <>
      <TextInput
        label={label}
        list={id}
        placeholder="Europe/Paris"
        autoComplete="off"
        spellCheck={false}
        required={required}
        withAsterisk={false}
        value={value}
        error={value !== "" && !isZone(value) ? "not a time zone; try Europe/Paris" : undefined}
        onChange={(e) => onChange(e.currentTarget.value)}
      />
      <datalist id={id}>
        {known.map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
    </>
  );
}
