import { useEffect, useRef, useState, type RefObject } from "react";

interface ListKeys {
  element: RefObject<HTMLElement | null>;
  move: (by: number) => void;
  open: () => void;
}

/** The lists on screen; keys go to the one with the focus, else to the first. */
const lists: ListKeys[] = [];

function target(): ListKeys | undefined {
  return lists.find((l) => l.element.current?.contains(document.activeElement)) ?? lists[0];
}

function onKey(event: KeyboardEvent) {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
  const { target: on } = event;
  if (!(on instanceof HTMLElement) || on.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(on.tagName)) return;
  if (document.querySelector('[role="dialog"]')) return;
  const list = target();
  if (!list) return;
  if (event.key === "j") list.move(1);
  else if (event.key === "k") list.move(-1);
  else if (event.key === "Enter" && (on === document.body || on.id === "page")) list.open();
  else return;
  event.preventDefault();
}

/** j, k and Enter for a list: the selected index, and what to do when it changes or opens. */
export function useListKeys(
  element: RefObject<HTMLElement | null>,
  count: number,
  handlers: { onSelect: (index: number) => void; onOpen: (index: number) => void },
): number {
  const [selected, setSelected] = useState(-1);
  const latest = useRef({ count, handlers, selected });
  useEffect(() => {
    latest.current = { count, handlers, selected };
  });

  useEffect(() => {
    const list: ListKeys = {
      element,
      move: (by) => {
        const { count, selected, handlers } = latest.current;
        if (count === 0) return;
        const next = Math.max(0, Math.min(count - 1, selected + by));
        setSelected(next);
        handlers.onSelect(next);
      },
      open: () => {
        const { selected, count, handlers } = latest.current;
        if (selected >= 0 && selected < count) handlers.onOpen(selected);
      },
    };
    if (lists.push(list) === 1) document.addEventListener("keydown", onKey);
    return () => {
      lists.splice(lists.indexOf(list), 1);
      if (lists.length === 0) document.removeEventListener("keydown", onKey);
    };
  }, [element]);

  return selected < count ? selected : -1;
}
