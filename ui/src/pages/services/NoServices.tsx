import { wholeCatalog } from "@/examples/examples";
import { EmptyState } from "@/kit/EmptyState";

export function NoServices() {
  return (
    <EmptyState title="No services yet" snippet={wholeCatalog}>
      A service is an entry in <code>daytwo.yml</code> of the directory given to <code>daytwo serve --config</code>, or made here. Its golden signals
      and objectives come from its metrics:
    </EmptyState>
  );
}
