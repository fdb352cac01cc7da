import { Fragment, useState, type ReactNode } from "react";
import type { Edition, Kept } from "./edition";

interface Props<T extends Kept> {
  /** As it is now. */
  entry: T;
  children: (edition: Edition<T>) => ReactNode;
}

/** Remembers what the reader began to edit, however often it is asked for again. */
export function Editing<T extends Kept>({ entry, children }: Props<T>) {
  const [opened, setOpened] = useState(entry);
  const [round, setRound] = useState(0);
  const takeLatest = () => {
    setOpened(entry);
    setRound(round + 1);
  };
  return <Fragment key={round}>{children({ opened, latest: entry, takeLatest, saved: setOpened })}</Fragment>;
}
