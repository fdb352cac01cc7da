import { useEffect } from "react";
import { useNavigate } from "react-router";
import { useCarryTime, useTimeRange } from "@/kit/useTimeRange";
import { navPages } from "./nav";
import { helpOpen, paletteOpen } from "./palette";

/** How long after `g` the letter may come. */
const sequenceMs = 1_500;

export const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** The keys that work on every page; lists and graphs handle their own. */
export function useKeys() {
  const navigate = useNavigate();
  const carry = useCarryTime();
  const { zoomed, unzoom } = useTimeRange();

  useEffect(() => {
    let goUntil = 0;
    const onKey = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        paletteOpen.set(!paletteOpen.get());
        return;
      }
      if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('[role="dialog"]')) return;

      const going = event.timeStamp < goUntil;
      goUntil = 0;
      if (going) {
        const page = navPages.find((p) => p.key === event.key);
        if (page) void navigate(carry(page.path));
      } else if (event.key === "g") {
        goUntil = event.timeStamp + sequenceMs;
      } else if (event.key === "/") {
        const search = document.querySelector<HTMLInputElement>("main [data-search]");
        if (search) search.focus();
        else paletteOpen.set(true);
      } else if (event.key === "?") {
        helpOpen.set(true);
      } else if (event.key === "Escape" && zoomed) {
        unzoom();
      } else {
        return;
      }
      event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [navigate, carry, zoomed, unzoom]);
}
