import { useState } from "react";

/**
 * A list that grows at its head without moving what the reader is on: while the pointer
 * is over it (or the page is scrolled), new items wait until `release`.
 */
export function useHeld<T>(items: T[], keyOf: (item: T) => string | number) {
  const [heldAt, setHeldAt] = useState<string | number>();
  const first = items[0];
  const index = heldAt === undefined ? 0 : items.findIndex((item) => keyOf(item) === heldAt);
  const waiting = Math.max(0, index);

  const hold = () => setHeldAt((held) => held ?? (first && keyOf(first)));
  const release = () => setHeldAt(undefined);
  return {
    shown: waiting > 0 ? items.slice(waiting) : items,
    waiting,
    hold,
    release,
    /** Spread on the list's element. */
    holder: {
      onPointerEnter: hold,
      onPointerLeave: () => {
        if (waiting === 0) release();
      },
    },
  };
}
