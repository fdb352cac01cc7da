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
    const steer = page.getByRole("group", { name: "Steer" });
    await steer.getByRole("button", { name: "Snooze longer" }).click();
    await page.getByRole("menuitem", { name: "for 4 hours" }).click();
    await page.getByText(/snoozed: pages again/).waitFor();
    await steer.getByRole("button", { name: "Give it back" }).click();
    await page.getByRole("button", { name: "Acknowledge" }).click();
    await steer.getByRole("button", { name: "Give it back" }).waitFor();
  });
}

/** At three in the morning: each thing with one tap, and what was tapped by mistake is taken back without waking anybody. */
export async function phoneStory(phone) {
  const title = "Nobody can pay at three in the morning";
  const actions = phone.getByRole("group", { name: "Actions" });
  const toasts = phone.getByRole("status");
  const dialog = phone.getByRole("dialog");
  const paged = () => phone.getByRole("list", { name: "Log of the incident" }).getByText(/^Next: page/).count();
  let before = 0;
  await check("phone: everything is in reach of the thumb", async () => {
    const made = await phone.request.post("/api/incidents", { data: { service: "payments", title, severity: "critical" }, headers: { Origin: new URL(phone.url()).origin } });
    equal(made.status(), 201, "the status of a new incident");
    await open(phone, `/incidents/${(await made.json()).id}`);
    await actions.getByRole("button", { name: "Acknowledge" }).tap();
    await phone.getByText("acknowledged", { exact: true }).waitFor();
    for (const name of ["Resolve", "Snooze 1 h", "Escalate", "More"]) {
      const { y, height } = await actions.getByRole("button", { name }).boundingBox();
      ok(y > 844 / 2 && y + height <= 844 && height >= 44, `${name} is at ${y} px, ${height} px high`);
    }
    before = await paged();
    ok(before > 0, "nobody was paged");
  });
  await check("phone: one tap snoozes, another takes it back", async () => {
    await actions.getByRole("button", { name: "Snooze 1 h" }).tap();
    await phone.getByText(/snoozed: pages again/).waitFor();
    await toasts.getByRole("button", { name: "Undo" }).tap();
    await phone.getByText(/snoozed: pages again/).waitFor({ state: "hidden" });
    await phone.getByText("acknowledged", { exact: true }).waitFor();
  });
  await check("phone: More holds the rest, one tap each", async () => {
    await actions.getByRole("button", { name: "More" }).tap();
    await dialog.getByRole("region", { name: "Give it to" }).getByRole("button", { name: "Linus Berg" }).waitFor();
    await dialog.getByRole("region", { name: "Snooze" }).getByRole("button", { name: "for 4 hours" }).waitFor();
  });
  await look(phone, "incident-more", { width: 390, theme: "light" }, { whole: false });
  await check("phone: one tap resolves, another takes it back and pages nobody", async () => {
    await phone.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    await actions.getByRole("button", { name: "Resolve" }).tap();
    await phone.getByText("resolved", { exact: true }).waitFor();
    await toasts.filter({ hasText: "is resolved" }).getByRole("button", { name: "Undo" }).last().tap();
    await phone.getByText("acknowledged", { exact: true }).waitFor();
    equal(await paged(), before, "times that somebody was paged");
    await actions.getByRole("button", { name: "Escalate" }).tap();
    await dialog.getByText(/paged at once/).waitFor();
    await dialog.getByRole("button", { name: "Cancel" }).tap();
    await actions.getByRole("button", { name: "Resolve" }).tap();
    await phone.getByText("resolved", { exact: true }).waitFor();
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
  await shiftStory(page);
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

/** Shifts to come change hands in two taps, are swapped, and come from other calendars. */
async function shiftStory(page) {
  const nights = page.getByRole("region", { name: "nights" });
  const dialog = page.getByRole("dialog");
  const toasts = page.getByRole("status");
  const bars = nights.getByRole("button", { name: /^(ada|mina|linus), / });
  await check("shifts: one to come is given to somebody in two taps, and taken back", async () => {
    await open(page, "/oncall");
    await bars.last().click();
    await dialog.getByRole("group", { name: "Who takes it" }).getByRole("button").first().click();
    const given = toasts.filter({ hasText: "has the shift of" });
    await given.getByRole("button", { name: "Undo" }).click();
    await given.waitFor({ state: "hidden" });
  });
  await check("shifts: two people swap", async () => {
    await bars.last().click();
    await look(page, "shift", { width: 1440, theme: "light" }, { whole: false });
    await dialog.getByRole("group", { name: "Swap for" }).getByRole("button").first().click();
    await toasts.getByText(/ have swapped$/).waitFor();
    await dialog.waitFor({ state: "hidden" });
  });
  await check("shifts: somebody takes tomorrow in two taps, another day in a few more", async () => {
    await nights.getByRole("button", { name: "Override" }).click();
    await dialog.getByRole("group", { name: "Later" }).getByRole("button", { name: "Tomorrow, 9:00 to 18:00" }).click();
    await toasts.getByText(/is on call for nights from .* until /).waitFor();
    await nights.getByRole("button", { name: "Override" }).click();
    await dialog.getByText("Other times").click();
    await dialog.getByLabel("From").fill("2031-05-01T08:00");
    await dialog.getByLabel("To").fill("2031-05-01T07:00");
    await dialog.getByText("It ends before it begins.").waitFor();
    await dialog.getByLabel("To").fill("2031-05-02T08:00");
    await dialog.getByRole("form", { name: "Other times" }).getByRole("button", { name: "Override" }).click();
    await toasts.getByText(/is on call for nights from .*1 May/).waitFor();
  });
  await check("shifts: a calendar is looked at, and taken over", async () => {
    await nights.getByRole("button", { name: "Layers, shares, calendars" }).click();
    await nights.getByRole("list", { name: "Overrides to come" }).getByText(/1 May/).waitFor(); // however far ahead
    await nights.getByRole("button", { name: "Import a calendar" }).click();
    await dialog.locator('input[type="file"]').setInputFiles({ name: "cover.ics", mimeType: "text/calendar", buffer: Buffer.from(calendarOf(["Linus Berg", "mina", "Somebody else"])) });
    await dialog.getByText(/^2\s+shifts of the year to come/).waitFor();
    await dialog.getByText(/^1\s+event left out/).waitFor();
    await look(page, "calendar-import", { width: 1440, theme: "light" }, { whole: false });
    await dialog.getByRole("button", { name: /^Take 2\s+shifts over$/ }).click();
    await toasts.getByText(/^2\s+shifts taken over into nights$/).waitFor();
  });
}

/** A day in some days' time for each, as other programs write it. */
function calendarOf(people) {
  const stamp = (days) => new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:]|\.\d+/g, "");
  const events = people.map((who, i) => ["BEGIN:VEVENT", `UID:cover-${i}`, `DTSTAMP:${stamp(0)}`, `DTSTART:${stamp(i + 3)}`, `DTEND:${stamp(i + 4)}`, `SUMMARY:${who}`, "END:VEVENT"]);
  return ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//cover//EN", ...events.flat(), "END:VCALENDAR", ""].join("\r\n");
}

/** A rule is tried on the past before it is in force; `other` is the window of somebody else. */
export async function eventRuleStory(page, other) {
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
  await check("event rules: two people change one, and the second is told what the first did", async () => {
    await page.getByRole("button", { name: "Put it in force" }).click();
    for (const window of [page, other]) {
      if (window === other) await open(other, "/alerts?tab=event-rules");
      await window.getByRole("table", { name: "Event rules" }).getByText("Checkout in the night").click();
      await window.getByRole("textbox", { name: "Note on the alert" }).waitFor();
    }
    await page.getByRole("textbox", { name: "Note on the alert" }).fill("look at the tax service");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("table", { name: "Event rules" }).waitFor();
    await other.getByRole("textbox", { name: "Why nobody is paged" }).fill("somebody is on it");
    await other.getByRole("button", { name: "Save", exact: true }).click();
    const told = other.getByRole("alert").filter({ hasText: "after you had opened it" });
    await told.getByText("look at the tax service").waitFor();
    equal(await other.getByRole("textbox", { name: "Why nobody is paged" }).inputValue(), "somebody is on it", "what the second had typed");
    await told.getByRole("button", { name: "Save mine in its place" }).click();
    await other.getByRole("table", { name: "Event rules" }).waitFor();
    const { items } = await (await page.request.get("/api/event-rules")).json();
    const kept = items.find((r) => r.name === "Checkout in the night");
    equal(kept.suppress, "somebody is on it", "the reason that is kept");
    equal(kept.note ?? "", "", "the note that was replaced knowingly");
  });
  await check("event rules: and ends again", async () => {
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
  await check("status page: each component has a badge, also of its uptime", async () => {
    await page.getByRole("tab", { name: "Now", exact: true }).click();
    await page.getByText("A badge for each component").click();
    const badge = page.getByRole("img", { name: /^Badge: Orders, / }).first();
    await badge.waitFor();
    ok(await badge.evaluate((img) => img.decode().then(() => img.naturalWidth > 40)), "it is no picture");
    const address = await badge.getAttribute("src");
    const uptime = await stranger.request.get(`${address}?uptime`);
    ok(/aria-label="Orders: [0-9.]+ %"/.test(await uptime.text()), `the badge of its uptime: ${await uptime.text()}`);
  });
}
