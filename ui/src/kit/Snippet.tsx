import { ActionIcon, CopyButton, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import styles from "./Snippet.module.css";

/** A command or file to copy. */
export function Snippet({ children }: { children: string }) {
  return (
    <div className={styles.snippet}>
      {/* Scrollable regions must be reachable by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre tabIndex={0}>{children}</pre>
      <Copy text={children} />
    </div>
  );
}

export function Copy({ text, label = "Copy" }: { text: string; label?: string }) {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : label}>
          <ActionIcon size={24} onClick={copy} aria-label={label}>
            {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

/** An id shortened for the eye, whole for the clipboard. */
export function ShortId({ id }: { id: string }) {
  return (
    <span className={styles.id}>
      <code>{id.length > 10 ? `…${id.slice(-6)}` : id}</code>
      <Copy text={id} label={`Copy ${id}`} />
    </span>
  );
}
