import { useEffect, useState } from "react";
import type { LogRow } from "@/api/logs";
import { asProblem, type Problem } from "@/api/problem";
import { follow } from "@/api/sse";

const most = 10_000;
const batchMs = 100;

interface Followed {
  rows: LogRow[];
  dropped: number;
  error?: Problem;
}

/** Lines as they come, newest first. Give the component another key for another question. */
export function useFollowed(path: string): Followed {
  const [state, setState] = useState<Followed>({ rows: [], dropped: 0 });
  useEffect(() => {
    const stop = new AbortController();
    let pending: LogRow[] = [];
    let lost = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      const batch = pending.reverse();
      const missed = lost;
      pending = [];
      lost = 0;
      setState((before) => ({ rows: [...batch, ...before.rows].slice(0, most), dropped: before.dropped + missed }));
    };
    follow(path, {
      signal: stop.signal,
      onEvent: ({ event, data }) => {
        if (event !== "followed") return;
        const part = JSON.parse(data) as { rows: LogRow[]; dropped?: number };
        pending.push(...part.rows);
        lost += part.dropped ?? 0;
        timer ??= setTimeout(flush, batchMs);
      },
    }).catch((reason: unknown) => {
      if (!stop.signal.aborted) setState((before) => ({ ...before, error: asProblem(reason) }));
    });
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [path]);
  return state;
}
