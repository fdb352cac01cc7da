// daytwo on a phone's home screen: an iPhone rings by web push only what stands there.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launchKeeping } from "./browser.mjs";
import { check, equal, ok } from "./report.mjs";

export async function installStory(url) {
  const profile = await mkdtemp(join(tmpdir(), "daytwo-profile-"));
  const browser = await launchKeeping(profile);
  try {
    const page = await browser.newPage();
    await page.goto(`${url}/sign-in`); // nobody has signed in
    const chromium = await browser.newCDPSession(page);
    await check("home screen: Chromium reads the manifest without complaint", async () => {
      const { url: from, errors, data } = await chromium.send("Page.getAppManifest");
      equal(from, `${url}/manifest.webmanifest`, "where it is");
      equal(JSON.stringify(errors), "[]", "what is wrong with it");
      equal(JSON.parse(data).display, "standalone", "how it is shown");
    });
    await check("home screen: Chromium would install it", async () => {
      const { installabilityErrors } = await chromium.send("Page.getInstallabilityErrors");
      equal(JSON.stringify(installabilityErrors), "[]", "what is in the way");
    });
    await check("home screen: its icons are as large as it says, and Apple's has no holes", async () => {
      const { icons } = await (await page.request.get(`${url}/manifest.webmanifest`)).json();
      const apple = await page.locator('link[rel="apple-touch-icon"]').getAttribute("href");
      for (const { src, sizes } of [...icons.filter((i) => i.sizes !== "any"), { src: apple, sizes: "180x180" }]) {
        const drawn = await page.evaluate(async (address) => {
          const image = new Image();
          image.src = address;
          await image.decode();
          return `${image.naturalWidth}x${image.naturalHeight}`;
        }, src);
        equal(drawn, sizes, src);
      }
      const corner = await page.evaluate(async (address) => {
        const image = new Image();
        image.src = address;
        await image.decode();
        const canvas = new OffscreenCanvas(1, 1).getContext("2d");
        canvas.drawImage(image, 0, 0);
        return canvas.getImageData(0, 0, 1, 1).data[3];
      }, apple);
      ok(corner === 255, `its corner lets ${255 - corner} of 255 through: an iPhone would draw that black`);
    });
  } finally {
    await browser.close();
    await rm(profile, { recursive: true, force: true });
  }
}
