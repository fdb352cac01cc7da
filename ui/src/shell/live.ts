import type { QueryClient } from "@tanstack/react-query";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { follow, type StreamState } from "@/api/sse";
import { timelineQuery } from "@/api/timeline";
import type { Entry } from "@/api/types";
import { refPath } from "@/kit/paths";
import { Store } from "@/kit/store";
import { toast } from "@/kit/toasts";

/** What an entry of each kind makes stale: first elements of query keys. */
const stale: Record<string, string[]> = {
  change: ["workloads", "incidents"],
  alert: ["alerts", "slos", "incidents"],
  incident: ["incidents", "oncalls", "postmortems"],
  page: ["incidents", "mailbox"],
  run: ["runs", "workloads"],
  postmortem: ["postmortems"],
};

export const liveState = new Store<StreamState>("connecting");

const batchMs = 200;

/** Follows the timeline while the window is visible and refreshes what each entry touches. */
export function useLive() {
  const client = useQueryClient();
  useEffect(() => {
    let stop = new AbortController();
    let lastId = "";
    const pending = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;

    const flush = () => {
      timer = undefined;
      for (const key of pending) void client.invalidateQueries({ queryKey: [key] });
      pending.clear();
    };
    const touch = (keys: string[]) => {
      keys.forEach((key) => pending.add(key));
      timer ??= setTimeout(flush, batchMs);
    };

    const connect = async () => {
      stop.abort();
      const mine = (stop = new AbortController());
      lastId ||= await newestSeq(client);
      if (mine.signal.aborted) return;
      await follow("/api/timeline/stream", {
        lastId,
        signal: mine.signal,
        onState: (state) => {
          liveState.set(state);
          if (state === "refused") touch(["session"]);
        },
        onEvent: ({ event, id, data }) => {
          if (id) lastId = id;
          if (event !== "entry") return;
          const entry = JSON.parse(data) as Entry;
          touch(["timeline", ...(stale[entry.kind] ?? [])]);
          announce(entry);
        },
      });
    };
    // A hidden window holds no connection; it resumes where it stopped.
    const onVisibility = () => (document.hidden ? stop.abort() : void connect());

    if (!document.hidden) void connect();
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisibility);
    };
  }, [client]);
}

/** Where the first page load stands in the ledger, so that the stream starts right after it. */
async function newestSeq(client: QueryClient): Promise<string> {
  try {
    const { items } = await client.query(timelineQuery({ limit: 1 }));
    return String(items[0]?.seq ?? 0);
  } catch {
    return "";
  }
}

/** An incident opened elsewhere may be missed; everything else is on the page it concerns. */
function announce(entry: Entry) {
  if (entry.kind !== "incident" || entry.action !== "opened") return;
  const to = entry.ref && refPath(entry.ref);
  if (to && !window.location.pathname.startsWith(to)) {
    toast({ tone: "critical", text: entry.title, detail: "Incident opened", to });
  }
}
