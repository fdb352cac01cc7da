import { useQuery } from "@tanstack/react-query";
import { storyQuery } from "@/api/demo";
import { formatDuration } from "@/kit/format";
import { Link } from "@/kit/Link";
import { StateMark } from "@/kit/StateBadge";
import { Elapsed } from "@/kit/Time";
import type { StateTone } from "@/kit/tone";
import styles from "./Story.module.css";

const tones: Record<string, StateTone> = { waiting: "neutral", active: "info", done: "good" };

/** The demo's stages, done and to come. */
export function Story() {
  const { data } = useQuery(storyQuery);
  if (!data) return null;
  return (
    <ol className={styles.stages}>
      {data.stages.map((stage) => (
        <li key={stage.name} data-state={stage.state} aria-current={stage.state === "active" ? "step" : undefined}>
          <StateMark tone={tones[stage.state] ?? "neutral"} />
          <b>{stage.name}</b>
          <span className={styles.hint}>
            {stage.link && stage.state !== "waiting" ? <Link to={stage.link}>{stage.hint}</Link> : stage.hint}
          </span>
          <span className={styles.took}>
            {stage.state === "done" && formatDuration(stage.seconds ?? 0)}
            {stage.state === "active" && stage.openedAt && <Elapsed from={stage.openedAt} />}
          </span>
        </li>
      ))}
    </ol>
  );
}
