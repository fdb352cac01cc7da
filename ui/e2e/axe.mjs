// Accessibility: axe on what stands in the window, serious and critical findings only.
// A theme changes colours and nothing else, so the second look at a page asks about contrast alone.

import axe from "axe-core";

const everything = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export async function accessible(page, { contrastOnly = false } = {}) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  const runOnly = contrastOnly ? ["color-contrast"] : everything;
  const { violations } = await page.evaluate((rules) => window.axe.run(document, { resultTypes: ["violations"], runOnly: rules }), runOnly);
  const grave = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
  if (grave.length === 0) return;
  const lines = grave.flatMap((v) => [
    `${v.impact} ${v.id}: ${v.help}`,
    ...v.nodes.slice(0, 3).map((n) => `  ${n.target.join(" ")}: ${n.failureSummary?.split("\n")[1]?.trim() ?? ""}`),
  ]);
  throw new Error(lines.join("\n"));
}
