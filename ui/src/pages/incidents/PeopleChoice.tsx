import { Checkbox } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { peopleQuery } from "@/api/services";
import styles from "./IncidentBoard.module.css";

interface Props {
  label: string;
  chosen: string[];
  onChange: (people: string[]) => void;
}

/** Some of the people who can be paged. */
export function PeopleChoice({ label, chosen, onChange }: Props) {
  const { data } = useQuery(peopleQuery);
  return (
    <div role="group" aria-label={label}>
      <div className={styles.label}>{label}</div>
      <div className={styles.choices}>
        {data?.items.map((p) => (
          <Checkbox
            key={p.name}
            label={p.fullName ?? p.name}
            checked={chosen.includes(p.name)}
            onChange={(e) => onChange(e.currentTarget.checked ? [...chosen, p.name] : chosen.filter((name) => name !== p.name))}
          />
        ))}
      </div>
    </div>
  );
}
