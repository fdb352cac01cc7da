import { EmptyState } from "@/kit/EmptyState";
import { Link } from "@/kit/Link";
import { PageTitle } from "@/kit/PageTitle";

export function NotFoundPage() {
  return (
    <>
      <PageTitle title="No such page" />
      <EmptyState title="Nothing is at this address" action={<Link to="/">Go home</Link>}>
        The link may be old or cut short. The search (Ctrl K) finds services, incidents, runs and pages by name.
      </EmptyState>
    </>
  );
}
