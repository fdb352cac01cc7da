import type { ReactNode } from "react";
import { useId } from "react";
import styles from "./Section.module.css";

interface Props {
  title: ReactNode;
  /** Controls at the right of the title. */
  aside?: ReactNode;
  children: ReactNode;
}

/** A titled part of a page, set apart by a hairline. */
export function Section({ title, aside, children }: Props) {
  const id = useId();
  return (
    <section className={styles.section} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}
