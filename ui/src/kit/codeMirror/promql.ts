import type { Extension } from "@codemirror/state";
import { PromQLExtension } from "@prometheus-io/codemirror-promql";

/** PromQL with linting, and completion of metrics, labels and values from the server. */
export function promql(): Extension {
  return new PromQLExtension().setComplete({ remote: { url: "/prometheus", lookbackInterval: 3_600_000 } }).asExtension();
}
