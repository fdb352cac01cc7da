import { expect, test } from "vitest";
import { aroundPlace, condition, narrowed, placeAt, hintOf } from "./clause";

test("a click narrows the query", () => {
  expect(condition("kql", "status", 500)).toBe("status: 500");
  expect(condition("kql", "path", 'a "b"')).toBe('path: "a \\"b\\""');
  expect(condition("kql", "word", "and")).toBe('word: "and"');
  expect(condition("lucene", "host.name", "web-1")).toBe('host.name:"web-1"');
  expect(narrowed("kql", "", "level", "error", true)).toBe("level: error");
  expect(narrowed("kql", "level: error", "level", "error", true)).toBe("level: error");
  expect(narrowed("kql", "level: error", "level", "error", false)).toBe("not level: error");
  expect(narrowed("kql", "a: 1", "b", "x y", false)).toBe('a: 1 and not b: "x y"');
  expect(narrowed("kql", "a: 1 or b: 2", "c", 3, true)).toBe("(a: 1 or b: 2) and c: 3");
  expect(narrowed("lucene", "a:1", "b", "x", true)).toBe('a:1 AND b:"x"');
});

test("a fault is shown at its place", () => {
  expect(aroundPlace("a:(b", 5)).toEqual({ before: "a:(b", at: "", after: "" });
  expect(aroundPlace("ä😀:]x", 4)).toEqual({ before: "ä😀:", at: "]", after: "x" });
  expect(aroundPlace("0123456789", 6, 2)).toEqual({ before: "…34", at: "5", after: "67…" });
});

test("the place of the cursor says what completes", () => {
  expect(placeAt("lev", 3)).toEqual({ start: 0, typed: "lev" });
  expect(placeAt("level: er", 9)).toEqual({ start: 7, field: "level", typed: "er" });
  expect(placeAt('a: 1 and host.name:"we', 22)).toEqual({ start: 19, field: "host.name", typed: "we" });
  expect(placeAt("a: 1 and ", 9)).toEqual({ start: 9, typed: "" });
});

test("what KQL takes for text is told from what it is meant as", () => {
  for (const q of ["-response:200", "response:[400 TO 499]", "_exists_:tags", "a and -b.c:1", "path:/api.*/"]) expect(hintOf(q), q).toBe("lucene");
  for (const q of ["http://shop/x", "url: x or https://shop"]) expect(hintOf(q), q).toBe("quotes");
  for (const q of ["", "not response: 200", 'message: "-a:1"', '"http://shop/x"', "response >= 400", "a-b: 1"]) expect(hintOf(q), q).toBeUndefined();
});
