import { asProblem } from "@/api/problem";
import { Store } from "./store";
import type { StateTone } from "./tone";

export interface Toast {
  id: number;
  tone: StateTone;
  text: string;
  detail?: string;
  /** A way back, or a way there. */
  action?: { label: string; run: () => void };
  to?: string;
}

export const toasts = new Store<Toast[]>([]);
let nextId = 1;

/** Shows a toast for what may be missed; it leaves by itself unless it is critical. */
export function toast(content: Omit<Toast, "id">): () => void {
  const id = nextId++;
  const close = () => toasts.set(toasts.get().filter((t) => t.id !== id));
  toasts.set([...toasts.get().slice(-3), { id, ...content }]);
  if (content.tone !== "critical") setTimeout(close, content.action ? 10_000 : 5_000);
  return close;
}

/** For actions whose place on the page is gone, such as one started from the palette. */
export function toastError(error: unknown) {
  const problem = asProblem(error);
  toast({ tone: "critical", text: problem.message, detail: problem.mend });
}
