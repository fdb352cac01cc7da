import type { ReactNode } from "react";
import type { LogRow } from "@/api/logs";

export const textOf = (value: unknown): string => (value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value));

/** The message of a line, also where a document calls it otherwise. */
export function messageOf(row: LogRow): string {
  for (const name of ["message", "msg", "log", "body", "MESSAGE"]) if (row.fields[name] !== undefined) return textOf(row.fields[name]);
  return Object.entries(row.fields)
    .filter(([name]) => name !== "kind" && name !== "dataset")
    .map(([name, value]) => `${name}=${textOf(value)}`)
    .join(" ");
}

export const levelOf = (row: LogRow): string => row.level ?? "";

/** A text with the words that were looked for marked. */
export function Marked({ text, words }: { text: string; words: string[] }): ReactNode {
  const wanted = words.filter((w) => w.length > 0);
  if (wanted.length === 0) return text;
  const parts = text.split(new RegExp(`(${wanted.map((w) => w.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\s+/g, "\\W+")).join("|")})`, "gi"));
  return parts.map((part, i) => (i % 2 === 1 ? <mark key={i}>{part}</mark> : part));
}
