const key = "daytwo.explore.history";
const kept = 30;

/** Expressions asked before on this machine, newest first. */
export function readHistory(): string[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(value) ? value.filter((v): v is string => typeof v === "string") : [];
  } catch {
    return [];
  }
}

export function remember(exprs: string[]) {
  const all = [...new Set([...exprs, ...readHistory()])].slice(0, kept);
  try {
    localStorage.setItem(key, JSON.stringify(all));
  } catch {
    // Storage is off or full: there is no history then.
  }
}
