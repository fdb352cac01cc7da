import { PageTitle } from "@/kit/PageTitle";

export function AlertPage() {
  return <PageTitle title="Alert" />;
}
