import { Button, Menu } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { useState } from "react";
import { readHistory } from "./history";
import styles from "./Explore.module.css";

export function History({ onUse }: { onUse: (expr: string) => void }) {
  const [all, setAll] = useState<string[]>([]);
  return (
    <Menu position="bottom-start" width={480} onOpen={() => setAll(readHistory())}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconHistory size={14} />}>
          History
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={styles.history}>
        {all.length === 0 && <Menu.Label>Queries you run on this machine appear here.</Menu.Label>}
        {all.map((expr) => (
          <Menu.Item key={expr} onClick={() => onUse(expr)}>
            <code>{expr}</code>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
