// What a line of output says, whether it is plain text or a JSON record.

import type { StateTone } from "./tone";

export interface Reading {
  /** The message: the text itself, or the record's. */
  text: string;
  /** The rest of a record, as key=value. */
  fields: [key: string, value: string][];
  level?: string;
}

const timeKeys = new Set(["time", "ts", "timestamp", "@timestamp"]);
const levelKeys = ["level", "severity", "lvl"];
const messageKeys = ["msg", "message"];

export function readLine(text: string): Reading {
  if (!text.startsWith("{")) return { text, fields: [] };
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    return { text, fields: [] }; // Not a record after all.
  }
  const entries = Object.entries(record as Record<string, unknown>);
  const find = (keys: string[]) => entries.find(([key, value]) => keys.includes(key) && typeof value === "string");
  const level = find(levelKeys);
  const message = find(messageKeys);
  return {
    text: message ? String(message[1]) : "",
    level: level && String(level[1]).toLowerCase(),
    fields: entries
      .filter((entry) => entry !== level && entry !== message && !timeKeys.has(entry[0]))
      .map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
  };
}

export function levelTone(level: string | undefined): StateTone | undefined {
  if (level === undefined) return undefined;
  if (/^(error|err|fatal|panic|critical|alert|emerg)/.test(level)) return "critical";
  if (level.startsWith("warn")) return "warning";
  return undefined;
}
