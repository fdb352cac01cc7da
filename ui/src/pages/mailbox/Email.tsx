import type { Mailbox } from "@/api/types";
import { Link } from "@/kit/Link";
import { Ago } from "@/kit/Time";
import { cutLinks } from "./cutLinks";
import styles from "./Mailbox.module.css";

/** One e-mail as its reader sees it; links to this server open here. */
export function Email({ email }: { email: Mailbox["emails"][number] }) {
  return (
    <article className={styles.message}>
      <header>
        <h3>{email.subject}</h3>
        <Ago time={email.at} />
        <span className={styles.to}>
          {email.from} to {email.to.join(", ")}
        </span>
      </header>
      <pre className={styles.text}>
        {cutLinks(email.text, window.location.origin).map((part, i) =>
          part.path === undefined ? (
            part.text
          ) : (
            <Link key={i} to={part.path}>
              {part.text}
            </Link>
          ),
        )}
      </pre>
    </article>
  );
}
