import { expect, test } from "vitest";
import type { Service } from "@/api/types";
import { emptyService, fieldsOf, serviceBody, serviceDraft } from "./serviceDraft";

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
  expect(serviceBody(serviceDraft(stored, "UTC"), stored)).toEqual({
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
  const draft = serviceDraft(stored, "UTC");
  expect(serviceBody({ ...draft, together: "none", within: 0 }, stored).grouping).toEqual({ by: ["dedup_key"] });
  expect(serviceBody({ ...draft, together: "service", within: 0 }, stored).grouping).toBeUndefined();
  expect(serviceBody({ ...draft, together: "fields", fields: " class ,, env ; zone\nrack" }, stored).grouping?.by).toEqual(["class", "env", "zone", "rack"]);
});

test("fields are told apart however they are written, and those of before stay whole", () => {
  expect(fieldsOf("class env", [])).toEqual(["class", "env"]);
  expect(fieldsOf("disk name, class, class", ["disk name"])).toEqual(["disk name", "class"]);
  expect(fieldsOf("a, b, c", ["a, b", "c"])).toEqual(["a, b", "c"]);
});

test("support hours are made, changed and taken away", () => {
  const draft = { ...emptyService("Europe/Paris"), name: "billing", support: [{ key: 1, days: [1, 2], from: "09:00", hours: 8 }] };
  const windows = [1, 2].map((weekday) => ({ weekly: true, weekday, start: 32_400, duration: 28_800 }));
  expect(serviceBody(draft).supportHours).toEqual({ timeZone: "Europe/Paris", outside: "low", windows });
  expect(serviceBody({ ...serviceDraft(stored, "UTC"), support: [] }, stored).supportHours).toBeUndefined();
  const odd = { ...stored, supportHours: { timeZone: "UTC", outside: "high", windows: [{ start: 32_430, duration: 60 }] } } as Service;
  expect(serviceBody(serviceDraft(odd, "UTC"), odd).supportHours).toEqual(odd.supportHours);
});
