import { Tabs } from "@mantine/core";
import { PageTitle } from "@/kit/PageTitle";
import { useParam } from "@/kit/useParam";
import { Discovery } from "./Discovery";
import { Storage } from "./Storage";
import { TargetList } from "./TargetList";

/** What is scraped, how it was found, and what the samples weigh. */
export function TargetsPage() {
  const [tab, setTab] = useParam("tab", "targets");
  return (
    <>
      <PageTitle title="Targets" />
      <Tabs value={tab} onChange={(value) => setTab(value ?? "targets")} keepMounted={false}>
        <Tabs.List mb={12}>
          <Tabs.Tab value="targets">Targets</Tabs.Tab>
          <Tabs.Tab value="discovery">Service discovery</Tabs.Tab>
          <Tabs.Tab value="storage">Storage</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="targets">
          <TargetList />
        </Tabs.Panel>
        <Tabs.Panel value="discovery">
          <Discovery />
        </Tabs.Panel>
        <Tabs.Panel value="storage">
          <Storage />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
