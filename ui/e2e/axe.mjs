// Accessibility: axe on what stands in the window, serious and critical findings only.

import axe from "axe-core";

export async function accessible(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  const grave = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
  if (grave.length === 0) return;
  const lines = grave.flatMap((v) => [
    `${v.impact} ${v.id}: ${v.help}`,
    ...v.nodes.slice(0, 3).map((n) => `  ${n.target.join(" ")}: ${n.failureSummary?.split("\n")[1]?.trim() ?? ""}`),
  ]);
  throw new Error(lines.join("\n"));
}
