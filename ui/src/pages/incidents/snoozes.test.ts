import { expect, test } from "vitest";
import { snoozes } from "./snoozes";

const until = (now: string) => snoozes(new Date(now)).find((s) => s.label.startsWith("until"));

test("at night one waits until this morning, by day until the next", () => {
  expect(until("2026-03-04T03:15:00")).toEqual({ label: "until 9:00 today", time: "345m" });
  expect(until("2026-03-04T08:30:00")).toEqual({ label: "until 9:00 tomorrow", time: "1470m" });
  expect(until("2026-03-04T22:00:00")).toEqual({ label: "until 9:00 tomorrow", time: "660m" });
});
