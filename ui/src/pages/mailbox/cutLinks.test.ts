import { expect, test } from "vitest";
import { cutLinks } from "./cutLinks";

test("addresses of this server become links, without the full stop after them", () => {
  expect(cutLinks("Open http://a:1/incidents/1. Bye", "http://a:1")).toEqual([
    { text: "Open " },
    { text: "http://a:1/incidents/1", path: "/incidents/1" },
    { text: ". Bye" },
  ]);
});

test("other addresses stay text", () => {
  expect(cutLinks("http://a:10/x http://a:1", "http://a:1").every((p) => p.path === undefined)).toBe(true);
});
