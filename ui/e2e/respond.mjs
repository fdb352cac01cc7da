// What people do with an incident beside taking it, and who would be paged for the next one.

import { open, settled } from "./browser.mjs";
import { look } from "./gallery.mjs";
import { check, equal, ok } from "./report.mjs";

/** Around an acknowledged incident: roles, help, tasks, updates, a call. */
export async function incidentStory(page, incident) {
  const dialog = page.getByRole("dialog");
  const log = page.getByRole("list", { name: "Log of the incident" });
  await open(page, incident);
  await check("incident: somebody commands", async () => {
    await page.getByRole("combobox", { name: "commander" }).selectOption("ada");
    await log.getByText("ada is commander").waitFor();
  });
  await check("incident: help is asked for", async () => {
    await page.getByRole("button", { name: "Ask for help" }).click();
    await dialog.getByRole("checkbox", { name: "Linus Berg" }).check();
    await dialog.getByRole("textbox", { name: "What you need of them" }).fill("Look at the tax service");
    await dialog.getByRole("button", { name: "Page them" }).click();
    await page.getByRole("list", { name: "Asked to help" }).getByText("Linus Berg").waitFor();
    await log.getByText("Asked for help: linus").waitFor();
  });
  await check("incident: a task is written down and ticked off", async () => {
    const form = page.getByRole("form", { name: "New task" });
    await form.getByRole("textbox", { name: "Task" }).fill("Call the tax office");
    await form.getByRole("combobox", { name: "By whom" }).selectOption("linus");
    await form.getByRole("button", { name: "Add" }).click();
    // Not check(), which looks at the box before the page has drawn it anew.
    await page.getByRole("checkbox", { name: "Call the tax office" }).click();
    await log.getByText("Task done: Call the tax office").waitFor();
    await page.getByRole("checkbox", { name: "Call the tax office", checked: true }).waitFor();
  });
  await check("incident: people talk where one tap leads", async () => {
    await page.getByRole("group", { name: "Steer" }).getByRole("button", { name: "Edit" }).click();
    await dialog.getByRole("textbox", { name: "Where people talk" }).fill("https://meet.shop.example/1");
    await dialog.getByRole("button", { name: "Save" }).click();
    const call = page.getByRole("link", { name: "Join the call" });
    await call.waitFor();
    equal(await call.getAttribute("href"), "https://meet.shop.example/1", "where the call is");
  });
  await check("incident: those who wait are told, and the public with them", async () => {
    const form = page.getByRole("form", { name: "New status update" });
    await form.getByRole("textbox", { name: "Tell those who wait" }).fill("Some orders fail; we go back to the last version");
    await form.getByRole("button", { name: "Publish" }).click();
    await page.getByRole("list", { name: "Status updates" }).getByText("Some orders fail").waitFor();
    await page.waitForFunction(async () => (await (await fetch("/status/")).text()).includes("Some orders fail"), undefined, { polling: 500 });
  });
  await check("incident: it can wait, and is given back", async () => {
    await page.getByRole("button", { name: "Snooze" }).click();
    await page.getByRole("menuitem", { name: "for 1 hour" }).click();
    await page.getByText(/snoozed: pages again/).waitFor();
    await page.getByRole("button", { name: "Give it back" }).click();
    await page.getByRole("button", { name: "Acknowledge" }).click();
    await page.getByRole("button", { name: "Give it back" }).waitFor();
  });
}

/** Who is on call: what the file declares is read, what is made here is changed here. */
export async function onCallStory(page) {
  await check("on-call: the demo's schedules turn", async () => {
    await open(page, "/oncall");
    const primary = page.getByRole("region", { name: "primary" });
    await primary.getByText("Ada Okafor").first().waitFor();
    await primary.getByText("managed in daytwo.yml").waitFor();
    ok((await primary.getByRole("button", { name: /^linus, / }).count()) > 0, "nobody follows Ada in the calendar");
  });
  await check("on-call: what daytwo.yml declares is not edited here", async () => {
    await page.getByRole("link", { name: "Look at schedule primary" }).click();
    await page.getByRole("note").filter({ hasText: "daytwo.yml" }).waitFor();
    ok(await page.getByRole("textbox", { name: "Name" }).first().isDisabled(), "its name can be typed in");
    equal(await page.getByRole("button", { name: "Save" }).count(), 0, "buttons that save");
  });
  await look(page, "schedule-of-the-file", { width: 1440, theme: "light" });
  await check("on-call: a person is added, and reached", async () => {
    await open(page, "/oncall/people");
    await page.getByRole("link", { name: "Add a person" }).click();
    await page.getByRole("textbox", { name: "Name", exact: true }).fill("mina");
    await page.getByRole("textbox", { name: "Full name" }).fill("Mina Sato");
    await page.getByRole("textbox", { name: "E-mail" }).fill("mina@shop.example");
    await page.getByRole("combobox", { name: "Time zone" }).fill("Asia/Tokyo");
    await page.getByRole("button", { name: "Make the person" }).click();
    await page.getByRole("heading", { level: 1, name: "mina" }).waitFor();
    await page.getByRole("button", { name: "Test" }).click();
    await page.getByText("A test is on its way").waitFor();
  });
  await check("on-call: a team is made", async () => {
    await open(page, "/oncall/teams/new");
    await page.getByRole("textbox", { name: "Name" }).fill("night");
    await page.getByRole("combobox", { name: "Add to members" }).selectOption("mina");
    await page.getByRole("button", { name: "Make the team" }).click();
    await page.getByRole("heading", { level: 1, name: "night" }).waitFor();
  });
  await check("on-call: a schedule is seen before it is saved", async () => {
    await open(page, "/oncall/schedules/new");
    await page.getByRole("textbox", { name: "Name" }).first().fill("nights");
    await page.getByRole("combobox", { name: "Time zone" }).fill("Asia/Tokyo");
    const add = page.getByRole("combobox", { name: /^Add to take turns/ });
    await add.selectOption("mina");
    await add.selectOption("linus");
    await page.getByRole("button", { name: "Count only at certain hours" }).click();
    const preview = page.getByRole("region", { name: "Who would be on call" });
    await preview.getByRole("button", { name: /^mina, / }).first().waitFor();
    await preview.getByText(/^Nobody is on call/).waitFor();
  });
  await look(page, "schedule-new", { width: 1440, theme: "light" });
  await check("on-call: it is saved, and a change says whom it moves", async () => {
    await page.getByRole("button", { name: "Remove", exact: true }).click(); // the hours
    await page.getByRole("button", { name: "Make the schedule" }).click();
    await page.getByRole("heading", { level: 1, name: "nights" }).waitFor();
    await page.getByRole("combobox", { name: /^Add to take turns/ }).selectOption("ada");
    await page.getByRole("button", { name: "Move ada up" }).click();
    await page.getByRole("button", { name: "Move ada up" }).click();
    await page.getByText(/stays on call; what was before now stays as it was/).waitFor();
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("nights is saved").last().waitFor();
  });
  await check("on-call: a policy pages the schedule, then people in turn", async () => {
    await open(page, "/oncall/policies/new");
    await page.getByRole("textbox", { name: "Name" }).fill("night");
    await page.getByRole("combobox", { name: "Add to level 1" }).selectOption("schedule:nights");
    await page.getByRole("button", { name: "Add a level" }).click();
    for (const who of ["person:ada", "person:linus"]) await page.getByRole("combobox", { name: "Add to level 2" }).selectOption(who);
    await page.getByRole("switch", { name: /^Round robin/ }).check();
    await page.getByRole("button", { name: "Make the escalation policy" }).click();
    await page.getByRole("heading", { level: 1, name: "night" }).waitFor();
    await open(page, "/oncall");
    await page.getByRole("region", { name: "night", exact: true }).getByText("after 5 min").waitFor();
  });
  await check("on-call: a service is made for it, and gets a key", async () => {
    await open(page, "/services");
    await page.getByRole("link", { name: "New service" }).click();
    await page.getByRole("textbox", { name: "Name", exact: true }).first().fill("billing");
    await page.getByRole("combobox", { name: "Escalation policy" }).selectOption("night");
    await page.getByRole("button", { name: "Make the service" }).click();
    await page.getByRole("heading", { level: 1, name: "billing" }).waitFor();
    await page.getByRole("group", { name: "Integration events" }).getByText(/^[0-9a-f]{32}$/).waitFor();
  });
  await check("on-call: what is used is not removed", async () => {
    await open(page, "/oncall/people");
    await page.getByRole("table", { name: "People" }).getByRole("link", { name: "Mina Sato" }).click();
    await page.getByRole("heading", { level: 1, name: "mina" }).waitFor();
    ok(await page.getByRole("button", { name: "Remove", exact: true }).first().isVisible(), "there is no way to remove her");
  });
  await check("on-call: the load shows what was woken and what was noise", async () => {
    await open(page, "/oncall/load");
    await page.getByText("To acknowledge, mean (MTTA)").waitFor();
    await page.getByRole("table", { name: "Pages by person" }).getByText("Ada Okafor").waitFor();
    await page.getByRole("table", { name: "Shares of primary" }).waitFor();
  });
}

/** A rule is tried on the past before it is in force. */
export async function eventRuleStory(page) {
  await check("event rules: a condition is asked about what came in", async () => {
    await open(page, "/alerts?tab=event-rules");
    await page.getByRole("button", { name: "New event rule" }).click();
    await page.getByRole("textbox", { name: "When" }).fill('service == "checkout" && severity == "critical"');
    await page.getByText(/^It matches/).waitFor();
    await page.getByRole("table", { name: "Events that match" }).getByText("checkout").first().waitFor();
  });
  await check("event rules: what it would have done is shown, and it is put in force", async () => {
    await page.getByRole("textbox", { name: "Name" }).fill("Checkout in the night");
    await page.getByText("Nobody", { exact: true }).click();
    await page.getByRole("textbox", { name: "Why nobody is paged" }).fill("it mends itself");
    await page.getByRole("table", { name: "Events that match" }).getByText("pages nobody: it mends itself").first().waitFor();
  });
  await look(page, "event-rule", { width: 1440, theme: "light" });
  await look(page, "event-rule", { width: 1440, theme: "dark" }, { contrastOnly: true });
  await check("event rules: and ends again", async () => {
    await page.getByRole("button", { name: "Put it in force" }).click();
    await page.getByRole("table", { name: "Event rules" }).getByText("Checkout in the night").click();
    await page.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByRole("heading", { name: "No event rule yet" }).waitFor();
  });
}

/** The public is told, and reads it without signing in. */
export async function statusStory(page, stranger) {
  const dialog = page.getByRole("dialog");
  await check("status page: it is in the navigation, with ninety days of each component", async () => {
    await open(page, "/");
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Status page" }).click();
    await page.getByRole("img", { name: /^The last 90 days of Orders/ }).waitFor();
    await settled(page);
  });
  await check("status page: what is published stands on the public page", async () => {
    await page.getByRole("button", { name: "Publish" }).click();
    await dialog.getByRole("textbox", { name: "What customers notice" }).fill("Invoices come late");
    await dialog.getByRole("checkbox", { name: "Payments" }).check();
    await dialog.getByRole("textbox", { name: "How things stand" }).fill("They will be sent by noon");
    await dialog.getByRole("button", { name: "Publish" }).click();
    await page.getByText("Invoices come late").first().waitFor();
    await stranger.goto("/status/");
    await stranger.getByText("Invoices come late").waitFor();
    const summary = await (await stranger.request.get("/status/api/v2/summary.json")).json();
    equal(summary.incidents.find((i) => i.name === "Invoices come late")?.status, "investigating", "its state in summary.json");
    equal(summary.components.find((c) => c.name === "Payments")?.status, "degraded_performance", "the component in summary.json");
  });
  await check("status page: an update resolves it", async () => {
    await page.getByRole("button", { name: "Update" }).click();
    await dialog.getByRole("combobox", { name: "State" }).selectOption("resolved");
    await dialog.getByRole("textbox", { name: "How things stand" }).fill("All invoices are sent");
    await dialog.getByRole("button", { name: "Resolve" }).click();
    await dialog.waitFor({ state: "hidden" });
    await page.getByRole("tab", { name: "Told the public" }).click();
    await page.getByText("All invoices are sent").waitFor();
  });
}
