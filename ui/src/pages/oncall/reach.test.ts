import { expect, test } from "vitest";
import { reach } from "./reach";

test("who is reached by what", () => {
  const sms = { id: "1", channel: "sms", address: "+33…" } as const;
  const email = { id: "2", channel: "email", address: "a@b.c", file: "daytwo.yml" } as const;
  expect(reach({ contacts: [] }).tone).toBe("critical");
  expect(reach({ contacts: [sms] })).toEqual({ words: "nothing verified", tone: "warning" });
  expect(reach({ contacts: [email, sms, { ...sms, id: "3", verified: "2026-01-01T00:00:00Z" }] })).toEqual({ words: "email, sms", tone: "good" });
});
