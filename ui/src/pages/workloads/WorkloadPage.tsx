import { PageTitle } from "@/kit/PageTitle";

export function WorkloadPage() {
  return <PageTitle title="Workload" />;
}
