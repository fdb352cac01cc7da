import { expect, test } from "vitest";
import { changes } from "./changes";

test("says what differs, and nothing else", () => {
  const before = { id: "1", name: "shop", members: ["ada"], description: "", saved: { version: "a" }, escalationPolicy: "days" };
  const now = { id: "1", name: "shop", members: ["ada", "grace"], saved: { version: "b" }, escalationPolicy: "nights", levels: [{ after: "5m", targets: [{ kind: "person", name: "ada" }] }] };
  expect(changes(before, now)).toEqual([
    { name: "members", before: "ada", now: "ada, grace" },
    { name: "escalation policy", before: "days", now: "nights" },
    { name: "levels", before: "nothing", now: "after 5m · targets kind person · name ada" },
  ]);
  expect(changes(before, before)).toEqual([]);
});
