// Chromium as a person's window: sizes, themes, and what it complains about.

import { chromium } from "playwright-core";

export const sizes = { 1440: { width: 1440, height: 900 }, 390: { width: 390, height: 844 } };
export const themes = ["light", "dark"];

const how = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};

export const launch = () => chromium.launch(how);

/** A browser that keeps what it learns in a directory, as a person's does: windows of the other kind cannot install anything. */
export const launchKeeping = (directory) => chromium.launchPersistentContext(directory, how);

/** A window; what it prints as an error, throws or is refused is added to `complaints`. */
export async function openWindow(browser, { url, width = 1440, theme = "light", storageState, complaints }) {
  const context = await browser.newContext({
    baseURL: url,
    viewport: sizes[width],
    hasTouch: width < 768,
    colorScheme: theme,
    reducedMotion: "reduce",
    locale: "en-GB",
    timezoneId: "UTC",
    storageState,
  });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const where = () => new URL(page.url()).pathname;
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`${where()}: console: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`${where()}: ${error.message}`));
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${where()}: ${response.status()} ${response.request().method()} ${response.url()}`);
  });
  return page;
}

/** Goes to a path and waits until it stands: a heading, and nothing that still loads. */
export async function open(page, path) {
  await page.goto(path);
  await settled(page);
}

/** Goes on to a path from within the app, as a link does: no file is loaded twice. */
export async function goOn(page, path) {
  const from = new URL(page.url());
  const to = new URL(path, from);
  if (from.origin !== to.origin || from.pathname === to.pathname) return open(page, path);
  await page.evaluate((href) => {
    document.querySelector("h1")?.setAttribute("data-left", "");
    history.pushState(null, "", href);
    dispatchEvent(new PopStateEvent("popstate", { state: null }));
  }, to.href);
  await page.locator("h1:not([data-left])").first().waitFor();
  await settled(page);
}

export async function settled(page) {
  await page.locator("h1").first().waitFor();
  // What has loaded may ask for more: it stands when it has stood for some frames.
  await page.evaluate(
    () =>
      new Promise((done) => {
        let still = 0;
        const look = () => {
          const waiting = document.querySelector('[role="status"][aria-label="Loading"], .mantine-Skeleton-root, main [aria-busy="true"]');
          still = waiting === null && document.fonts.status === "loaded" ? still + 1 : 0;
          if (still > 10) done();
          else requestAnimationFrame(look);
        };
        look();
      }),
  );
}
