import { Tabs } from "@mantine/core";
import { Navigate, useLocation } from "react-router";
import { PageTitle } from "@/kit/PageTitle";
import { useParam } from "@/kit/useParam";
import { AlertList } from "./AlertList";
import { EventRules } from "./EventRules";
import { splitLabels } from "./held";
import { InboundEvents } from "./InboundEvents";
import { Routes } from "./Routes";
import { Rules } from "./Rules";
import { Silences } from "./Silences";

/** Links in Alertmanager's notifications name the place on its own pages after a `#`. */
function placeOf(hash: string): string | undefined {
  if (!hash.startsWith("#/silences")) return undefined;
  const filter = new URLSearchParams(hash.slice(hash.indexOf("?") + 1)).get("filter") ?? "";
  if (!hash.startsWith("#/silences/new")) return "/alerts?tab=silences";
  return `/alerts?tab=silences&new=1&matchers=${encodeURIComponent(splitLabels(filter).join("\n"))}`;
}

export function AlertsPage() {
  const place = placeOf(useLocation().hash);
  return place ? <Navigate to={place} replace /> : <Tabbed />;
}

function Tabbed() {
  const [tab, setTab] = useParam("tab", "alerts");
  return (
    <>
      <PageTitle title="Alerts" />
      <Tabs value={tab} onChange={(value) => setTab(value ?? "alerts")} keepMounted={false}>
        <Tabs.List mb={12}>
          <Tabs.Tab value="alerts">Alerts</Tabs.Tab>
          <Tabs.Tab value="rules">Rules</Tabs.Tab>
          <Tabs.Tab value="silences">Silences</Tabs.Tab>
          <Tabs.Tab value="routes">Routes</Tabs.Tab>
          <Tabs.Tab value="event-rules">Event rules</Tabs.Tab>
          <Tabs.Tab value="inbound">What came in</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="alerts">
          <AlertList />
        </Tabs.Panel>
        <Tabs.Panel value="rules">
          <Rules />
        </Tabs.Panel>
        <Tabs.Panel value="silences">
          <Silences />
        </Tabs.Panel>
        <Tabs.Panel value="routes">
          <Routes />
        </Tabs.Panel>
        <Tabs.Panel value="event-rules">
          <EventRules />
        </Tabs.Panel>
        <Tabs.Panel value="inbound">
          <InboundEvents />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
