import { expect, test } from "vitest";
import { diffLines, foldSame } from "./diff";

const marks = (before: string, after: string) =>
  diffLines(before, after).map((l) => `${{ same: " ", added: "+", removed: "-" }[l.kind]}${l.text}`);

test("keeps what both have and marks the rest", () => {
  expect(marks("a\nb\nc\nd", "a\nx\nc\ny\nd")).toEqual([" a", "-b", "+x", " c", "+y", " d"]);
  expect(marks("a\nb", "a\nb")).toEqual([" a", " b"]);
  expect(marks("image: v1", "image: v2")).toEqual(["-image: v1", "+image: v2"]);
});

test("numbers lines on the side they are on", () => {
  expect(diffLines("a\nb", "b\nc")).toEqual([
    { kind: "removed", text: "a", before: 1 },
    { kind: "same", text: "b", before: 2, after: 1 },
    { kind: "added", text: "c", after: 2 },
  ]);
});

test("both sides can be rebuilt, whatever the texts", () => {
  let seed = 7;
  const random = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
  const text = () => Array.from({ length: random(12) }, () => "abc"[random(3)] ?? "").join("\n");
  for (let i = 0; i < 300; i++) {
    const [before, after] = [text(), text()];
    const lines = diffLines(before, after);
    const side = (without: string) => lines.filter((l) => l.kind !== without).map((l) => l.text).join("\n");
    expect([side("added"), side("removed")]).toEqual([before, after]);
  }
});

test("folds what is far from a change", () => {
  const lines = Array.from({ length: 20 }, (_, i) => `line ${i}`);
  const changed = lines.with(10, "other");
  const parts = foldSame(diffLines(lines.join("\n"), changed.join("\n")), 2);
  expect(parts.map((p) => (p.kind === "gap" ? p.count : p.text))).toEqual([
    8, "line 8", "line 9", "line 10", "other", "line 11", "line 12", 7,
  ]);
});
