import { expect, test } from "vitest";
import { colourIndexes, palette, seriesColours } from "./colours";
import { limitSeries, nothingFinite, onGrid, seriesName, summary, tellApart, timeGrid, toSeries, type Series } from "./series";

test("values land on the grid, gaps stay gaps", () => {
  expect(timeGrid(0, 30, 10)).toEqual([0, 10, 20, 30]);
  expect(onGrid([[0, "1"], [20, "3.5"], [30, "NaN"], [99, "9"]], 0, 10, 4)).toEqual([1, null, 3.5, null]);
});

test("a result of NaN and infinities alone has nothing to draw", () => {
  const series = (text: string) => toSeries([{ metric: {}, values: [[0, "NaN"], [1, text]] }], { from: 0, step: 1, count: 2 });
  expect(nothingFinite(series("+Inf"))).toBe(true);
  expect(nothingFinite(series("0"))).toBe(false);
  expect(nothingFinite([])).toBe(false);
});

test("series are named by what tells them apart", () => {
  expect(tellApart([{ __name__: "up", job: "a", dc: "x" }, { __name__: "up", job: "b", dc: "x" }])).toEqual(['job="a"', 'job="b"']);
  expect(tellApart([{ __name__: "up", job: "a" }])).toEqual(["up"]);
  expect(tellApart([{ job: "a" }, { job: "a", code: "500" }])).toEqual(["{}", 'code="500"']);
  expect(tellApart([{ __name__: "up", dc: "x", job: "a" }, { __name__: "down", dc: "y", job: "a" }])).toEqual(['up{dc="x"}', 'down{dc="y"}']);
  expect(seriesName({ __name__: "up", b: "2", a: 'x"y' })).toBe('up{a="x\\"y", b="2"}');
  const matrix = [{ metric: { code: "200" }, values: [] }];
  expect(toSeries(matrix, { from: 0, step: 1, count: 1 }, "HTTP {{code}}")[0]?.label).toBe("HTTP 200");
});

test("at most twelve are drawn, the rest as one", () => {
  const all = Array.from({ length: 20 }, (_, i): Series => ({ label: `s${i}`, values: [i, null] }));
  const drawn = limitSeries(all, "perSecond");
  expect(drawn).toHaveLength(12);
  expect(drawn.at(-1)).toEqual({ label: "9 others (sum)", values: [36, null], others: 9 });
  expect(limitSeries(all, "seconds").at(-1)?.values[0]).toBe(4);
  expect(limitSeries(all.slice(0, 12), "count")).toHaveLength(12);
});

test("summaries leave out what is missing", () => {
  expect(summary([null, 2, 4, null])).toEqual({ last: 4, mean: 3, max: 4 });
  expect(summary([])).toEqual({ last: null, mean: null, max: null });
});

test("a label keeps its colour whatever else is on the graph, unless two would share one", () => {
  const alone = colourIndexes(["checkout"]).get("checkout");
  for (let i = 0; i < 50; i++) {
    const other = `other-${i}`;
    if (colourIndexes([other]).get(other) === alone) continue;
    expect(colourIndexes(["checkout", other]).get("checkout")).toBe(alone);
  }
  const many = seriesColours(Array.from({ length: 12 }, (_, i) => `series ${i}`), "light");
  expect(new Set(many).size).toBe(12);
});

/** WCAG relative luminance. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

test.each([
  ["light", "#ffffff"],
  ["dark", "#14171b"],
] as const)("every colour stands out from the %s background", (scheme, background) => {
  for (const colour of palette[scheme]) {
    const [a = 0, b = 0] = [luminance(colour), luminance(background)].sort((x, y) => y - x);
    expect((a + 0.05) / (b + 0.05)).toBeGreaterThan(3);
  }
});
