import type { Labels } from "@/api/prometheus";
import styles from "./Targets.module.css";

/** Labels in their order, as Prometheus writes them. */
export function LabelList({ labels, without = [] }: { labels: Labels; without?: string[] }) {
  const shown = Object.entries(labels)
    .filter(([name]) => !without.includes(name))
    .sort(([a], [b]) => a.localeCompare(b));
  return (
    <span className={styles.labels}>
      {shown.map(([name, value]) => (
        <code key={name}>
          {name}="{value}"
        </code>
      ))}
    </span>
  );
}
