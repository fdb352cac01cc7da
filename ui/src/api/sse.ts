// Server-sent events over fetch: unlike EventSource it sends Last-Event-ID on the first request too,
// tells a refused request from a lost connection, and can be aborted.

export interface StreamEvent {
  event: string;
  id: string;
  data: string;
}

/** Cuts a byte stream's text into events; keeps what is incomplete for the next call. */
export class EventParser {
  private rest = "";
  private id = "";
  private event = "";
  private data: string[] = [];

  push(text: string): StreamEvent[] {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    const events: StreamEvent[] = [];
    for (const line of lines) {
      if (line === "") {
        if (this.data.length > 0) events.push({ event: this.event || "message", id: this.id, data: this.data.join("\n") });
        this.event = "";
        this.data = [];
        continue;
      }
      const [, field = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
      if (field === "data") this.data.push(value);
      else if (field === "event") this.event = value;
      else if (field === "id") this.id = value;
    }
    return events;
  }
}

export type StreamState = "connecting" | "open" | "reconnecting" | "refused";

interface StreamOptions {
  onEvent: (event: StreamEvent) => void;
  onState?: (state: StreamState) => void;
  /** Resume after this event. */
  lastId?: string;
  signal: AbortSignal;
}

/** The server sends a comment every 15 s; a connection silent for longer than this is dead. */
const silenceMs = 45_000;

/** Follows a stream until `signal` aborts, reconnecting with back-off and resuming after the last event seen. */
export async function follow(path: string, { onEvent, onState, lastId = "", signal }: StreamOptions): Promise<void> {
  let attempt = 0;
  while (!signal.aborted) {
    onState?.(attempt === 0 ? "connecting" : "reconnecting");
    const connection = new AbortController();
    const stop = () => connection.abort();
    signal.addEventListener("abort", stop);
    let watchdog = setTimeout(stop, silenceMs);
    try {
      const response = await fetch(path, {
        headers: { Accept: "text/event-stream", ...(lastId ? { "Last-Event-ID": lastId } : {}) },
        signal: connection.signal,
        cache: "no-store",
      });
      if (response.status === 401 || response.status === 403 || response.status === 404) {
        onState?.("refused");
        return;
      }
      if (response.ok && response.body) {
        onState?.("open");
        attempt = 0;
        const parser = new EventParser();
        const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          clearTimeout(watchdog);
          watchdog = setTimeout(stop, silenceMs);
          for (const event of parser.push(value)) {
            if (event.id) lastId = event.id;
            onEvent(event);
          }
        }
      }
    } catch {
      // The connection was lost or never made: try again below.
    } finally {
      clearTimeout(watchdog);
      signal.removeEventListener("abort", stop);
    }
    attempt++;
    await pause(Math.min(10_000, 500 * 2 ** Math.min(attempt, 5)) * (0.7 + Math.random() * 0.6), signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) {
      done();
      return;
    }
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", finish);
      done();
    };
    const timer = setTimeout(finish, ms);
    signal.addEventListener("abort", finish);
  });
}
