import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { asProblem, type Problem } from "@/api/problem";
import { runLog, runQuery, runStreamPath } from "@/api/runs";
import { follow } from "@/api/sse";
import type { LogLine, Run } from "@/api/types";
import { appendLog, emptyLog, type LogBuffer } from "./logBuffer";

const batchMs = 50;

/** A run's output so far and, while it goes on, as it comes; also keeps the run's own query fresh. */
export function useRunLog(id: string): LogBuffer & { error?: Problem } {
  const client = useQueryClient();
  const [log, setLog] = useState(emptyLog);
  const [error, setError] = useState<Problem>();

  useEffect(() => {
    const stop = new AbortController();
    let last = 0;
    let pending: LogLine[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      const batch = pending;
      pending = [];
      setLog((before) => appendLog(before, batch));
    };
    const add = (line: LogLine) => {
      if (line.seq <= last) return;
      last = line.seq;
      pending.push(line);
      timer ??= setTimeout(flush, batchMs);
    };

    const load = async () => {
      setLog(emptyLog);
      setError(undefined);
      for (let more = true; more && !stop.signal.aborted; ) {
        const page = await runLog(id, last, stop.signal);
        page.items.forEach(add);
        more = page.next !== undefined && page.items.length > 0;
      }
      const run = await client.query({ ...runQuery(id), staleTime: 0 });
      if (run.finishedAt || stop.signal.aborted) return;
      const stream = new AbortController();
      stop.signal.addEventListener("abort", () => stream.abort());
      await follow(runStreamPath(id), {
        lastId: String(last),
        signal: stream.signal,
        onEvent: ({ event, data }) => {
          if (event === "line") add(JSON.parse(data) as LogLine);
          if (event !== "run") return;
          const latest = JSON.parse(data) as Run;
          client.setQueryData(runQuery(id).queryKey, latest);
          if (latest.finishedAt) stream.abort();
        },
      });
    };
    load().catch((reason: unknown) => {
      if (!stop.signal.aborted) setError(asProblem(reason));
    });
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [client, id]);

  return { ...log, error };
}
