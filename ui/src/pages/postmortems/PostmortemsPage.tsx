import { PageTitle } from "@/kit/PageTitle";

export function PostmortemsPage() {
  return <PageTitle title="Postmortems" />;
}
