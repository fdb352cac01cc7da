import { useQuery } from "@tanstack/react-query";
import { peopleQuery } from "@/api/services";
import { actorWords } from "./actor";
import styles from "./Person.module.css";

/** Who did something: a person of the catalog by full name, anything else by its own. */
export function Person({ name, link }: { name: string; link?: boolean }) {
  const { data } = useQuery({ ...peopleQuery, enabled: !name.includes(":") });
  const person = data?.items.find((p) => p.name === name);
  if (!person) return <span className={styles.person}>{actorWords(name)}</span>;

  const full = person.fullName ?? name;
  const initials = full
    .split(/[\s._-]+/)
    .map((word) => word[0] ?? "")
    .join("")
    .slice(0, 2)
    .toUpperCase();
  const label = (
    <>
      <span className={styles.initials} aria-hidden>
        {initials}
      </span>
      {full}
    </>
  );
  if (link && person.email) {
    return (
      <a className={styles.person} href={`mailto:${person.email}`}>
        {label}
      </a>
    );
  }
  return <span className={styles.person}>{label}</span>;
}
