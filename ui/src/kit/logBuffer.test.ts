import { expect, test } from "vitest";
import type { LogLine } from "@/api/types";
import { appendLog, cutAt, emptyLog, plainText, searchLog } from "./logBuffer";

const line = (seq: number, text = `line ${seq}`): LogLine => ({ seq, time: "2026-11-22T10:00:00Z", stream: "out", text });

test("appends in order, ignores what it has, keeps a window and counts what it dropped", () => {
  let log = appendLog(emptyLog, [line(1), line(2)], 3);
  expect(appendLog(log, [line(2)], 3)).toBe(log);
  log = appendLog(log, [line(2), line(3), line(4), line(5)], 3);
  expect(log.lines.map((l) => l.seq)).toEqual([3, 4, 5]);
  expect(log.dropped).toBe(2);
});

test("shows what a terminal would", () => {
  expect(plainText("\u001b[1;31mred\u001b[0m plain")).toBe("red plain");
  expect(plainText("\u001b]0;title\u0007text")).toBe("text");
  expect(plainText("10%\r50%\r100%")).toBe("100%");
  expect(plainText("windows\r")).toBe("windows");
  expect(plainText("a\u001b[2Kb")).toBe("ab");
});

test("finds without regard to case and colour", () => {
  const lines = [line(1, "Connected"), line(2, "\u001b[31mERR\u001b[0mor: connection refused"), line(3, "ok")];
  expect(searchLog(lines, "error")).toEqual([1]);
  expect(searchLog(lines, "connect")).toEqual([0, 1]);
  expect(searchLog(lines, "")).toEqual([]);
});

test("cuts a text where the query occurs", () => {
  expect(cutAt("one two One", "one")).toEqual(["", "one", " two ", "One", ""]);
  expect(cutAt("plain", "")).toEqual(["plain"]);
});
