import { expect, test } from "vitest";
import { dots, traceOf, type Exemplar } from "./exemplars";

const seen = (time: number, value: number): Exemplar => ({ time, value, labels: { trace_id: `t${time}` }, series: {} });
const plot = { width: 240, height: 100, low: 0, high: 10 };

test("one dot stands for what lies too near, and is its highest", () => {
  const all = dots([seen(1, 2), seen(2, 5), seen(3, 1), seen(60, 4)], plot, 0, 100);
  expect(all.map((d) => [d.exemplar.value, d.count, d.top])).toEqual([
    [5, 3, 50],
    [4, 1, 60],
  ]);
});

test("what is off the axis lies on its edge, what is out of time nowhere", () => {
  const all = dots([seen(10, 99), seen(50, -1), seen(101, 5), seen(-1, 5)], plot, 0, 100);
  expect(all.map((d) => d.top)).toEqual([0, 100]);
});

test("a trace is known by any of its names", () => {
  expect(traceOf(seen(1, 1))).toBe("t1");
  expect(traceOf({ ...seen(1, 1), labels: { traceID: "x" } })).toBe("x");
  expect(traceOf({ ...seen(1, 1), labels: { user: "x" } })).toBeUndefined();
});
