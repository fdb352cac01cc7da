import { describe, expect, test } from "vitest";
import { diffLines, foldSame, type DiffLine } from "./diff";

const marks = { same: " ", removed: "-", added: "+" };
const show = (lines: DiffLine[]) => lines.map((l) => marks[l.kind] + l.text).join("\n");

describe("diffLines", () => {
  test.each([
    ["a\nb\nc", "a\nb\nc", " a\n b\n c"],
    ["a\nb\nc", "a\nx\nc", " a\n-b\n+x\n c"],

    ["a\nb\nc\nd", "b\nc\nd\ne", "-a\n b\n c\n d\n+e"],
    ["a\na\na", "a\na", " a\n a\n-a"],
    ["", "", " "],
  ])("%j to %j", (before, after, want) => {
    expect(show(diffLines(before, after))).toBe(want);
  });

  test("both texts can be read back from it", () => {
    const pick = (n: number) => "abcd"[n % 4] ?? "";
    for (let seed = 1; seed < 200; seed++) {
      const make = (k: number, count: number) =>
        Array.from({ length: count }, (_, i) => pick((seed * k * (i + 3)) >> 2)).join("\n");
      const [a, b] = [make(7, seed % 9), make(13, seed % 7)];
      const diff = diffLines(a, b);
      const without = (kind: DiffLine["kind"]) => diff.filter((l) => l.kind !== kind).map((l) => l.text).join("\n");
      expect(without("added")).toBe(a);
      expect(without("removed")).toBe(b);
      expect(diff.flatMap((l) => l.before ?? [])).toEqual(diff.flatMap((l) => l.before ?? []).sort((x, y) => x - y));
    }
  });
});

test("foldSame hides what is far from a change", () => {
  const before = Array.from({ length: 20 }, (_, i) => `line ${i}`);
  const after = before.with(10, "changed");
  const parts = foldSame(diffLines(before.join("\n"), after.join("\n")), 2);
  expect(parts.map((p) => (p.kind === "gap" ? p.count : p.kind))).toEqual([8, "same", "same", "removed", "added", "same", "same", 7]);
});
