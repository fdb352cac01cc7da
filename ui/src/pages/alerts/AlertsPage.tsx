import { Tabs } from "@mantine/core";
import { PageTitle } from "@/kit/PageTitle";
import { useParam } from "@/kit/useParam";
import { AlertList } from "./AlertList";
import { Routes } from "./Routes";
import { Rules } from "./Rules";
import { Silences } from "./Silences";

export function AlertsPage() {
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
      </Tabs>
    </>
  );
}
