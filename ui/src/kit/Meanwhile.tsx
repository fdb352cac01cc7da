import { Button } from "@mantine/core";
import { changes } from "./changes";
import { overtaken, type Edition, type Kept } from "./edition";
import styles from "./Meanwhile.module.css";
import { Person } from "./Person";
import { Ago } from "./Time";

interface Props<T extends Kept> {
  edition: Edition<T>;
  /** Saves what the reader has, in place of the version named. Absent: they may not. */
  saveOver?: (version: string | undefined) => void;
}

/** Says that somebody else changed what the reader is editing, and what: nothing while nobody did. */
export function Meanwhile<T extends Kept>({ edition, saveOver }: Props<T>) {
  const { opened, latest, takeLatest } = edition;
  const theirs = latest.saved;
  if (!theirs || !overtaken(edition)) return null;
  const differ = changes(opened, latest);
  return (
    <div className={styles.note} role="alert">
      <p>
        {theirs.by ? <Person name={theirs.by} /> : "Somebody"} changed this <Ago time={theirs.at} />, after you had opened it.
      </p>
      {differ.length > 0 && (
        <dl className={styles.changes} aria-label="What they changed">
          {differ.map(({ name, before, now }) => [
            <dt key={`${name}-name`}>{name}</dt>,
            <dd key={name}>
              <del>{before}</del> → <ins>{now}</ins>
            </dd>,
          ])}
        </dl>
      )}
      <div className={styles.buttons}>
        <Button variant="default" onClick={takeLatest}>
          Go on with theirs
        </Button>
        {saveOver && (
          <Button variant="default" color="red" onClick={() => saveOver(theirs.version)}>
            Save mine in its place
          </Button>
        )}
      </div>
    </div>
  );
}
