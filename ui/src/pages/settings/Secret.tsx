import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { Snippet } from "@/kit/Snippet";
import styles from "./Settings.module.css";

/** Something shown once, until the reader puts it away. */
export function Secret({ children, secret, onClose }: { children: ReactNode; secret: string; onClose: () => void }) {
  return (
    <div className={styles.secret} role="status">
      <p>{children}</p>
      <Snippet>{secret}</Snippet>
      <Button variant="default" onClick={onClose}>
        I have kept it
      </Button>
    </div>
  );
}
