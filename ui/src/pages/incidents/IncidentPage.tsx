import { PageTitle } from "@/kit/PageTitle";

export function IncidentPage() {
  return <PageTitle title="Incident" />;
}
