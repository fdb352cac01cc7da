import { PageTitle } from "@/kit/PageTitle";

export function MailboxPage() {
  return <PageTitle title="Mailbox" />;
}
