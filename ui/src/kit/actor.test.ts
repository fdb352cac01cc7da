import { expect, test } from "vitest";
import { actorWords } from "./actor";

test("actors that are no people are named in words", () => {
  expect(["ada", "token:admin", "system:alert rules", "daytwo"].map(actorWords)).toEqual(["ada", "admin token", "alert rules", "daytwo"]);
});
