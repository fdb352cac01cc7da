import { useQuery } from "@tanstack/react-query";
import { mailboxQuery } from "@/api/demo";
import { EmptyState } from "@/kit/EmptyState";
import { Loaded } from "@/kit/Loaded";
import { PageTitle } from "@/kit/PageTitle";
import { Section } from "@/kit/Section";
import { Story } from "@/pages/story/Story";
import { Email } from "./Email";
import styles from "./Mailbox.module.css";
import { Webhook } from "./Webhook";

/** What reached the people of the demo: real SMTP and HTTP, ending here. */
export function MailboxPage() {
  const query = useQuery(mailboxQuery);
  return (
    <>
      <PageTitle title="Mailbox">The demo's stand-in for mail server and chat. Pages arrive here by SMTP and HTTP.</PageTitle>
      <div className={styles.columns}>
        <div className={styles.mail}>
          <Loaded query={query}>
            {({ emails, webhooks }) => (
              <>
                <Section title={`E-mail (${emails.length})`}>
                  {emails.length === 0 && <EmptyState title="No e-mail yet">The first page comes when an alert opens an incident.</EmptyState>}
                  {emails.map((email) => (
                    <Email key={email.id} email={email} />
                  ))}
                </Section>
                <Section title={`Webhooks (${webhooks.length})`}>
                  {webhooks.length === 0 && <EmptyState title="No webhook yet">Each page goes out by e-mail and by webhook.</EmptyState>}
                  {webhooks.map((webhook) => (
                    <Webhook key={webhook.id} webhook={webhook} />
                  ))}
                </Section>
              </>
            )}
          </Loaded>
        </div>
        <Section title="The story">
          <Story />
        </Section>
      </div>
    </>
  );
}
