import { UnstyledButton } from "@mantine/core";
import { IconAlertTriangle, IconHome, IconPhoneCall, IconSearch } from "@tabler/icons-react";
import { NavLink } from "@/kit/Link";
import styles from "./BottomBar.module.css";
import { paletteOpen } from "./palette";
import { OpenCount } from "./Sidebar";

/** The phone's navigation; everything else is behind Search. */
export function BottomBar() {
  return (
    <nav className={styles.bar} aria-label="Main pages">
      <NavLink to="/" end className={styles.item}>
        <IconHome size={20} stroke={1.7} aria-hidden />
        Home
      </NavLink>
      <NavLink to="/incidents" className={styles.item}>
        <IconAlertTriangle size={20} stroke={1.7} aria-hidden />
        Incidents
        <span className={styles.count}>
          <OpenCount />
        </span>
      </NavLink>
      <NavLink to="/oncall" className={styles.item}>
        <IconPhoneCall size={20} stroke={1.7} aria-hidden />
        On-call
      </NavLink>
      <UnstyledButton className={styles.item} onClick={() => paletteOpen.set(true)}>
        <IconSearch size={20} stroke={1.7} aria-hidden />
        Search
      </UnstyledButton>
    </nav>
  );
}
