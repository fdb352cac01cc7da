import { expect, test } from "vitest";
import { startsIn } from "./marks";

test("incidents that began within a time are marked where they did", () => {
  const band = (from: number, to: number) => ({ from, to, title: `#${from}`, link: `/incidents/${from}` });
  expect(startsIn([band(5, Infinity), band(10, 12), band(20, Infinity), band(31, 40)], 10, 30)).toEqual([
    { ...band(10, 10), startOnly: true },
    { ...band(20, 20), startOnly: true },
  ]);
});
