import { ActionIcon, NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconArrowDown, IconArrowUp, IconX } from "@tabler/icons-react";
import { peopleQuery } from "@/api/services";
import { moved } from "@/kit/moved";
import { Person } from "@/kit/Person";
import styles from "./EntryForm.module.css";

interface Props {
  label: string;
  members: string[];
  onChange: (members: string[]) => void;
  /** Whether one person may stand there twice. */
  repeats?: boolean;
}

/** People in an order. */
export function Members({ label, members, onChange, repeats }: Props) {
  const { data } = useQuery(peopleQuery);
  const rest = (data?.items ?? []).filter((p) => repeats || !members.includes(p.name));
  return (
    <div role="group" aria-label={label}>
      <div className={styles.label}>{label}</div>
      <ol className={styles.members}>
        {members.map((name, i) => (
          <li key={`${name}${i}`}>
            <Person name={name} />
            <ActionIcon aria-label={`Move ${name} up`} disabled={i === 0} onClick={() => onChange(moved(members, i, i - 1))}>
              <IconArrowUp size={14} />
            </ActionIcon>
            <ActionIcon aria-label={`Move ${name} down`} disabled={i === members.length - 1} onClick={() => onChange(moved(members, i, i + 1))}>
              <IconArrowDown size={14} />
            </ActionIcon>
            <ActionIcon aria-label={`Take ${name} out`} onClick={() => onChange(members.filter((_, k) => k !== i))}>
              <IconX size={14} />
            </ActionIcon>
          </li>
        ))}
        {members.length === 0 && <li className={styles.dim}>nobody yet</li>}
      </ol>
      <NativeSelect
        className={styles.add}
        mt={4}
        size="sm"
        aria-label={`Add to ${label.toLowerCase()}`}
        value=""
        data={[{ value: "", label: rest.length > 0 ? "Add somebody …" : "Nobody is left to add" }, ...rest.map((p) => ({ value: p.name, label: p.fullName ?? p.name }))]}
        onChange={(e) => {
          if (e.currentTarget.value) onChange([...members, e.currentTarget.value]);
        }}
      />
    </div>
  );
}
