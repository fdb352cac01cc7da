import { Link } from "@/kit/Link";
import { useMe } from "@/shell/useMe";
import styles from "./OnCallPage.module.css";

interface Props {
  to: string;
  /** What it leads to, for who hears the link. */
  noun: string;
  file?: string;
}

/** Leads from what an entry does to the entry: to change it, or to see where it is changed. */
export function EntryLink({ to, noun, file }: Props) {
  const { can } = useMe();
  return (
    <span className={styles.zone}>
      {file && `managed in ${file} · `}
      <Link to={to} aria-label={`${!file && can("operator") ? "Edit" : "Look at"} ${noun}`}>
        {!file && can("operator") ? "Edit" : "Look"}
      </Link>
    </span>
  );
}
