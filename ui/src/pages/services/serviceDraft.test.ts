import { expect, test } from "vitest";
import type { Service } from "@/api/types";
import { serviceBody, serviceDraft } from "./serviceDraft";

const stored = {
  id: "P1",
  name: "checkout",
  team: "payments",
  escalationPolicy: "payments",
  dependsOn: ["orders"],
  ackTimeout: "30m",
  urgency: "severity",
  grouping: { by: ["class", "labels.env"], within: "1h" },
  supportHours: { timeZone: "Europe/Paris", outside: "low", windows: [{ start: 32_400, duration: 28_800 }] },
  integrations: [{ id: "I1", name: "events", key: "0123456789abcdef0123456789abcdef" }],
  signals: { traffic: "a", errors: "b", latencyP99: "c" },
  slos: [],
} as Service;

test("a service that nobody changed is saved as it was, and its keys are not sent around", () => {
  expect(serviceBody(serviceDraft(stored), stored)).toEqual({
    name: "checkout",
    team: "payments",
    escalationPolicy: "payments",
    dependsOn: ["orders"],
    ackTimeout: "1800s",
    urgency: "severity",
    grouping: { by: ["class", "labels.env"], within: "3600s" },
    supportHours: stored.supportHours,
    integrations: [{ id: "I1", name: "events" }],
  });
});

test("alerts make one incident, or each its own, or by what they share", () => {
  const draft = serviceDraft(stored);
  expect(serviceBody({ ...draft, together: "none", within: 0 }, stored).grouping).toEqual({ by: ["dedup_key"] });
  expect(serviceBody({ ...draft, together: "service", within: 0 }, stored).grouping).toBeUndefined();
  expect(serviceBody({ ...draft, together: "fields", fields: " class ,, env " }, stored).grouping?.by).toEqual(["class", "env"]);
});
