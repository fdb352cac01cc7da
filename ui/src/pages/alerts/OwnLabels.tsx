import type { Alert } from "@/api/types";
import { ownLabels } from "./held";
import styles from "./OwnLabels.module.css";

/** The labels of an alert that its name, severity and service do not say, in one line. */
export function OwnLabels({ of }: { of: Alert }) {
  const text = ownLabels(of.labels);
  if (!text) return null;
  return (
    <span className={styles.labels} title={text}>
      {text}
    </span>
  );
}
