import { PageTitle } from "@/kit/PageTitle";

export function ChangesPage() {
  return <PageTitle title="Changes" />;
}
