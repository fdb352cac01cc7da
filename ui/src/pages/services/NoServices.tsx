import { EmptyState } from "@/kit/EmptyState";

const example = `teams:
  - name: payments
    members: [ada]
services:
  - name: checkout
    team: payments
    slos:
      - name: availability
        objective: 99.5
        window: 30d`;

export function NoServices() {
  return (
    <EmptyState title="No services yet" snippet={example}>
      A service is an entry in <code>daytwo.yml</code> of the directory given to <code>daytwo serve --config</code>. Its golden signals and
      objectives come from its metrics:
    </EmptyState>
  );
}
