// What a click adds to a query, and what stands before the cursor.

const word = /^[\w@.\-/]+$/;
const keyword = /^(and|or|not)$/i;

const quoted = (value: string) => `"${value.replace(/[\\"]/g, "\\$&")}"`;

/** The condition that a field has a value, in the language of the query. */
export function condition(language: string, field: string, value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const plain = typeof value !== "string" || (word.test(text) && !keyword.test(text) && language !== "lucene");
  return language === "lucene" ? `${field}:${plain ? text : quoted(text)}` : `${field}: ${plain ? text : quoted(text)}`;
}

/** The query with a condition added, or turned around where its opposite stands there. */
export function narrowed(language: string, query: string, field: string, value: unknown, include: boolean): string {
  const one = condition(language, field, value);
  const [and, not] = language === "lucene" ? [" AND ", "NOT "] : [" and ", "not "];
  const wanted = include ? one : not + one;
  const other = include ? not + one : one;
  const parts = query.trim() === "" ? [] : query.split(and).map((part) => part.trim());
  const flat = !/\b(or|OR)\b|\(/.test(query);
  if (flat && parts.includes(wanted)) return query;
  if (flat && parts.includes(other)) return parts.map((part) => (part === other ? wanted : part)).join(and);
  if (query.trim() === "") return wanted;
  return flat ? `${query.trim()}${and}${wanted}` : `(${query.trim()})${and}${wanted}`;
}

/** A text around a place of it, cut where it is long; the place is in characters from 1. */
export function aroundPlace(text: string, column: number, reach = 60): { before: string; at: string; after: string } {
  const all = Array.from(text);
  const i = Math.max(0, Math.min(all.length, column - 1));
  const before = all.slice(Math.max(0, i - reach), i).join("");
  const after = all.slice(i + 1, i + 1 + reach).join("");
  return { before: i > reach ? `…${before}` : before, at: all[i] ?? "", after: i + 1 + reach < all.length ? `${after}…` : after };
}

export interface Place {
  /** Where what is being typed begins. */
  start: number;
  /** The field whose value is being typed; undefined while a field is. */
  field?: string;
  typed: string;
}

/** What is being typed before the cursor: a field's name, or a value of one. */
export function placeAt(text: string, cursor: number): Place {
  const before = text.slice(0, cursor);
  const value = /([\w@.-]+)\s*:\s*("?)([^"\s()]*)$/.exec(before);
  if (value) return { start: cursor - (value[2]?.length ?? 0) - (value[3]?.length ?? 0), field: value[1], typed: value[3] ?? "" };
  const name = /[\w@.-]*$/.exec(before)?.[0] ?? "";
  return { start: cursor - name.length, typed: name };
}

/** What a query in KQL that finds nothing was probably meant as: Lucene syntax, or text that has to be in quotes. */
export function hintOf(q: string): "lucene" | "quotes" | undefined {
  const bare = q.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  if (/(^|[\s(])[a-z][a-z0-9+.-]*:\/\//i.test(bare)) return "quotes";
  if (/(^|[\s(])[-+][\w.@]+:/.test(bare) || /:\s*[[{][^\]}]*\sTO\s/.test(bare) || /(^|[\s(])_exists_\s*:/.test(bare) || /:\/.+\//.test(bare)) return "lucene";
  return undefined;
}
