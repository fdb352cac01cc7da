import { expect, test } from "vitest";
import { queryText } from "./client";
import { problemFrom } from "./problem";

test("problem+json, Prometheus's errors and bare pages all say what happened", () => {
  const ours = { title: "Conflict", detail: "Saved by ada meanwhile.", code: "conflict", mend: "Reload.", requestId: "r1" };
  expect(problemFrom(409, ours)).toMatchObject({ message: "Saved by ada meanwhile.", code: "conflict", mend: "Reload.", requestId: "r1", passing: false });
  expect(problemFrom(400, { status: "error", errorType: "bad_data", error: "parse error" })).toMatchObject({ message: "parse error", code: "bad_data" });
  expect(problemFrom(502, "<html>")).toMatchObject({ message: "The server answered 502.", passing: true });
  expect(problemFrom(422, { title: "x", errors: [{ message: "expected number", location: "body.limit" }] }).message).toBe("expected number (body.limit)");
});

test("queries leave out what is not set and join what is many", () => {
  expect(queryText({ x: 1, y: undefined, z: "", k: ["b", "c d"] })).toBe("x=1&k=b%2Cc+d");
});
