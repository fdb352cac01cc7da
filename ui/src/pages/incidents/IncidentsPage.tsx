import { PageTitle } from "@/kit/PageTitle";

export function IncidentsPage() {
  return <PageTitle title="Incidents" />;
}
