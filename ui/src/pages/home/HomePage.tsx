import { PageTitle } from "@/kit/PageTitle";

export function HomePage() {
  return <PageTitle title="Home" />;
}
