import { PromQLExtension } from "@prometheus-io/codemirror-promql";

/** PromQL with names, labels and functions completed from this server. */
export const promql = () => new PromQLExtension().setComplete({ remote: { url: "/prometheus" } }).asExtension();
