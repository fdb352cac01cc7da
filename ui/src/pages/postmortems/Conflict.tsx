import { Button } from "@mantine/core";
import type { PostmortemDetail } from "@/api/types";
import { StateMark } from "@/kit/StateBadge";
import { Ago } from "@/kit/Time";
import styles from "./PostmortemEditor.module.css";

interface Props {
  latest: PostmortemDetail;
  dirty: boolean;
  onTakeOver: () => void;
  onDiscard: () => void;
}

/** Says that somebody saved in between; what was typed stays until the reader decides. */
export function Conflict({ latest, dirty, onTakeOver, onDiscard }: Props) {
  return (
    <div className={styles.conflict} role="alert">
      <StateMark tone="warning" size={12} />
      <div>
        <b>
          Somebody else saved <Ago time={latest.updatedAt} />.
        </b>{" "}
        {dirty && "What you typed is still here, but not saved."}
      </div>
      <div className={styles.choices}>
        <Button variant="default" onClick={onTakeOver}>
          Put mine onto theirs
        </Button>
        <Button variant="subtle" onClick={onDiscard}>
          Take theirs, discard mine
        </Button>
      </div>
    </div>
  );
}
