import type { Mailbox } from "@/api/types";
import { Ago } from "@/kit/Time";
import styles from "./Mailbox.module.css";

/** One request as the receiver got it. */
export function Webhook({ webhook }: { webhook: Mailbox["webhooks"][number] }) {
  return (
    <article className={styles.message}>
      <header>
        <h3>POST {webhook.path}</h3>
        <Ago time={webhook.at} />
        <span className={styles.to}>delivery {webhook.delivery}</span>
      </header>
      {/* A scrollable region must be reachable by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className={styles.body} tabIndex={0} role="region" aria-label={`Body of ${webhook.delivery}`}>
        {pretty(webhook.body)}
      </pre>
    </article>
  );
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body; // Not JSON: as it came.
  }
}
