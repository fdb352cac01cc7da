import { expect, test } from "vitest";
import { escalationPolicies, objectivesOf } from "./examples";

test("parts of the catalog stand alone", () => {
  expect(escalationPolicies).toBe("escalation_policies:\n  - name: orders\n    levels:\n      - {targets: [ada], after: 0s}");
  expect(objectivesOf("payments")).toMatch(/^slos:\n {2}- name: availability\n[^]*service="payments"\}\[\$window\]\)\)$/);
});
