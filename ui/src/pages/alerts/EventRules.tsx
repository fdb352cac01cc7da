import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { eventRulesQuery, type EventRule } from "@/api/events";
import { Editing } from "@/kit/Editing";
import { EmptyState } from "@/kit/EmptyState";
import { Filters } from "@/kit/Filters";
import { Loaded } from "@/kit/Loaded";
import { StateBadge } from "@/kit/StateBadge";
import { Table, type Column } from "@/kit/Table";
import { useParam } from "@/kit/useParam";
import { useMe } from "@/shell/useMe";
import { effects, emptyRule } from "./eventRule";
import { EventRuleForm } from "./EventRuleForm";

const columns: Column<EventRule>[] = [
  { id: "name", header: "Rule", phone: "title", cell: (r) => r.name },
  { id: "state", header: "State", phone: "side", cell: (r) => <StateBadge state={r.disabled ? "off" : "in force"} tone={r.disabled ? "neutral" : "good"} /> },
  { id: "when", header: "When", cell: (r) => <code>{r.when}</code> },
  { id: "does", header: "Then", cell: (r) => effects(r).join("; ") },
];

/** What becomes of events before they page anybody: in their order, each sees what the ones before it set. */
export function EventRules() {
  const { can } = useMe();
  const query = useQuery(eventRulesQuery);
  const [open, setOpen] = useParam("rule");
  return (
    <Loaded query={query}>
      {({ items }) => {
        const close = () => setOpen("");
        const rule = open === "new" ? emptyRule : items.find((r) => r.id === open);
        if (rule) {
          return (
            <Editing key={open} entry={rule}>
              {(edition) => <EventRuleForm edition={edition} rules={items} onDone={close} />}
            </Editing>
          );
        }
        return (
          <>
            {can("operator") && (
              <Filters>
                <Button size="xs" onClick={() => setOpen("new")}>
                  New event rule
                </Button>
              </Filters>
            )}
            {items.length > 0 ? (
              <Table label="Event rules" rows={items} columns={columns} rowKey={(r) => r.id ?? r.name} onOpen={(r) => setOpen(r.id ?? "")} />
            ) : (
              <EmptyState title="No event rule yet">
                A rule changes, reroutes, holds back or drops what comes in before it pages anybody. It is tried on what came in before it is
                saved.
              </EmptyState>
            )}
          </>
        );
      }}
    </Loaded>
  );
}
