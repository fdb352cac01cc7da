import { expect, test, vi } from "vitest";
import { EventParser, follow } from "./sse";

test("events are read whatever the pieces they come in", () => {
  const text = ": beat\n\nid: 7\nevent: entry\ndata: {\"a\":1}\n\ndata: one\r\ndata: two\r\n\r\n";
  const wanted = [
    { event: "entry", id: "7", data: '{"a":1}' },
    { event: "message", id: "7", data: "one\ntwo" },
  ];
  for (let size = 1; size <= text.length; size++) {
    const parser = new EventParser();
    const events = [];
    for (let at = 0; at < text.length; at += size) events.push(...parser.push(text.slice(at, at + size)));
    expect(events).toEqual(wanted);
  }
});

test("a lost connection resumes after the last event", async () => {
  vi.useFakeTimers();
  const asked: (string | undefined)[] = [];
  const answers = ["id: 1\ndata: a\n\n", "id: 2\ndata: b\n\n"];
  const stop = new AbortController();
  vi.stubGlobal("fetch", (_: string, init: { headers: Record<string, string> }) => {
    asked.push(init.headers["Last-Event-ID"]);
    const body = answers.shift();
    if (body === undefined) stop.abort();
    return Promise.resolve(new Response(body ?? "", { status: 200 }));
  });
  const seen: string[] = [];
  const states: string[] = [];
  const done = follow("/stream", { signal: stop.signal, onEvent: (e) => seen.push(e.data), onState: (s) => states.push(s) });
  await vi.runAllTimersAsync();
  await done;
  expect(seen).toEqual(["a", "b"]);
  expect(asked).toEqual([undefined, "1", "2"]);
  expect(states.slice(0, 4)).toEqual(["connecting", "open", "reconnecting", "open"]);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
