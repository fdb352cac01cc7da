import { PageTitle } from "@/kit/PageTitle";

export function WorkloadsPage() {
  return <PageTitle title="Workloads" />;
}
