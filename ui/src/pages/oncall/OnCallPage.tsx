import { PageTitle } from "@/kit/PageTitle";

export function OnCallPage() {
  return <PageTitle title="On-call" />;
}
