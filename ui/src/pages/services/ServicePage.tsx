import { PageTitle } from "@/kit/PageTitle";

export function ServicePage() {
  return <PageTitle title="Service" />;
}
