// A phone rings by web push. No push service of a browser's maker can be reached from here, so one on this machine takes what daytwo
// sends, and the browser is handed the message the way its own service would: everything else is real.

import { openWindow, settled } from "./browser.mjs";
import { look } from "./gallery.mjs";
import { check, equal, must, ok } from "./report.mjs";
import { startPushService } from "./pushService.mjs";

export async function pushStory(browser, { url, storageState, complaints }) {
  const service = await startPushService();
  const page = await openWindow(browser, { url, storageState, complaints, width: 390 });
  const context = page.context();
  try {
    await context.grantPermissions(["notifications"], { origin: url });
    const deliver = await deliverer(context, page);
    await page.addInitScript((subscription) => {
      PushManager.prototype.subscribe = async function (options) {
        window.subscribedWith = options;
        return { toJSON: () => subscription };
      };
    }, service.subscription);

    await must("push: the reader makes themselves reachable", async () => {
      await page.goto("/settings");
      await page.getByRole("link", { name: "Add yourself to the people who can be paged" }).click();
      await page.getByRole("button", { name: "Make the person" }).click();
      await page.getByRole("heading", { level: 1, name: "admin" }).waitFor();
      await settled(page);
    });
    await must("push: the browser is turned on, with daytwo's key", async () => {
      await page.getByRole("combobox", { name: "Add", exact: true }).selectOption("push");
      await page.getByRole("button", { name: "Turn on" }).click();
      await page.getByText("Chrome on Linux").first().waitFor();
      const { userVisibleOnly, applicationServerKey } = await page.evaluate(() => window.subscribedWith);
      ok(userVisibleOnly === true, "the browser would refuse a subscription that rings in silence");
      equal(Buffer.from(applicationServerKey, "base64url").length, 65, "the length of the public key");
    });
    await look(page, "push-on", { width: 390, theme: "light" });
    await must("push: a test arrives encrypted, signed by VAPID, and rings", async () => {
      await page.getByRole("listitem").filter({ hasText: "Chrome on Linux" }).getByRole("button", { name: "Test" }).click();
      const { headers, data } = await service.next();
      equal(headers["content-encoding"], "aes128gcm", "how it is encrypted");
      const [, token] = /^vapid t=([^,]+), k=/.exec(headers.authorization) ?? [];
      const claims = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
      equal(claims.aud, new URL(service.subscription.endpoint).origin, "for whom it is signed");
      await deliver(data);
      await notification(page, "Test of daytwo");
    });

    const incident = await must("push: a page arrives", async () => {
      const opened = await page.evaluate(async () => {
        const post = async (path, body) =>
          (await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) })).json();
        const { id, number } = await post("/api/incidents", { service: "payments", title: "Cards are refused", severity: "critical" });
        await post(`/api/incidents/${id}/responders`, { people: ["admin"], message: "Look at the provider" });
        return { id, number };
      });
      const { data } = await service.next();
      ok(JSON.parse(data).ack.includes("/answers/"), `no button acknowledges in ${data}`);
      await deliver(data);
      await notification(page, "Cards are refused");
      return opened;
    });
    await check("push: its button acknowledges, without a page of daytwo open", async () => {
      const worker = context.serviceWorkers()[0];
      await worker.evaluate(async () => {
        const all = await self.registration.getNotifications();
        const notification = all.find((n) => n.title.includes("Cards are refused"));
        self.dispatchEvent(new NotificationEvent("notificationclick", { notification, action: "ack" }));
      });
      await page.waitForFunction(
        async (id) => (await (await fetch(`/api/incidents/${id}`)).json()).acknowledgedBy === "admin",
        incident.id,
        { polling: 250 },
      );
      await page.evaluate((id) => fetch(`/api/incidents/${id}/resolve`, { method: "POST" }), incident.id);
    });
  } finally {
    await context.close();
    await service.stop();
  }
  await check("push: a browser that cannot subscribe says why", async () => {
    const bare = await openWindow(browser, { url, storageState, complaints: [], width: 390 });
    await bare.goto("/settings");
    await bare.getByRole("combobox", { name: "Add", exact: true }).selectOption("push");
    await bare.getByRole("button", { name: "Turn on" }).click();
    await bare.getByRole("alert").filter({ hasText: /was not allowed to show notifications|could not register/ }).waitFor();
    await bare.context().close();
  });
}

/** Hands a message to the page's service worker, as a push service does. */
async function deliverer(context, page) {
  const cdp = await context.newCDPSession(page);
  let registration;
  const found = new Promise((done) => {
    cdp.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
      registration ??= registrations.find((r) => !r.isDeleted);
      if (registration) done();
    });
  });
  await cdp.send("ServiceWorker.enable");
  return async (data) => {
    await found;
    await cdp.send("ServiceWorker.deliverPushMessage", { origin: new URL(page.url()).origin, registrationId: registration.registrationId, data });
  };
}

async function notification(page, title) {
  await page.waitForFunction(
    async (text) => (await (await navigator.serviceWorker.ready).getNotifications()).some((n) => n.title.includes(text)),
    title,
    { polling: 250 },
  );
}
