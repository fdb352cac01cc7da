import { useEffect, useRef } from "react";
import { Store } from "@/kit/store";

/** Something the command palette offers: a place to go or a thing to do. */
export interface Command {
  label: string;
  /** What kind of thing it is: Page, Service, Incident, Run, Action … */
  group: string;
  /** Other words that find it. */
  words?: string;
  hint?: string;
  to?: string;
  run?: () => void;
}

export const paletteOpen = new Store(false);
export const helpOpen = new Store(false);

/** Commands the current page adds. */
export const pageCommands = new Store<Command[]>([]);

/** Offers commands in the palette while the calling page is open. */
export function usePageCommands(commands: Command[]) {
  const latest = useRef(commands);
  const key = commands.map((c) => c.label).join("\n");
  useEffect(() => {
    latest.current = commands;
  });
  useEffect(() => {
    pageCommands.set(latest.current.map((c, i) => ({ ...c, run: c.run && (() => latest.current[i]?.run?.()) })));
    return () => pageCommands.set([]);
  }, [key]);
}

/**
 * How well a command answers a query: every word must be found; names that start
 * with it come first. 0 means not at all.
 */
export function score(command: Command, query: string): number {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return 1;
  const label = command.label.toLowerCase();
  const all = `${label} ${command.group.toLowerCase()} ${command.words?.toLowerCase() ?? ""}`;
  let total = 0;
  for (const word of words) {
    if (label.startsWith(word)) total += 4;
    else if (label.includes(` ${word}`)) total += 3;
    else if (label.includes(word)) total += 2;
    else if (all.includes(word)) total += 1;
    else return 0;
  }
  return total / words.length;
}
