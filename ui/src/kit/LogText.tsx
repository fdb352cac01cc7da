import { cutAt, plainText } from "./logBuffer";
import { levelTone, readLine } from "./logLine";
import styles from "./LogText.module.css";

/** A line's words: as printed, or a JSON record as level, message and fields; what was searched for is marked. */
export function LogText({ raw, query }: { raw: string; query: string }) {
  const { text, level, fields } = readLine(plainText(raw));
  return (
    <span className={styles.text}>
      {level && (
        <b data-tone={levelTone(level)}>
          <Marked text={level} query={query} />{" "}
        </b>
      )}
      <Marked text={text} query={query} />
      {fields.map(([key, value]) => (
        <span key={key} className={styles.field}>
          {" "}
          {key}=
          <span>
            <Marked text={value} query={query} />
          </span>
        </span>
      ))}
    </span>
  );
}

function Marked({ text, query }: { text: string; query: string }) {
  return cutAt(text, query).map((part, i) => (i % 2 === 1 ? <mark key={i}>{part}</mark> : part));
}
