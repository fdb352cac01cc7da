import { useQuery } from "@tanstack/react-query";
import { useLocation } from "react-router";
import { storyQuery } from "@/api/demo";
import { infoQuery } from "@/api/session";
import { Link } from "@/kit/Link";
import styles from "./Story.module.css";

/** Where the demo's story stands, in one line under the header; nothing outside the demo. */
export function StoryBar() {
  const { data: info } = useQuery(infoQuery);
  if (!info?.demo) return null;
  return <Bar />;
}

function Bar() {
  const { data } = useQuery(storyQuery);
  const { pathname } = useLocation();
  if (!data) return null;
  const { stages } = data;
  const done = stages.filter((s) => s.state === "done").length;
  const active = stages.find((s) => s.state === "active");
  return (
    <div className={styles.bar} role="group" aria-label="Demo">
      <Link to="/mailbox" className={styles.demo}>
        Demo
      </Link>
      <span className={styles.dots} role="img" aria-label={`${done} of ${stages.length} stages done`}>
        {stages.map((s) => (
          <span key={s.name} data-state={s.state} title={s.name} />
        ))}
      </span>
      <span className={styles.now}>
        {active ? (
          <>
            <b>{active.name}</b>{" "}
            {active.link && active.link !== pathname ? <Link to={active.link}>{active.hint}</Link> : active.hint}
          </>
        ) : done === stages.length ? (
          <>
            The loop has closed. <Link to="/postmortems">Read what was learned</Link>, or start over with{" "}
            <code>daytwo demo --fresh</code>
          </>
        ) : (
          "The shop is starting"
        )}
      </span>
    </div>
  );
}
