import { PageTitle } from "@/kit/PageTitle";

export function RunPage() {
  return <PageTitle title="Run" />;
}
