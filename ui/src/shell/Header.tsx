import { ActionIcon, Menu, UnstyledButton } from "@mantine/core";
import { useMantineColorScheme } from "@mantine/core";
import { IconMoon, IconPlugConnectedX, IconSearch, IconSun, IconUser } from "@tabler/icons-react";
import { useNavigate } from "react-router";
import { signOut } from "@/api/session";
import { Link } from "@/kit/Link";
import { useStore } from "@/kit/store";
import { toastError } from "@/kit/toasts";
import styles from "./Header.module.css";
import { liveState } from "./live";
import { helpOpen, paletteOpen } from "./palette";
import { TimeControl } from "./TimeControl";
import { useMe } from "./useMe";

export function Header() {
  return (
    <header className={styles.header}>
      <Link to="/" className={styles.brand} aria-label="daytwo home">
        <img src="/favicon.svg" alt="" width={20} height={20} />
        <span>daytwo</span>
      </Link>
      <UnstyledButton className={styles.find} onClick={() => paletteOpen.set(true)}>
        <IconSearch size={14} aria-hidden />
        <span>Find or do</span>
        <kbd>{/Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘K" : "Ctrl K"}</kbd>
      </UnstyledButton>
      <span className={styles.space} />
      <Connection />
      <TimeControl />
      <ThemeToggle />
      <UserMenu />
    </header>
  );
}

function Connection() {
  const state = useStore(liveState);
  if (state !== "reconnecting") return null;
  return (
    <span className={styles.connection} role="status">
      <IconPlugConnectedX size={14} aria-hidden />
      <span>Reconnecting</span>
    </span>
  );
}

function ThemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const toggle = () => setColorScheme(document.documentElement.dataset.mantineColorScheme === "dark" ? "light" : "dark");
  return (
    <ActionIcon className={styles.theme} size={30} onClick={toggle} aria-label="Toggle light and dark">
      <IconSun size={16} className={styles.sun} />
      <IconMoon size={16} className={styles.moon} />
    </ActionIcon>
  );
}

function UserMenu() {
  const { user } = useMe();
  const navigate = useNavigate();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Menu position="bottom-end" width={200}>
      <Menu.Target>
        <ActionIcon size={30} aria-label={`Signed in as ${user?.name ?? "nobody"}`}>
          <IconUser size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {user?.name}, {user?.role}
        </Menu.Label>
        <Menu.Item onClick={() => void navigate("/settings")}>Settings</Menu.Item>
        <Menu.Item onClick={() => helpOpen.set(true)}>Keys</Menu.Item>
        {colorScheme !== "auto" && <Menu.Item onClick={() => setColorScheme("auto")}>Follow the system's theme</Menu.Item>}
        <Menu.Divider />
        <Menu.Item onClick={() => void signOut().then(() => window.location.assign("/sign-in"), toastError)}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
