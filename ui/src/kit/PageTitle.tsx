import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";
import styles from "./PageTitle.module.css";

interface Props {
  /** The page's name, also the window's title. */
  title: string;
  /** Small words above the title: where this stands. */
  over?: ReactNode;
  /** Beside the title: state badges. */
  badge?: ReactNode;
  /** One line under the title. */
  children?: ReactNode;
  /** Buttons at the right. */
  actions?: ReactNode;
}

export function PageTitle({ title, over, badge, children, actions }: Props) {
  useDocumentTitle(`${title} · daytwo`);
  return (
    <div className={styles.head}>
      <div className={styles.words}>
        {over && <div className={styles.over}>{over}</div>}
        <div className={styles.line}>
          <h1>{title}</h1>
          {badge}
        </div>
        {children && <div className={styles.under}>{children}</div>}
      </div>
      {actions && <div className={styles.actions}>{actions}</div>}
    </div>
  );
}
