import { PageTitle } from "@/kit/PageTitle";

export function ExplorePage() {
  return <PageTitle title="Explore" />;
}
