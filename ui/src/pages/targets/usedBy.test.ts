import { expect, it } from "vitest";
import type { Rule } from "@/api/rules";
import { usedBy } from "./usedBy";

const rule = (name: string, query: string): Rule => ({ name, query, health: "ok", type: "alerting" });

it("finds the rules that name a metric, not those that name a longer one", () => {
  const rules = [rule("Down", "up == 0"), rule("Down", 'up{job="a"} == 0'), rule("Uptime", "uptime_seconds < 60"), rule("Rate", "sum(rate(job:up:sum[5m]))")];
  expect(usedBy("up", rules)).toEqual(["Down"]);
  expect(usedBy("job:up:sum", rules)).toEqual(["Rate"]);
});
