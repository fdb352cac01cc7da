import { useEffect } from "react";
import { useSearchParams } from "react-router";
import type { Incident } from "@/api/types";
import { timeText } from "@/kit/timeRange";

/** Before the opening and after the end: enough to see what was usual, near enough to see what broke. */
const marginMs = 5 * 60_000;

/** Opens the incident's own stretch of time, unless the reader came with another one in the URL. */
export function useAroundIncident({ openedAt, resolvedAt }: Incident) {
  const [params, setParams] = useSearchParams();
  const chosen = params.has("from");
  useEffect(() => {
    if (chosen) return;
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        next.set("from", timeText(Date.parse(openedAt) - marginMs));
        const end = resolvedAt ? Date.parse(resolvedAt) + marginMs : Infinity;
        if (end < Date.now()) next.set("to", timeText(end));
        return next;
      },
      { replace: true, preventScrollReset: true },
    );
  }, [chosen, openedAt, resolvedAt, setParams]);
}
