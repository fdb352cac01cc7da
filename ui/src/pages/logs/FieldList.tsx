import { ActionIcon, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { IconColumnInsertRight, IconMinus, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { logFieldsQuery, logValuesQuery, type Asked } from "@/api/logs";
import { ErrorNote } from "@/kit/ErrorNote";
import { formatCount, formatValue } from "@/kit/format";
import { Waiting } from "@/kit/Loaded";
import styles from "./Logs.module.css";

interface Props {
  asked: Asked;
  columns: string[];
  onColumn: (field: string) => void;
  onNarrow: (field: string, value: unknown, include: boolean) => void;
}

/** Every field of what matches, and the most frequent values of the one that is open. */
export function FieldList({ asked, columns, onColumn, onNarrow }: Props) {
  const query = useQuery(logFieldsQuery(asked));
  const [find, setFind] = useState("");
  const [open, setOpen] = useState("");
  const fields = (query.data?.fields ?? []).filter((f) => f.name.toLowerCase().includes(find.toLowerCase()));
  return (
    <aside className={styles.fields} aria-label="Fields">
      <TextInput size="xs" aria-label="Find a field" placeholder="Find a field" value={find} onChange={(event) => setFind(event.target.value)} />
      {query.isPending && <Waiting rows={6} />}
      <ul>
        {fields.slice(0, 300).map((f) => (
          <li key={f.name}>
            <div className={styles.field}>
              <button type="button" aria-expanded={open === f.name} onClick={() => setOpen(open === f.name ? "" : f.name)} title={`${f.name}: ${f.types.join(", ")}`}>
                <span>{f.name}</span>
                <span className={styles.dim}>{query.data && query.data.total > 0 ? formatValue(f.count / query.data.total, "ratio") : ""}</span>
              </button>
              <ActionIcon size={24} aria-label={`Column ${f.name}`} aria-pressed={columns.includes(f.name)} onClick={() => onColumn(f.name)} color={columns.includes(f.name) ? "indigo" : "gray"}>
                <IconColumnInsertRight size={14} />
              </ActionIcon>
            </div>
            {open === f.name && <Values asked={asked} field={f.name} onNarrow={onNarrow} />}
          </li>
        ))}
      </ul>
      {!!query.data?.more && <p className={styles.dim}>{formatCount(query.data.more)} rarer fields are not listed.</p>}
      {query.data && fields.length === 0 && <p className={styles.dim}>{find ? "No field of this name." : "No line matches, so there are no fields."}</p>}
    </aside>
  );
}

function Values({ asked, field, onNarrow }: Pick<Props, "asked" | "onNarrow"> & { field: string }) {
  const query = useQuery(logValuesQuery(asked, field));
  if (query.error) return <ErrorNote error={query.error} />;
  if (!query.data) return <Waiting rows={3} />;
  const { values, count, distinct } = query.data;
  return (
    <div className={styles.values}>
      {values.map((v) => (
        <div key={v.text} className={styles.value}>
          <div className={styles.share} style={{ width: `${(v.count / Math.max(1, count)) * 100}%` }} aria-hidden />
          <span title={v.text}>{v.text === "" ? "(empty)" : v.text}</span>
          <span className={styles.dim}>{formatCount(v.count)}</span>
          <ActionIcon size={24} aria-label={`Only ${field} ${v.text}`} onClick={() => onNarrow(field, v.text, true)}>
            <IconPlus size={12} />
          </ActionIcon>
          <ActionIcon size={24} aria-label={`Without ${field} ${v.text}`} onClick={() => onNarrow(field, v.text, false)}>
            <IconMinus size={12} />
          </ActionIcon>
        </div>
      ))}
      <p className={styles.dim}>
        {formatCount(distinct)} different in {formatCount(count)} lines
      </p>
    </div>
  );
}
