import type { LogLine } from "@/api/types";

/** What a log view holds: lines in order of sequence, no more than `limit`; older ones are dropped and counted. */
export interface LogBuffer {
  lines: LogLine[];
  dropped: number;
}

export const emptyLog: LogBuffer = { lines: [], dropped: 0 };

/** Adds lines after those held; lines already seen are ignored. */
export function appendLog(buffer: LogBuffer, added: LogLine[], limit = 20_000): LogBuffer {
  const last = buffer.lines.at(-1)?.seq ?? 0;
  const fresh = added.filter((line) => line.seq > last);
  if (fresh.length === 0) return buffer;
  const lines = buffer.lines.concat(fresh);
  const over = Math.max(0, lines.length - limit);
  return { lines: over > 0 ? lines.slice(over) : lines, dropped: buffer.dropped + over };
}

// Control sequences of terminals: CSI (colours, cursor), OSC (titles, links), and two-character escapes.
 
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;

/** The text a terminal would show at the end of the line: no escapes, and what a carriage return overwrote is gone. */
export function plainText(text: string): string {
  const bare = text.includes("\u001b") ? text.replace(escapes, "") : text;
  const kept = bare.endsWith("\r") ? bare.slice(0, -1) : bare;
  return kept.slice(kept.lastIndexOf("\r") + 1);
}

/** Indexes of the lines that contain `query`, without regard to case. */
export function searchLog(lines: LogLine[], query: string): number[] {
  const wanted = query.toLowerCase();
  if (!wanted) return [];
  const found: number[] = [];
  lines.forEach((line, index) => {
    if (plainText(line.text).toLowerCase().includes(wanted)) found.push(index);
  });
  return found;
}

/** `text` cut where `query` occurs: odd parts are the occurrences. */
export function cutAt(text: string, query: string): string[] {
  if (!query) return [text];
  const parts: string[] = [];
  const lower = text.toLowerCase();
  const wanted = query.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), text.slice(at, at + wanted.length));
    from = at + wanted.length;
  }
  parts.push(text.slice(from));
  return parts;
}
