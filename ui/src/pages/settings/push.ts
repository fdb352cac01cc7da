import { pushKey } from "@/api/oncall";

/** Asks the browser to be rung, and gives what reaches it. */
export async function subscribe(): Promise<string> {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) {
    throw new Error("This browser takes no notifications from here. On a phone, add daytwo to the home screen first; elsewhere daytwo must be reached by https.");
  }
  const registration = await navigator.serviceWorker.register("/push-worker.js");
  if ((await Notification.requestPermission()) !== "granted") throw new Error("The browser was not allowed to show notifications.");
  const { key } = await pushKey();
  const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  return JSON.stringify(subscription);
}

/** What the browser is called among the contacts. */
export function browserName(agent = navigator.userAgent): string {
  const browser = /Firefox/.test(agent) ? "Firefox" : /Edg\//.test(agent) ? "Edge" : /Chrome/.test(agent) ? "Chrome" : /Safari/.test(agent) ? "Safari" : "Browser";
  const on = /iPhone|iPad/.test(agent) ? "iPhone" : /Android/.test(agent) ? "Android" : /Mac/.test(agent) ? "Mac" : /Windows/.test(agent) ? "Windows" : "Linux";
  return `${browser} on ${on}`;
}
