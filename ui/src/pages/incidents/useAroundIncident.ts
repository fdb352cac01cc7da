import { useEffect } from "react";
import { useSearchParams } from "react-router";
import type { Incident } from "@/api/types";
import { around } from "@/kit/timeRange";

/** Opens the incident's own stretch of time, unless the reader came with another one in the URL. */
export function useAroundIncident({ openedAt, resolvedAt }: Incident) {
  const [params, setParams] = useSearchParams();
  const chosen = params.has("from");
  useEffect(() => {
    if (chosen) return;
    const range = around(openedAt, resolvedAt);
    setParams(
      (before) => {
        const next = new URLSearchParams(before);
        next.set("from", range.from);
        if (range.to !== "now") next.set("to", range.to);
        return next;
      },
      { replace: true, preventScrollReset: true },
    );
  }, [chosen, openedAt, resolvedAt, setParams]);
}
