import { expect, test } from "vitest";
import { moved } from "./moved";

test("an item moves, and the list it came from stays", () => {
  const list = ["a", "b", "c"];
  expect(moved(list, 2, 0)).toEqual(["c", "a", "b"]);
  expect(moved(list, 0, 1)).toEqual(["b", "a", "c"]);
  expect(list).toEqual(["a", "b", "c"]);
});
