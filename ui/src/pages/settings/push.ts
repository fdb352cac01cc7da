import { pushKey } from "@/api/oncall";
import { Problem } from "@/api/problem";

const problem = (message: string, mend: string) => new Problem(message, 0, "push", mend);

/** Asks the browser to be rung, and gives what reaches it. */
export async function subscribe(): Promise<string> {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) {
    throw problem(
      "This browser takes no notifications from here.",
      "On an iPhone, add daytwo to the home screen first and open it there; elsewhere, reach daytwo by https.",
    );
  }
  if ((await Notification.requestPermission()) !== "granted") {
    throw problem("The browser was not allowed to show notifications.", "Allow them for this site in the browser's settings, and turn them on again.");
  }
  await navigator.serviceWorker.register("/push-worker.js");
  const { pushManager } = await navigator.serviceWorker.ready;
  const { key } = await pushKey();
  return JSON.stringify(await subscribeAt(pushManager, key));
}

async function subscribeAt(pushManager: PushManager, key: string): Promise<PushSubscription> {
  const options = { userVisibleOnly: true, applicationServerKey: key };
  try {
    return await pushManager.subscribe(options);
  } catch (cause) {
    // It is subscribed with the key of an earlier installation, which nothing is signed with any more.
    const before = cause instanceof DOMException && cause.name === "InvalidStateError" ? await pushManager.getSubscription() : null;
    if (before && (await before.unsubscribe())) return pushManager.subscribe(options);
    const said = cause instanceof Error ? cause.message : String(cause);
    throw problem(`The browser could not register with its push service: ${said}`, "Check that the browser reaches the internet and is allowed to use push messages.");
  }
}

/** What the browser is called among the contacts. */
export function browserName(agent = navigator.userAgent): string {
  const browser = /Firefox/.test(agent) ? "Firefox" : /Edg\//.test(agent) ? "Edge" : /Chrome/.test(agent) ? "Chrome" : /Safari/.test(agent) ? "Safari" : "Browser";
  const on = /iPhone|iPad/.test(agent) ? "iPhone" : /Android/.test(agent) ? "Android" : /Mac/.test(agent) ? "Mac" : /Windows/.test(agent) ? "Windows" : "Linux";
  return `${browser} on ${on}`;
}
