import { useQuery } from "@tanstack/react-query";
import { IconMail } from "@tabler/icons-react";
import { incidentsQuery } from "@/api/incidents";
import { infoQuery } from "@/api/session";
import { NavLink } from "@/kit/Link";
import { nav, type NavPage } from "./nav";
import styles from "./Sidebar.module.css";

export function Sidebar() {
  const { data: info } = useQuery(infoQuery);
  return (
    <nav className={styles.sidebar} aria-label="Pages">
      {nav.map((group) => (
        <div key={group.label ?? ""} className={styles.group}>
          {group.label && <div className={styles.label}>{group.label}</div>}
          {group.pages.map((page) => (
            <Item key={page.path} page={page} />
          ))}
        </div>
      ))}
      {info?.demo && (
        <div className={styles.group}>
          <div className={styles.label}>Demo</div>
          <Item page={{ label: "Mailbox", path: "/mailbox", icon: IconMail }} />
        </div>
      )}
      {info && <div className={styles.version}>daytwo {info.version}</div>}
    </nav>
  );
}

function Item({ page: { icon: Icon, label, path } }: { page: NavPage }) {
  return (
    <NavLink to={path} end={path === "/"} className={styles.item}>
      <Icon size={16} stroke={1.7} aria-hidden />
      <span>{label}</span>
      {path === "/incidents" && <OpenCount />}
    </NavLink>
  );
}

/** How many incidents are open, where the eye looks for it on every page. */
export function OpenCount() {
  const { data } = useQuery(incidentsQuery({ status: "open" }));
  const count = data?.items.length ?? 0;
  if (count === 0) return null;
  return (
    <span className={styles.count} aria-label={`${count}${data?.next ? " or more" : ""} open`}>
      {count}
      {data?.next && "+"}
    </span>
  );
}
