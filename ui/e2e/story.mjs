// The demo's story as a person lives it: paged, looks, acknowledges, rolls back, sees it recover, reads what was learned.

import { launch, open, openWindow, settled, sizes } from "./browser.mjs";
import { gallery, look, lookInEachTheme, picture } from "./gallery.mjs";
import { installStory } from "./install.mjs";
import { keyboardStory } from "./keyboard.mjs";
import { pushStory } from "./push.mjs";
import { check, equal, finish, must, ok } from "./report.mjs";
import { eventRuleStory, incidentStory, onCallStory, phoneStory, statusStory } from "./respond.mjs";
import { startDemo } from "./server.mjs";

/** How long the platform may take from the bad version to what a person sees of it. */
const patience = 120_000;

const start = Date.now();
const complaints = [];
const [demo, browser] = await Promise.all([startDemo(), launch()]);
const { url } = demo;

try {
  const page = await openWindow(browser, { url, complaints });
  await must("the link signs in and leads home, where the shop stands", async () => {
    await page.goto(demo.link);
    await page.waitForURL(`${url}/`);
    for (const service of ["storefront", "catalog", "checkout", "payments"]) {
      await page.getByRole("link", { name: service, exact: true }).first().waitFor();
    }
  });
  const signedIn = { url, complaints, storageState: await page.context().storageState() };

  const stranger = await openWindow(browser, { url, complaints: [] });
  await check("the link works once", async () => {
    await stranger.goto(demo.link);
    await stranger.getByRole("alert").waitFor();
    await stranger.getByRole("button", { name: "Sign in" }).waitFor();
  });
  await look(stranger, "sign-in", { width: 1440, theme: "light" });
  await stranger.context().close();

  await must("home shows the incident when it opens, without a reload", async () => {
    await page.getByRole("list", { name: "Open incidents" }).getByRole("link").first().waitFor({ timeout: patience });
  });
  await check("the mailbox holds the page by e-mail and by webhook", async () => {
    await page.goto("/mailbox");
    await page.getByRole("heading", { level: 3, name: /checkout/i }).first().waitFor({ timeout: patience });
    await page.getByRole("heading", { level: 3, name: /^POST / }).first().waitFor({ timeout: patience });
    await picture(page, "mailbox-paged", { width: 1440, theme: "light" });
  });

  const incident = await must("the link in the e-mail opens the incident", async () => {
    await page.locator("article").getByRole("link", { name: /\/incidents\// }).first().click();
    await page.waitForURL("**/incidents/*");
    await page.getByText("triggered", { exact: true }).waitFor();
    return new URL(page.url()).pathname;
  });

  await check("the bad version is the prime suspect, with its reasons, and marked on the graph", async () => {
    const prime = page.locator("main article").first();
    await prime.getByRole("heading", { name: /checkout.*v2/ }).waitFor();
    ok((await prime.getByRole("listitem").count()) > 0, "it gives no reason");
    const graph = page.getByRole("figure", { name: /Errors/ });
    await graph.getByLabel(/v2 deployed/).first().waitFor();
    await graph.getByLabel(/^Incident #/).first().waitFor();
  });

  const phone = await openWindow(browser, { ...signedIn, width: 390 });
  await check("the incident on a phone: Acknowledge is the biggest thing and in sight", async () => {
    await open(phone, incident);
    const button = phone.getByRole("button", { name: "Acknowledge" });
    await button.waitFor();
    const areas = await phone.getByRole("button").evaluateAll((all) =>
      all.map((b) => ({ name: b.textContent, area: b.getBoundingClientRect().width * b.getBoundingClientRect().height })),
    );
    equal(areas.reduce((a, b) => (b.area > a.area ? b : a)).name, "Acknowledge", "the biggest button");
    const { y, height } = await button.boundingBox();
    ok(y + height < sizes[390].height, `it ends at ${y + height} px of ${sizes[390].height}`);
    await picture(phone, "incident-first-sight", { width: 390, theme: "light", whole: false });
  });
  await lookInEachTheme(phone, "incident-triggered", 390);
  await must("a tap on the phone acknowledges", async () => {
    await phone.getByRole("button", { name: "Acknowledge" }).tap();
    await phone.getByText("acknowledged", { exact: true }).waitFor();
  });
  await check("the desk sees the acknowledgement from the phone, live", async () => {
    await page.getByText("acknowledged", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Acknowledge" }).waitFor({ state: "hidden" });
  });

  const hands = await openWindow(browser, signedIn);
  // While one hand works by keyboard, the pages of the burning hour are looked at on the phone.
  await Promise.all([
    keyboardStory(hands, incident),
    (async () => {
      await lookInEachTheme(phone, "incident-acknowledged", 390);
      await open(phone, "/");
      await lookInEachTheme(phone, "home-burning", 390);
    })(),
  ]);
  await phone.context().close();
  await open(hands, "/");
  await lookInEachTheme(hands, "home-burning", 1440);
  await hands.context().close();
  await incidentStory(page, incident);
  await settled(page);
  await lookInEachTheme(page, "incident-acknowledged", 1440);

  const dialog = page.getByRole("dialog");
  await must("Roll back says what it will touch", async () => {
    await page.getByRole("button", { name: /^Roll back/ }).first().click();
    await dialog.getByText(/Workload checkout/).waitFor();
  });
  await look(page, "incident-confirm", { width: 1440, theme: "light" }, { whole: false });
  await must("the rollback runs where one can watch", async () => {
    await dialog.getByRole("button", { name: /^Roll back/ }).click();
    const run = page.locator("main").getByRole("list", { name: "Steps" });
    await run.first().waitFor();
    await page.getByText("succeeded", { exact: true }).first().waitFor({ timeout: patience });
    await picture(page, "incident-rolled-back", { width: 1440, theme: "light" });
  });

  await must("the incident resolves on the page, without a reload", async () => {
    await page.getByText("resolved", { exact: true }).first().waitFor({ timeout: patience });
    await page.getByRole("figure", { name: /Errors/ }).getByLabel(/rolled back/).first().waitFor();
  });

  const postmortem = await must("its postmortem begins with the timeline from change to recovery", async () => {
    await page.getByRole("link", { name: /postmortem was begun/ }).click({ timeout: patience });
    await page.waitForURL("**/postmortems/*");
    for (const entry of [/v2 deployed/, /rolled back/]) await page.getByRole("listitem").filter({ hasText: entry }).first().waitFor();
    return new URL(page.url()).pathname;
  });
  await check("it names the people involved, and no machine", async () => {
    const people = await page.locator("dt", { hasText: /^People$/ }).locator("xpath=following-sibling::dd").innerText();
    for (const person of ["Ada Okafor", "admin"]) ok(people.includes(person), `${person} is missing from ${people}`);
    ok(!/token|directory|rules|daytwo/.test(people), `a machine is among ${people}`);
  });

  await check("two people write the postmortem, and no word is lost", async () => {
    const other = await openWindow(browser, { ...signedIn, complaints: [] });
    await other.goto(postmortem);
    await other.getByRole("textbox", { name: "Lessons" }).fill("The second person's lessons");
    await page.getByRole("textbox", { name: "Impact" }).fill("The first person's impact");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("All saved").waitFor();
    // Saving on top of it is refused, unless the page knew before.
    await other.getByRole("button", { name: "Save", exact: true }).click({ timeout: 2_000 }).catch(() => undefined);
    await other.getByRole("button", { name: "Put mine onto theirs" }).click();
    await other.getByRole("button", { name: "Save", exact: true }).click();
    await other.getByText("All saved").waitFor();
    equal(await other.getByRole("textbox", { name: "Impact" }).inputValue(), "The first person's impact", "the first person's words");
    await page.waitForFunction(() => [...document.querySelectorAll("textarea")].some((t) => t.value === "The second person's lessons"));
    await other.context().close();
  });

  await check("the postmortem leaves as Markdown", async () => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Export Markdown" }).click()]);
    ok(/\.md$/.test(download.suggestedFilename()), `the file is named ${download.suggestedFilename()}`);
  });

  await check("a token's secret is shown, once", async () => {
    await page.goto("/settings/tokens");
    await page.getByRole("textbox", { name: "What it is for" }).fill("pipeline");
    await page.getByRole("button", { name: "Make a token" }).click();
    await page.getByText(/DAYTWO_TOKEN=dt_/).waitFor();
    await page.reload();
    await page.getByRole("table", { name: "API tokens" }).waitFor();
    ok((await page.getByText(/DAYTWO_TOKEN=dt_/).count()) === 0, "the secret is shown again");
  });

  const alert = await check("an alert's page leads to its incident", async () => {
    await page.goto("/alerts");
    await page.getByRole("table", { name: "Alerts" }).getByRole("link").first().click();
    await page.waitForURL("**/alerts/*");
    await page.getByRole("link", { name: /^#\d+ / }).waitFor();
    return new URL(page.url()).pathname;
  });
  const run = await check("a run's page shows its steps and its log", async () => {
    await page.goto("/runs");
    await page.getByRole("table", { name: "Runs" }).getByRole("link").first().click();
    await page.waitForURL("**/runs/*");
    await page.getByRole("list", { name: "Steps" }).waitFor();
    return new URL(page.url()).pathname;
  });
  await check("two revisions of a workload are compared", async () => {
    await open(page, "/workloads/checkout");
    await page.getByRole("region", { name: /^Difference/ }).waitFor();
  });

  const night = await openWindow(browser, { ...signedIn, width: 390 });
  await open(night, "/incidents");
  await phoneStory(night);
  await night.context().close();
  await onCallStory(page);
  const colleague = await openWindow(browser, { ...signedIn, complaints: [] }); // who is told no is told so in the console too
  await eventRuleStory(page, colleague);
  await colleague.context().close();
  const passer = await openWindow(browser, { url, complaints });
  await statusStory(page, passer);
  await look(passer, "status-public", { width: 1440, theme: "light" });
  await passer.context().close();
  await pushStory(browser, signedIn);
  await installStory(url);

  await gallery(browser, signedIn, [
    { name: "home", path: "/" },
    { name: "incidents", path: "/incidents" },
    { name: "incident-resolved", path: incident },
    { name: "on-call", path: "/oncall" },
    { name: "on-call-people", path: "/oncall/people" },
    { name: "on-call-load", path: "/oncall/load" },
    { name: "schedule", path: "/oncall/schedules/nights" },
    { name: "policy", path: "/oncall/policies/night" },
    { name: "person", path: "/oncall/people/mina" },
    { name: "team", path: "/oncall/teams/night" },
    { name: "alerts", path: "/alerts" },
    { name: "rules", path: "/alerts?tab=rules" },
    { name: "silences", path: "/alerts?tab=silences" },
    { name: "routes", path: "/alerts?tab=routes&labels=service%3Dcheckout" },
    { name: "event-rules", path: "/alerts?tab=event-rules&rule=new" },
    { name: "inbound", path: "/alerts?tab=inbound" },
    { name: "alert", path: alert },
    { name: "status-page", path: "/status-page" },
    { name: "status-told", path: "/status-page?tab=told" },
    { name: "status-components", path: "/status-page?tab=components" },
    { name: "maintenance", path: "/status-page?tab=maintenance" },
    { name: "services", path: "/services" },
    { name: "service", path: "/services/checkout" },
    { name: "explore", path: "/explore" },
    { name: "workloads", path: "/workloads" },
    { name: "workload", path: "/workloads/checkout" },
    { name: "workload-log", path: "/workloads/checkout/log" },
    { name: "runs", path: "/runs" },
    { name: "run", path: run },
    { name: "changes", path: "/changes?kind=all" },
    { name: "postmortems", path: "/postmortems" },
    { name: "postmortem", path: postmortem },
    { name: "settings", path: "/settings" },
    { name: "tokens", path: "/settings/tokens" },
    { name: "users", path: "/settings/users" },
    { name: "audit", path: "/settings/audit" },
    { name: "mailbox", path: "/mailbox" },
    { name: "not-found", path: "/no-such-page" },
  ].filter(({ path }) => path !== undefined));

  await check("a service that does not exist is said to, under a heading", async () => {
    const lost = await openWindow(browser, { ...signedIn, complaints: [] });
    await open(lost, "/services/no-such-service");
    await lost.getByRole("alert").filter({ hasText: "no-such-service" }).waitFor();
    await lost.context().close();
  });

  await check("nothing complained in the console", async () => equal(complaints.join("\n"), "", "complaints"));
} catch (error) {
  await check("the story is told to its end", () => Promise.reject(error));
} finally {
  await browser.close();
  await check("the demo stops cleanly", async () => equal(await demo.stop(), "exit 0", "how it ended"));
}
process.exitCode = finish(start);
