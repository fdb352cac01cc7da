// Each page at two widths in two themes, as pictures for a person's eye, and read by axe.

import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { accessibility } from "./axe.mjs";
import { open, openWindow, sizes, themes } from "./browser.mjs";
import { check, ok } from "./report.mjs";

const folder = fileURLToPath(new URL("../test-results/screenshots/", import.meta.url));

export async function picture(page, name, { width, theme, fullPage = true }) {
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: `${folder}${name}-${width}-${theme}.png`, fullPage, animations: "disabled" });
}

/** Opens each page in each of the four windows, two windows at a time. */
export async function gallery(browser, { url, storageState, complaints }, pages) {
  const variants = Object.keys(sizes).flatMap((width) => themes.map((theme) => ({ width: Number(width), theme })));
  const walk = async (variant) => {
    const page = await openWindow(browser, { url, storageState, complaints, ...variant });
    for (const { name, path } of pages) {
      await check(`${name} at ${variant.width} px, ${variant.theme}`, async () => {
        await open(page, path);
        await picture(page, name, variant);
        const { scroll, view } = await page.evaluate(() => ({
          scroll: document.documentElement.scrollWidth,
          view: document.documentElement.clientWidth,
        }));
        ok(scroll <= view, `the page is ${scroll} px wide in a window of ${view} px`);
        await accessibility(page);
      });
    }
    await page.context().close();
  };
  for (let i = 0; i < variants.length; i += 2) await Promise.all(variants.slice(i, i + 2).map(walk));
}
