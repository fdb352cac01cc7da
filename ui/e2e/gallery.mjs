// Each page at two widths in two themes, as pictures for a person's eye, and read by axe.

import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { accessible } from "./axe.mjs";
import { open, openWindow, sizes, themes } from "./browser.mjs";
import { check, ok } from "./report.mjs";

const folder = fileURLToPath(new URL("../test-results/screenshots/", import.meta.url));

/** Takes the page as it stands, or `whole`: in a window as high as the page (Chromium's own way shrinks the window for a moment). */
export async function picture(page, name, { width, theme, whole = true }) {
  await mkdir(folder, { recursive: true });
  const size = page.viewportSize();
  if (whole) {
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ width: size.width, height: Math.min(5_000, Math.max(size.height, height)) });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  }
  await page.screenshot({ path: `${folder}${name}-${width}-${theme}.png`, animations: "disabled" });
  if (whole) await page.setViewportSize(size);
}

/** The four windows: each width in each theme. */
export const variants = Object.keys(sizes).flatMap((width) => themes.map((theme) => ({ width: Number(width), theme })));

/** Looks at the page that is open: a picture, nothing wider than the window, nothing that axe finds grave. */
export async function look(page, name, variant, { whole = true } = {}) {
  const where = `${name} at ${variant.width} px, ${variant.theme}`;
  await check(`${where}: fits its window`, async () => {
    await picture(page, name, { ...variant, whole });
    const { content, view } = await page.evaluate(() => ({
      content: document.documentElement.scrollWidth,
      view: document.documentElement.clientWidth,
    }));
    ok(content <= view, `the page is ${content} px wide in a window of ${view} px`);
  });
  await check(`${where}: axe finds nothing serious`, () => accessible(page));
}

/** Opens each page in each of the four windows, two windows at a time. */
export async function gallery(browser, { url, storageState, complaints }, pages) {
  const walk = async (variant) => {
    const page = await openWindow(browser, { url, storageState, complaints, ...variant });
    for (const { name, path } of pages) {
      await check(`${name} at ${variant.width} px, ${variant.theme}: opens`, () => open(page, path));
      await look(page, name, variant);
    }
    await page.context().close();
  };
  for (let i = 0; i < variants.length; i += 2) await Promise.all(variants.slice(i, i + 2).map(walk));
}
