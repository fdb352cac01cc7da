import { Checkbox } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { statusPageQuery } from "@/api/statusPage";
import styles from "./StatusPage.module.css";

/** Some of the components that the page shows, by their services. */
export function ComponentChoice({ chosen, onChange }: { chosen: string[]; onChange: (services: string[]) => void }) {
  const { data } = useQuery(statusPageQuery);
  return (
    <div role="group" aria-label="Components">
      <div className={styles.label}>Components</div>
      <div className={styles.choices}>
        {data?.components.map((c) => (
          <Checkbox
            key={c.service}
            label={c.name || c.service}
            checked={chosen.includes(c.service)}
            onChange={(e) => onChange(e.currentTarget.checked ? [...chosen, c.service] : chosen.filter((s) => s !== c.service))}
          />
        ))}
      </div>
    </div>
  );
}
