import type { ReactNode } from "react";
import styles from "./EmptyState.module.css";
import { Snippet } from "./Snippet";

interface Props {
  title: string;
  /** What would be here and how it comes. */
  children?: ReactNode;
  /** The command or file that brings it. */
  snippet?: string;
  action?: ReactNode;
}

export function EmptyState({ title, children, snippet, action }: Props) {
  return (
    <div className={styles.empty}>
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {snippet && <Snippet>{snippet}</Snippet>}
      {action}
    </div>
  );
}
