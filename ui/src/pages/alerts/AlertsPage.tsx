import { PageTitle } from "@/kit/PageTitle";

export function AlertsPage() {
  return <PageTitle title="Alerts" />;
}
