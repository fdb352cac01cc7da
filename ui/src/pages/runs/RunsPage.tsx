import { PageTitle } from "@/kit/PageTitle";

export function RunsPage() {
  return <PageTitle title="Runs" />;
}
