// Each page at two widths in two themes, as pictures for a person's eye, and read by axe.

import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { accessible } from "./axe.mjs";
import { goOn, open, openWindow, settled, sizes, themes } from "./browser.mjs";
import { check, ok } from "./report.mjs";

const folder = fileURLToPath(new URL("../test-results/screenshots/", import.meta.url));

/** Takes the page as it stands, or `whole`: in a window as high as the page (Chromium's own way shrinks the window for a moment). */
export async function picture(page, name, { width, theme, whole = true }) {
  await mkdir(folder, { recursive: true });
  const size = page.viewportSize();
  if (whole) {
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ width: size.width, height: Math.min(5_000, Math.max(size.height, height)) });
    await settled(page);
  }
  await page.screenshot({ path: `${folder}${name}-${width}-${theme}.png`, animations: "disabled" });
  if (whole) await page.setViewportSize(size);
}

const widths = Object.keys(sizes).map(Number);

/** Looks at the page that is open: a picture, nothing wider than the window, nothing that axe finds grave. */
export async function look(page, name, { width, theme }, { whole = true, contrastOnly = false } = {}) {
  const where = `${name} at ${width} px, ${theme}`;
  await check(`${where}: fits its window`, async () => {
    await picture(page, name, { width, theme, whole });
    const { content, view } = await page.evaluate(() => ({
      content: document.documentElement.scrollWidth,
      view: document.documentElement.clientWidth,
    }));
    ok(content <= view, `the page is ${content} px wide in a window of ${view} px`);
  });
  await check(`${where}: axe finds nothing serious`, () => accessible(page, { contrastOnly }));
}

/** Looks at the page in each theme. The theme may change while somebody reads, so the page stays open. */
export async function lookInEachTheme(page, name, width, options = {}) {
  for (const theme of themes) {
    await page.emulateMedia({ colorScheme: theme });
    await look(page, name, { width, theme }, { ...options, contrastOnly: theme !== themes[0] });
  }
  await page.emulateMedia({ colorScheme: themes[0] });
}

/** Each page at each width, in each theme: opened by its address on the desk, from within on the phone. Two windows share the pages. */
export async function gallery(browser, { url, storageState, complaints }, pages) {
  const walk = async (share) => {
    for (const width of widths) {
      const page = await openWindow(browser, { url, storageState, complaints, width });
      for (const { name, path } of share) {
        await check(`${name} at ${width} px: opens`, () => (width === 390 && page.url().startsWith(url) ? goOn(page, path) : open(page, path)));
        await lookInEachTheme(page, name, width);
      }
      await page.context().close();
    }
  };
  await Promise.all([0, 1].map((half) => walk(pages.filter((_, i) => i % 2 === half))));
}
