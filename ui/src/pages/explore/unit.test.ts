import { expect, test } from "vitest";
import { guessUnit } from "./unit";

test.each([
  ["up", "count"],
  ["sum(rate(http_server_requests_total[1m]))", "perSecond"],
  ["rate(node_network_receive_bytes_total[5m])", "bytesPerSecond"],
  ["process_resident_memory_bytes", "bytes"],
  ["histogram_quantile(0.99, sum by (le) (rate(x_duration_seconds_bucket[1m])))", "seconds"],
  ['sum(rate(a_total{code=~"5.."}[1m])) / sum(rate(a_total[1m]))', "ratio"],
  ["rate(x_seconds_sum[5m]) / rate(x_seconds_count[5m])", "seconds"],
  ["disk_used_ratio", "ratio"],
])("%s is drawn in %s", (expr, unit) => {
  expect(guessUnit(expr)).toBe(unit);
});
