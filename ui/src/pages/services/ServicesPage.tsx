import { PageTitle } from "@/kit/PageTitle";

export function ServicesPage() {
  return <PageTitle title="Services" />;
}
