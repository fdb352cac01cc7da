// What two versions of one thing say differently.

export interface Change {
  /** "escalation policy". */
  name: string;
  before: string;
  now: string;
}

/** What belongs to the keeping of a thing and is nobody's change. */
const kept = new Set(["saved", "id", "file"]);

/** The fields that differ, in the order of the later version. */
export function changes(before: object, now: object): Change[] {
  const old = before as Record<string, unknown>;
  const fresh = now as Record<string, unknown>;
  return [...new Set([...Object.keys(fresh), ...Object.keys(old)])]
    .filter((key) => !kept.has(key) && words(old[key]) !== words(fresh[key]))
    .map((key) => ({ name: key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`), before: words(old[key]), now: words(fresh[key]) }));
}

const nothing = "nothing";

function words(value: unknown): string {
  if (value === undefined || value === null || value === "") return nothing;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.length === 0 ? nothing : value.map((v) => words(v)).join(", ");
  if (typeof value === "object") {
    return Object.entries(value)
      .filter(([key, v]) => key !== "id" && v !== undefined)
      .map(([key, v]) => `${key} ${words(v)}`)
      .join(" · ");
  }
  return `${value as string | number}`;
}
