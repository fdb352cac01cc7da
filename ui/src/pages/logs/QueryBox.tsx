import { TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { IconSearch } from "@tabler/icons-react";
import { useId, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { logFieldsQuery, logValuesQuery, type Asked } from "@/api/logs";
import { condition, placeAt } from "./clause";
import styles from "./Logs.module.css";

interface Props {
  asked: Asked;
  onAsk: (query: string) => void;
}

/** The query as it is typed, with completion of fields and values. Enter asks. */
export function QueryBox({ asked, onAsk }: Props) {
  const [draft, setDraft] = useState(asked.q);
  const [shown, setShown] = useState(asked.q);
  if (asked.q !== shown) {
    setShown(asked.q);
    setDraft(asked.q);
  }
  const input = useRef<HTMLInputElement>(null);
  const listId = useId();
  const [cursor, setCursor] = useState(0);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const place = placeAt(draft, cursor);
  const everything = { ...asked, q: "" };
  const [typed] = useDebouncedValue(place.typed, 150);
  const fields = useQuery({ ...logFieldsQuery(everything), enabled: open });
  const values = useQuery({ ...logValuesQuery(everything, place.field ?? "", typed), enabled: open && place.field !== undefined });

  const options =
    place.field === undefined
      ? (fields.data?.fields ?? [])
          .filter((f) => f.name.toLowerCase().includes(place.typed.toLowerCase()))
          .slice(0, 10)
          .map((f) => ({ text: f.name, insert: asked.language === "lucene" ? `${f.name}:` : `${f.name}: ` }))
      : (values.data?.values ?? []).slice(0, 10).map((v) => ({
          text: v.text,
          insert: condition(asked.language, "x", v.text).replace(/^x:\s?/, "") + " ",
        }));

  const take = (insert: string) => {
    const text = draft.slice(0, place.start) + insert + draft.slice(cursor);
    const end = place.start + insert.length;
    // At once: what is typed before the next frame must find the caret where it belongs.
    flushSync(() => {
      setDraft(text);
      setCursor(end);
      setAt(-1);
    });
    input.current?.focus();
    input.current?.setSelectionRange(end, end);
  };
  const ask = () => {
    setOpen(false);
    setAt(-1);
    onAsk(draft.trim());
  };
  const follow = () => setCursor(input.current?.selectionStart ?? draft.length);
  const listed = open && options.length > 0;

  return (
    <div className={styles.query}>
      <TextInput
        ref={input}
        size="sm"
        role="combobox"
        aria-expanded={listed}
        aria-controls={listId}
        aria-activedescendant={at >= 0 ? `${listId}-${at}` : undefined}
        aria-label="Query"
        placeholder={asked.language === "lucene" ? 'level:error AND message:"timed out"' : 'level: error and message: "timed out"'}
        leftSection={<IconSearch size={14} />}
        spellCheck={false}
        autoComplete="off"
        value={draft}
        onChange={(event) => {
          setDraft(event.target.value);
          setCursor(event.target.selectionStart ?? event.target.value.length);
          setOpen(true);
          setAt(-1);
        }}
        onClick={() => {
          follow();
          setOpen(true);
        }}
        onKeyUp={(event) => {
          if (event.key === "ArrowLeft" || event.key === "ArrowRight") follow();
        }}
        onBlur={() => setTimeout(() => setOpen(false), 150)}
        onKeyDown={(event) => {
          if (event.key === "Enter") {
            event.preventDefault();
            const chosen = listed ? options[at] : undefined;
            if (chosen) take(chosen.insert);
            else ask();
          } else if (event.key === "Escape" && open) {
            event.stopPropagation();
            setOpen(false);
          } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            setOpen(true);
            const step = event.key === "ArrowDown" ? 1 : -1;
            setAt((before) => Math.max(-1, Math.min(options.length - 1, before + step)));
          } else if (event.key === "Tab" && listed && at >= 0) {
            event.preventDefault();
            take(options[at]?.insert ?? "");
          }
        }}
      />
      <ul id={listId} role="listbox" aria-label="Completions" className={styles.completions} hidden={!listed}>
        {options.map((option, i) => (
          // The keys are the input's: it points here with aria-activedescendant, and keeps the focus.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <li key={option.text} id={`${listId}-${i}`} role="option" aria-selected={i === at} onMouseDown={(event) => event.preventDefault()} onClick={() => take(option.insert)}>
            {option.text}
          </li>
        ))}
      </ul>
    </div>
  );
}
