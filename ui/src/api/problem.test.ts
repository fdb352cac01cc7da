import { expect, test } from "vitest";
import { withQuery } from "./client";
import { problemFrom } from "./problem";

test("problem+json, Prometheus's errors and bare pages all say what happened", () => {
  const ours = problemFrom(409, '{"title":"Conflict","detail":"Saved by ada meanwhile.","code":"conflict","mend":"Reload.","requestId":"r1"}');
  expect(ours).toMatchObject({ message: "Saved by ada meanwhile.", code: "conflict", mend: "Reload.", requestId: "r1", passing: false });
  expect(problemFrom(400, '{"status":"error","errorType":"bad_data","error":"parse error"}')).toMatchObject({ message: "parse error", code: "bad_data" });
  expect(problemFrom(502, "<html>")).toMatchObject({ message: "The server answered 502.", passing: true });
  expect(problemFrom(422, '{"title":"x","errors":[{"message":"expected number","location":"body.limit"}]}').message).toBe("expected number (body.limit)");
});

test("queries leave out what is not set and join what is many", () => {
  expect(withQuery("/a", { x: 1, y: undefined, z: "", k: ["b", "c d"] })).toBe("/a?x=1&k=b%2Cc+d");
  expect(withQuery("/a")).toBe("/a");
});
