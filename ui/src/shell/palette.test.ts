import { expect, test } from "vitest";
import { score } from "./palette";

const checkout = { group: "Service", label: "checkout", words: "takes orders" };

test("every word must be found; names count more than descriptions", () => {
  expect(score(checkout, "check")).toBeGreaterThan(score({ group: "Action", label: "Roll back checkout" }, "check"));
  expect(score(checkout, "orders")).toBeGreaterThan(0);
  expect(score(checkout, "service check")).toBeGreaterThan(0);
  expect(score(checkout, "check payments")).toBe(0);
  expect(score(checkout, "")).toBe(1);
});
