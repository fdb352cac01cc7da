import { Modal } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useNavigate } from "react-router";
import { useStore } from "@/kit/store";
import { useCarryTime } from "@/kit/useTimeRange";
import { paletteOpen, score, type Command } from "./palette";
import styles from "./Palette.module.css";
import { useCommands } from "./useCommands";

export function Palette() {
  const open = useStore(paletteOpen);
  return (
    <Modal.Root
      opened={open}
      onClose={() => paletteOpen.set(false)}
      centered={false}
      yOffset="10vh"
      padding={0}
      size={560}
      transitionProps={{ duration: 0 }}
    >
      <Modal.Overlay />
      <Modal.Content aria-label="Find or do">
        <Finder />
      </Modal.Content>
    </Modal.Root>
  );
}

const shown = 40;

function Finder() {
  const commands = useCommands();
  const navigate = useNavigate();
  const carry = useCarryTime();
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);

  const found = useMemo(() => {
    const ranked = commands.map((command, order) => ({ command, order, rank: score(command, query) }));
    return ranked
      .filter((one) => one.rank > 0)
      .sort((a, b) => b.rank - a.rank || a.order - b.order)
      .slice(0, shown)
      .map((one) => one.command);
  }, [commands, query]);

  const choose = (command: Command | undefined) => {
    if (!command) return;
    paletteOpen.set(false);
    if (command.to) void navigate(carry(command.to));
    command.run?.();
  };

  const move = (to: number) => {
    const next = Math.max(0, Math.min(found.length - 1, to));
    setAt(next);
    list.current?.children[next]?.scrollIntoView({ block: "nearest" });
  };

  const onKey = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") move(at + 1);
    else if (event.key === "ArrowUp") move(at - 1);
    else if (event.key === "Enter") choose(found[at]);
    else return;
    event.preventDefault();
  };

  return (
    <div>
      <div className={styles.search}>
        <IconSearch size={16} aria-hidden />
        <input
          data-autofocus
          role="combobox"
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={found[at] && `${listId}-${at}`}
          aria-label="Find a service, page, incident, run or action"
          placeholder="Find a service, page, incident, run or action"
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKey}
        />
      </div>
      <div className={styles.list} id={listId} role="listbox" aria-label="Found" ref={list}>
        {found.map((command, i) => (
          // The input keeps the focus and handles the keys of this list.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <div
            key={`${command.group}:${command.label}:${command.to ?? ""}`}
            id={`${listId}-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === at}
            className={styles.row}
            onClick={() => choose(command)}
            onMouseMove={() => setAt(i)}
          >
            <span className={styles.group}>{command.group}</span>
            <span className={styles.label}>{command.label}</span>
            {command.hint && <span className={styles.hint}>{command.hint}</span>}
          </div>
        ))}
      </div>
      {found.length === 0 && <p className={styles.none}>Nothing is called “{query}”.</p>}
    </div>
  );
}
