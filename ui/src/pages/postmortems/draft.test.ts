import { expect, test } from "vitest";
import type { Written } from "@/api/types";
import { merge, trimmed } from "./draft";

const base: Written = { title: "t", status: "draft", summary: "s", impact: "i", rootCause: "r", lessons: "", actions: [] };

test("changes to different fields come together", () => {
  const { merged, both } = merge(base, { ...base, summary: "mine" }, { ...base, impact: "theirs" });
  expect(merged).toEqual({ ...base, summary: "mine", impact: "theirs" });
  expect(both).toEqual([]);
});

test("a field that both changed keeps mine and is named", () => {
  const { merged, both } = merge(base, { ...base, summary: "mine", lessons: "l" }, { ...base, summary: "theirs" });
  expect(merged.summary).toBe("mine");
  expect(both).toEqual(["summary"]);
});

test("the same change by both is no conflict", () => {
  expect(merge(base, { ...base, status: "published" }, { ...base, status: "published" }).both).toEqual([]);
});

test("empty actions are not sent", () => {
  expect(trimmed({ ...base, actions: [{ text: " " }, { text: "add a test" }] }).actions).toEqual([{ text: "add a test" }]);
});
