import { Tabs } from "@mantine/core";
import { useNavigate, useParams } from "react-router";
import { PageTitle } from "@/kit/PageTitle";
import { useCarryTime } from "@/kit/useTimeRange";
import { useMe } from "@/shell/useMe";
import { Account } from "./Account";
import { AuditLog } from "./AuditLog";
import styles from "./Settings.module.css";
import { Tokens } from "./Tokens";
import { Users } from "./Users";

export function SettingsPage() {
  const { tab = "account" } = useParams();
  const navigate = useNavigate();
  const carry = useCarryTime();
  const { can } = useMe();
  return (
    <>
      <PageTitle title="Settings" />
      <Tabs
        value={tab}
        onChange={(value) => void navigate(carry(`/settings${value === "account" ? "" : `/${value ?? ""}`}`))}
        keepMounted={false}
      >
        <Tabs.List>
          <Tabs.Tab value="account">Account</Tabs.Tab>
          <Tabs.Tab value="tokens">API tokens</Tabs.Tab>
          {can("admin") && <Tabs.Tab value="users">Users</Tabs.Tab>}
          {can("admin") && <Tabs.Tab value="audit">Audit log</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="account" className={styles.panel}>
          <Account />
        </Tabs.Panel>
        <Tabs.Panel value="tokens" className={styles.panel}>
          <Tokens />
        </Tabs.Panel>
        <Tabs.Panel value="users" className={styles.panel}>
          <Users />
        </Tabs.Panel>
        <Tabs.Panel value="audit" className={styles.panel}>
          <AuditLog />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
