import { describe, expect, it } from "vitest";
import type { Target } from "@/api/targets";
import { byUrgency, matches, pools } from "./pools";

function target(job: string, instance: string, health: Target["health"], lastError = ""): Target {
  return {
    discoveredLabels: { __address__: instance },
    labels: { job, instance },
    scrapePool: job,
    scrapeUrl: `http://${instance}/metrics`,
    lastError,
    lastScrape: "2026-03-01T12:00:00Z",
    lastScrapeDuration: 0.01,
    health,
    scrapeInterval: "15s",
    scrapeTimeout: "10s",
  };
}

describe("targets", () => {
  const web = target("web", "a:80", "up");
  const db = target("db", "b:5432", "down", "connection refused");
  const fresh = target("db", "c:5432", "unknown");

  it("lists what is down first", () => {
    expect(byUrgency([web, fresh, db])).toEqual([db, fresh, web]);
  });

  it("finds by every word, in labels, address and error", () => {
    expect(matches(db, "DB refused")).toBe(true);
    expect(matches(db, 'instance="b')).toBe(true);
    expect(matches(db, "db timeout")).toBe(false);
    expect(matches(db, "")).toBe(true);
  });

  it("counts what relabelling dropped, also what is not listed", () => {
    const [first, second] = pools({
      activeTargets: [web],
      droppedTargets: [{ discoveredLabels: { __address__: "x:1", job: "web" }, scrapePool: "web" }],
      droppedTargetCounts: { web: 7, gone: 2 },
    });
    expect(first).toMatchObject({ name: "gone", active: 0, dropped: 2, found: [] });
    expect(second).toMatchObject({ name: "web", active: 1, dropped: 7 });
    expect(second?.found).toHaveLength(2);
    expect(second?.found[1]?.after).toBeUndefined();
  });
});
