import { PageTitle } from "@/kit/PageTitle";

export function PostmortemPage() {
  return <PageTitle title="Postmortem" />;
}
