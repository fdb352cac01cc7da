// The logs as a person uses them: a web server's own log comes through a Logstash file, is searched, watched and pages;
// then the page with more lines than anybody reads.

import { readFile } from "node:fs/promises";
import { accessible } from "./axe.mjs";
import { launch, open, openWindow, settled, themes } from "./browser.mjs";
import { lookInEachTheme, picture } from "./gallery.mjs";
import { findNginx, startNginx } from "./nginx.mjs";
import { check, equal, finish, must, ok } from "./report.mjs";
import { startServer } from "./server.mjs";

const many = 120_000;
const patience = 60_000;

/** A number of lines as the page writes it; spaces of any width are alike. */
const lines = (n) => `${n.toLocaleString("en-US").replaceAll(",", " ")} lines`;

const pipeline = (log) => `input {
  file { path => "${log}" start_position => "beginning" stat_interval => "100 ms" }
}
filter {
  grok { match => { "message" => "%{COMBINEDAPACHELOG}" } }
  date { match => ["timestamp", "dd/MMM/yyyy:HH:mm:ss Z"] }
  useragent { source => "[user_agent][original]" target => "user_agent" }
  mutate { add_field => { "[service][name]" => "web" } remove_field => ["event"] }
  if [http][response][status_code] >= 500 {
    mutate { add_field => { "level" => "error" } }
  } else {
    mutate { add_field => { "level" => "info" } }
  }
}
output {
  elasticsearch { index => "web-%{+yyyy.MM.dd}" }
}
`;

const daytwoYml = `people: [{name: ada, full_name: Ada Okafor, email: ada@example.com}]
escalation_policies: [{name: shop, levels: [{targets: [ada], after: 0s}]}]
services: [{name: web, escalation_policy: shop}, {name: load}]
`;

const start = Date.now();
const complaints = [];
const binary = findNginx();
const nginx = binary && (await startNginx(binary));
const files = { "daytwo.yml": daytwoYml, ...(nginx && { "logstash/web.conf": pipeline(nginx.log) }) };
const [server, browser] = await Promise.all([startServer(files), launch()]);
const { url } = server;

const rows = (page) => page.getByRole("region", { name: "Log lines" });
const loaded = (page) => page.locator("main p", { hasText: /line[s]? loaded/ });
const ask = async (page, query) => {
  await page.getByRole("combobox", { name: "Query" }).fill(query);
  await page.getByRole("combobox", { name: "Query" }).press("Enter");
  await settled(page);
};

/** Asks again until what is looked for stands there. */
async function until(page, locator) {
  for (const end = Date.now() + patience; ; ) {
    try {
      await locator.waitFor({ timeout: 1_000 });
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await page.getByRole("combobox", { name: "Query" }).press("Enter");
    }
  }
}

try {
  const page = await openWindow(browser, { url, complaints });
  await must("the link signs in", async () => {
    await page.goto(server.link);
    await page.waitForURL(`${url}/`);
  });
  const signedIn = { url, complaints, storageState: await page.context().storageState() };
  if (nginx) await webServersLog(page);
  else console.log("SKIPPED: no nginx is here; test/setup fetches it. The story of a web server's log is not told");
  await must(`${lines(many)} are taken`, fill);
  await manyLines(page);
  await around(page);
  await patterns(page);
  await narrowing(page);
  await trace(page);
  await completing(page);
  await mistakes(page);
  await exports(page);
  await following(page);
  await looks(signedIn);
  await check("nothing complained in the console", async () => equal(complaints.join("\n"), "", "complaints"));
} catch (error) {
  await check("the story is told to its end", () => Promise.reject(error));
} finally {
  await browser.close();
  await nginx?.stop();
  await check("the server stops cleanly", async () => {
    const how = await server.stop();
    ok(how === "exit 0", `${how}\n${server.output().slice(-2_000)}`);
  });
}
process.exitCode = finish(start);

/** A browser visits the shop; its visits come by way of nginx's log and a Logstash file onto the page, and the failing cart fires. */
async function webServersLog(page) {
  const visitor = await openWindow(browser, { url: nginx.url, complaints: [] });
  for (const path of ["/", "/no-such-page", "/cart", "/cart?item=1", "/"]) await visitor.goto(nginx.url + path);
  await visitor.context().close();
  await must("what a browser asked of nginx stands on the page Logs", async () => {
    await open(page, "/logs?service=web");
    await until(page, rows(page).getByText(/"GET \/cart\?item=1 HTTP/));
  });
  await check("the Logstash file took the lines apart", async () => {
    await ask(page, "http.response.status_code: 503 and url.original: /cart*");
    await rows(page).getByText(/"GET \/cart HTTP/).waitFor();
    equal(await rows(page).getByRole("button", { expanded: false }).count(), 2, "failing visits");
    await rows(page).getByRole("button", { expanded: false }).first().click();
    const fields = await rows(page).locator("dl").innerText();
    for (const want of ["user_agent.name", "Chrome", "http.response.status_code", "503", "url.original"]) ok(fields.includes(want), `${want} is not among\n${fields}`);
    await picture(page, "logs-web-server", { width: 1440, theme: "light", whole: false });
  });
  await check("the same question again brings what has come since", async () => {
    await fetch(`${nginx.url}/cart?item=2`);
    await until(page, rows(page).getByText(/item=2 HTTP/));
  });
  await must("the search is saved with an alert", async () => {
    await page.getByRole("button", { name: "Save or alert" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Name" }).fill("Carts fail");
    await dialog.getByRole("checkbox", { name: "Alert when there are too many" }).check();
    await dialog.getByRole("textbox", { name: "From this many lines on" }).fill("2");
    await dialog.getByRole("combobox", { name: "Severity" }).selectOption("critical");
    await picture(page, "logs-save-search", { width: 1440, theme: "light", whole: false });
    await dialog.getByRole("button", { name: "Save and watch" }).click();
    await dialog.waitFor({ state: "hidden" });
  });
  await check("the alert fires, opens the service's incident and leads back to the lines", async () => {
    await page.goto("/alerts");
    await page.getByRole("table", { name: "Alerts" }).getByRole("link", { name: /Carts fail/ }).first().click({ timeout: patience });
    await page.waitForURL("**/alerts/*");
    await page.getByText(/lines in 5m match/).first().waitFor();
    await page.getByRole("link", { name: /^#\d+ / }).first().waitFor({ timeout: patience });
    await picture(page, "logs-alert", { width: 1440, theme: "light" });
    const back = await page.locator('a[href*="/logs?"]').first().getAttribute("href");
    await open(page, back);
    await rows(page).getByText(/"GET \/cart HTTP/).waitFor();
  });
  await check("the search is among the saved ones, and says that it fires", async () => {
    await open(page, "/logs");
    await page.getByRole("button", { name: "Searches" }).click();
    const item = page.getByRole("menuitem", { name: /Carts fail.*firing/ });
    await item.waitFor();
    await item.click();
    await page.waitForURL(/q=http\.response/);
    await settled(page);
    await rows(page).getByText(/"GET \/cart HTTP/).waitFor();
  });
}

/** Lines of a service over the last three quarters of an hour, the newest numbered highest. */
async function fill() {
  const kinds = [
    (i) => ({ level: "info", message: `GET /products/${i % 977} answered in ${i % 400} ms`, "http.status": 200, "user.id": `u${i % 5003}` }),
    (i) => ({ level: "info", message: `cart ${i % 7919} now has ${1 + (i % 9)} items`, "user.id": `u${i % 5003}` }),
    (i) => ({ level: "warn", message: `retrying payment ${i}: connection to 10.0.${i % 250}.${i % 240} timed out`, attempt: i % 4 }),
    (i) => ({ level: "error", message: `order ${i} failed: payment declined by the bank`, "http.status": 502, "error.kind": "Declined" }),
  ];
  const begin = Date.now() - 45 * 60_000;
  for (let from = 0; from < many; from += 20_000) {
    let body = "";
    for (let i = from; i < from + 20_000; i++) {
      const line = kinds[i % 50 === 0 ? 3 : i % 10 === 0 ? 2 : i % 2]?.(i);
      body += `${JSON.stringify({ "@timestamp": new Date(begin + i * 20).toISOString(), "host.name": `shop-${i % 8}`, "trace.id": (i % 30_000).toString(16).padStart(32, "0"), n: i, ...line })}\n`;
    }
    const response = await fetch(`${url}/ingest/lines?service=load`, { method: "POST", body, headers: { "Content-Type": "application/x-ndjson" } });
    const text = await response.text();
    ok(response.ok && text.includes('"taken":20000'), text);
  }
}

/** Records how long frames take while something happens. */
async function frames(page, during) {
  await page.evaluate(() => {
    window.frameTimes = [];
    let last = performance.now();
    const tick = (now) => {
      window.frameTimes.push(now - last);
      last = now;
      window.frameRequest = requestAnimationFrame(tick);
    };
    window.frameRequest = requestAnimationFrame(tick);
  });
  await during();
  const times = await page.evaluate(() => {
    cancelAnimationFrame(window.frameRequest);
    return window.frameTimes.slice(1);
  });
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(1);
  return `${times.length} frames, p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms, over 50 ms ${times.filter((t) => t > 50).length}`;
}

async function manyLines(page) {
  const box = rows(page);
  await must("the newest lines stand there, and the histogram counts them all", async () => {
    await open(page, "/logs?service=load");
    await box.getByText("cart", { exact: false }).first().waitFor();
    await page.getByText(lines(many), { exact: true }).waitFor();
  });
  await must("scrolling down loads all of them", async () => {
    const figures = await frames(page, async () => {
      await box.hover();
      for (const end = Date.now() + 5 * patience; ; ) {
        const text = (await loaded(page).innerText()).replace(/\s/g, " ");
        if (text.startsWith(`${lines(many)} loaded`)) break;
        ok(Date.now() < end, `it ends at ${text}`);
        await box.evaluate((element) => (element.scrollTop = element.scrollHeight));
        await page.waitForTimeout(30); // the next frame or two
      }
    });
    console.log(`    while loading: ${figures}`);
  });
  await check("anywhere in them lines stand at once, and few are drawn", async () => {
    for (const share of [0, 0.13, 0.5, 0.77, 1]) {
      const drawn = await box.evaluate(async (element, at) => {
        element.scrollTop = at * (element.scrollHeight - element.clientHeight);
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        const view = element.getBoundingClientRect();
        const all = [...element.querySelectorAll("[data-index]")];
        const seen = all.filter((e) => e.getBoundingClientRect().bottom > view.top && e.getBoundingClientRect().top < view.bottom);
        return { all: all.length, seen: seen.length, first: Number(seen[0]?.getAttribute("data-index")), high: element.clientHeight };
      }, share);
      ok(drawn.seen >= Math.floor(drawn.high / 30), `at ${share} only ${drawn.seen} lines are in view`);
      ok(drawn.all <= 150, `at ${share} ${drawn.all} lines are drawn`);
      ok(Math.abs(drawn.first / many - share) < 0.01, `at ${share} line ${drawn.first} is in view`);
    }
  });
  await check("scrolling through them with the wheel", async () => {
    await box.evaluate((element) => (element.scrollTop = element.scrollHeight / 3));
    await box.hover();
    const figures = await frames(page, async () => {
      for (let i = 0; i < 150; i++) {
        await page.mouse.wheel(0, i % 30 === 0 ? 5_000 : 240);
        await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
      }
    });
    console.log(`    by wheel: ${figures}`);
    const heap = await page.evaluate(() => performance.memory?.usedJSHeapSize);
    if (heap) console.log(`    the page holds ${(heap / 2 ** 20).toFixed(0)} MiB`);
  });
  await check("a button leads back to the newest", async () => {
    await page.getByRole("button", { name: "To the newest" }).click();
    await box.locator('[data-index="0"]').waitFor();
  });
}

async function around(page) {
  await check("a line shows its neighbours of the same service and host", async () => {
    await ask(page, "n: 60000");
    await rows(page).getByRole("button", { expanded: false }).first().click();
    await rows(page).getByText("Around", { exact: true }).click();
    const list = page.getByRole("list", { name: "Lines around it" });
    await list.getByRole("listitem").nth(20).waitFor();
    equal(await list.locator("[aria-current]").count(), 1, "the line itself");
    ok((await list.locator("[aria-current]").innerText()).includes("order 60000 failed"), "it is another line");
    await picture(page, "logs-around", { width: 1440, theme: "light", whole: false });
    await page.getByRole("button", { name: "More before and after" }).click();
    await list.getByRole("listitem").nth(80).waitFor();
  });
}

async function patterns(page) {
  await check("the patterns show the templates, and lead to their lines", async () => {
    await open(page, "/logs?service=load&view=patterns");
    const declined = page.getByRole("listitem").filter({ hasText: "failed: payment declined by the bank" });
    await declined.waitFor();
    await picture(page, "logs-patterns", { width: 1440, theme: "light", whole: false });
    await declined.getByRole("button", { name: "Show lines" }).click();
    await rows(page).locator("mark", { hasText: "payment declined" }).first().waitFor();
  });
}

async function narrowing(page) {
  await check("a click on a value includes it, and another excludes it", async () => {
    await open(page, "/logs?service=load");
    const fields = page.getByRole("complementary", { name: "Fields" });
    await fields.getByRole("button", { name: /^level/ }).click();
    await fields.getByRole("button", { name: "Only level error" }).click();
    await page.getByText(lines(many / 50), { exact: true }).waitFor();
    await fields.getByRole("button", { name: "Without level error" }).click();
    await page.getByText(lines(many - many / 50), { exact: true }).waitFor();
    ok(new URL(page.url()).searchParams.get("q") === "not level: error", page.url());
  });
  await check("a field becomes a column", async () => {
    const fields = page.getByRole("complementary", { name: "Fields" });
    await fields.getByRole("button", { name: "Column host.name" }).click();
    await rows(page).getByText(/^shop-\d$/).first().waitFor();
  });
}

async function trace(page) {
  await check("a line leads to all lines of its trace", async () => {
    await open(page, "/logs?service=load&q=n:+60000");
    await rows(page).getByRole("button", { expanded: false }).first().click();
    await rows(page).getByRole("link", { name: "Lines of this trace" }).waitFor();
    await accessible(page);
    await rows(page).getByRole("link", { name: "Lines of this trace" }).click();
    await page.waitForURL(/q=trace\.id/);
    await page.getByText(lines(many / 30_000), { exact: true }).waitFor();
  });
}

async function completing(page) {
  const box = page.getByRole("combobox", { name: "Query" });
  const options = page.getByRole("listbox", { name: "Completions" }).getByRole("option");
  await check("fields and values are completed by the keys", async () => {
    await open(page, "/logs?service=load");
    await box.pressSequentially("host.n");
    await options.getByText("host.name", { exact: true }).waitFor();
    await picture(page, "logs-completion", { width: 1440, theme: "light", whole: false });
    await box.press("ArrowDown");
    await box.press("Enter");
    equal(await box.inputValue(), "host.name: ", "the query");
    await box.pressSequentially("shop-");
    await options.nth(7).waitFor();
    equal(await options.count(), 8, "hosts");
    const first = (await options.first().innerText()).trim();
    await box.press("ArrowDown");
    await box.press("Enter");
    equal(await box.inputValue(), `host.name: ${first} `, "the query");
    await box.press("Enter");
    await page.getByText(lines(many / 8), { exact: true }).waitFor();
  });
  await check("in Lucene's syntax too", async () => {
    await open(page, "/logs?service=load&language=lucene");
    await box.pressSequentially("error.k");
    await options.getByText("error.kind", { exact: true }).click();
    await box.pressSequentially("Dec");
    await options.getByText("Declined", { exact: true }).click();
    equal(await box.inputValue(), 'error.kind:"Declined" ', "the query");
    await box.press("Enter");
    await page.getByText(lines(many / 50), { exact: true }).waitFor();
  });
}

/** What is wrong with a query stands below it, at its place. The server's refusals are what is looked for, so nobody complains. */
async function mistakes(page) {
  const expected = complaints.length;
  for (const [language, query, at, says] of [
    ["lucene", "level:error AND n:[1 TO", "", "a bound is missing"],
    ["kql", "level: error and (n: 1", "", "a ) is missing"],
    ["lucene", "level:error ) n:1", ")", "was not expected"],
  ]) {
    await check(`${query} is refused at its place`, async () => {
      await open(page, `/logs?service=load&language=${language}&q=${encodeURIComponent(query)}`);
      const note = page.getByRole("alert");
      await note.getByText(says).waitFor();
      equal(await page.getByRole("alert").count(), 1, "notes");
      equal((await note.locator("mark").innerText()).trim(), at, "the place");
      equal(await page.getByRole("combobox", { name: "Query" }).inputValue(), query, "what was typed");
      await picture(page, `logs-mistake-${language}`, { width: 1440, theme: "light", whole: false });
    });
  }
  await check("axe finds nothing serious beside a mistake", () => accessible(page));
  complaints.splice(expected);
  await check("a mended query is answered", async () => {
    await ask(page, "level:error AND n:1");
    equal(await page.getByRole("alert").count(), 0, "notes");
  });
}

async function exports(page) {
  const save = async (name) => {
    await page.getByRole("button", { name: "Export" }).click();
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("menuitem", { name }).click()]);
    return readFile(await download.path(), "utf8");
  };
  await check("lines leave as CSV and as NDJSON", async () => {
    await open(page, "/logs?service=load&q=level%3A+error&columns=host.name,n");
    const csv = (await save(/CSV/)).trim().split("\n");
    equal(csv[0], "@timestamp,host.name,n,message", "the head of the CSV");
    equal(csv.length - 1, many / 50, "lines of the CSV");
    const objects = (await save(/NDJSON/)).trim().split("\n").map((line) => JSON.parse(line));
    equal(objects.length, many / 50, "lines of NDJSON");
    equal(objects[0]["error.kind"] ?? objects[0].error?.kind, "Declined", "a field of the first");
  });
}

async function following(page) {
  const send = (text) => fetch(`${url}/ingest/lines?service=load`, { method: "POST", body: `${text}\n` });
  await check("lines are followed live, and stand still under the pointer", async () => {
    await open(page, "/logs?service=load&q=message:+live");
    await page.getByRole("button", { name: "Follow live" }).click();
    await page.mouse.move(0, 0);
    for (const end = Date.now() + patience; (await rows(page).getByText("live line 0").count()) === 0; ) {
      ok(Date.now() < end, "nothing came"); // the stream may open after the first
      await send("live line 0");
      await page.waitForTimeout(200); // between two lines, of which one has to come
    }
    await rows(page).hover();
    await send("live line 1");
    await page.getByRole("button", { name: /new line/ }).waitFor();
    equal(await rows(page).getByText("live line 1").count(), 0, "lines that moved under the pointer");
    await picture(page, "logs-following", { width: 1440, theme: "light", whole: false });
    await page.getByRole("button", { name: /new line/ }).click();
    await rows(page).getByText("live line 1").waitFor();
    await page.getByRole("button", { name: "Stop following" }).click();
  });
}

/** The page as pictures for a person's eye, at each width in each theme. */
async function looks(signedIn) {
  for (const width of [1440, 390]) {
    const page = await openWindow(browser, { ...signedIn, width });
    await check(`the page at ${width} px opens`, () => open(page, "/logs?service=load&q=level:+error&columns=host.name"));
    for (const theme of themes) {
      await page.emulateMedia({ colorScheme: theme });
      await picture(page, "logs", { width, theme });
    }
    await open(page, "/logs?service=load&view=patterns");
    await lookInEachTheme(page, "logs-patterns", width);
    await page.context().close();
  }
}
