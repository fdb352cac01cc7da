import { expect, test } from "vitest";
import { levelTone, readLine } from "./logLine";

test("plain text stays", () => {
  expect(readLine("failed to listen")).toEqual({ text: "failed to listen", fields: [] });
  expect(readLine("{not json")).toEqual({ text: "{not json", fields: [] });
});

test("a JSON record shows its message, level and other fields", () => {
  const line = '{"time":"2026-11-22T10:00:00Z","level":"ERROR","msg":"order failed","plan":"gold","status":500,"tags":["a"]}';
  expect(readLine(line)).toEqual({
    text: "order failed",
    level: "error",
    fields: [
      ["plan", "gold"],
      ["status", "500"],
      ["tags", '["a"]'],
    ],
  });
});

test("levels", () => {
  expect([levelTone("error"), levelTone("warning"), levelTone("info"), levelTone(undefined)]).toEqual([
    "critical",
    "warning",
    undefined,
    undefined,
  ]);
});
