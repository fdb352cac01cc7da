// Makes the icons that telephones put on their home screens, of two drawings: the mark of the page, and the same without corners and
// with room around it, for systems that cut their own. Run it after a change of either: node build/icons.mjs

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const icons = [
  { from: "public/favicon.svg", to: "public/icons/192.png", size: 192 },
  { from: "public/favicon.svg", to: "public/icons/512.png", size: 512 },
  { from: "build/icon.svg", to: "public/icons/maskable-512.png", size: 512 },
  { from: "build/icon.svg", to: "public/apple-touch-icon.png", size: 180 },
];

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage();
for (const { from, to, size } of icons) {
  const svg = Buffer.from(await readFile(path(from))).toString("base64");
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(`<style>*{margin:0}</style><img width="${size}" height="${size}" style="display:block" src="data:image/svg+xml;base64,${svg}">`);
  await page.locator("img").evaluate((img) => img.decode());
  await writeFile(path(to), await page.screenshot({ omitBackground: true }));
}
await browser.close();
