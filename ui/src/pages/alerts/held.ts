import type { Alert } from "@/api/types";
import { labelPairs } from "@/kit/series";

/** In two words, what became of an alert as an incident. */
export function heldBy(alert: Pick<Alert, "handedAt" | "withheld">): string {
  if (alert.handedAt) return "opened";
  const why = alert.withheld ?? "";
  if (why.startsWith("silenced")) return "silenced";
  if (why.startsWith("inhibited")) return "inhibited";
  if (why.startsWith("muted")) return "muted";
  if (why.startsWith("waits")) return "waits for its group";
  if (why.includes("routes it to")) return "routed elsewhere";
  return why ? "none" : "–";
}

/** The state to show: what holds an alert that fires, else its own. */
export const stateOf = (alert: Pick<Alert, "state" | "suppressed">): string => alert.suppressed ?? alert.state;

const shownElsewhere = ["alertname", "severity", "service"];

/** The labels that tell alerts of one name apart, as matchers write them; the rest stand beside them. */
export const ownLabels = (labels: Alert["labels"]): string =>
  labelPairs(Object.fromEntries(Object.entries(labels).filter(([name]) => !shownElsewhere.includes(name)))).join(" ");

/** Labels written into a form: `service=checkout`, one a line or with commas. */
export function splitLabels(text: string): string[] {
  return pieces(text, /[\n,]/).map((piece) => piece.replace(/^\{|\}$/g, "").trim()).filter(Boolean);
}

/** Matchers written into a form, one a line; a line may hold several with commas, which the server reads. */
export function splitMatchers(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter(Boolean);
}

/** Parts of a text at separators that do not stand in quotes. */
function pieces(text: string, separator: RegExp): string[] {
  const found: string[] = [];
  let piece = "";
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    if (c === '"' && text[i - 1] !== "\\") quoted = !quoted;
    if (!quoted && separator.test(c)) {
      found.push(piece);
      piece = "";
    } else piece += c;
  }
  return [...found, piece];
}

/** A matcher that holds for exactly this value. */
export const matcherFor = (name: string, value: string) => `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
