// Rings: shows a page of daytwo that arrives by web push, and opens its incident.
self.addEventListener("push", (event) => {
  const page = event.data?.json() ?? { title: "daytwo", body: "", url: "/" };
  event.waitUntil(
    self.registration.showNotification(page.title, {
      body: page.body,
      tag: page.tag,
      renotify: Boolean(page.tag),
      requireInteraction: !page.quiet,
      ...(page.quiet ? { silent: true } : { vibrate: [400, 200, 400, 200, 400] }),
      data: { url: page.url || "/", ack: page.ack },
      actions: page.ack ? [{ action: "ack", title: "Acknowledge" }] : [],
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url, ack } = event.notification.data;
  // A tap on the button is a person's: the link that asks them is answered for them.
  if (event.action === "ack" && ack) {
    event.waitUntil(fetch(ack, { method: "POST", credentials: "omit" }).then((res) => (res.ok ? undefined : self.clients.openWindow(url))));
    return;
  }
  event.waitUntil(self.clients.openWindow(url));
});
