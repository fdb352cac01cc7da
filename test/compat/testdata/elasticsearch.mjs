import { Client } from "@elastic/elasticsearch";
const node = process.argv[2], password = process.argv[3];
const client = new Client({ node, auth: { username: "daytwo", password } });
const info = await client.info();
console.log("info", info.version.number);
const docs = Array.from({ length: 500 }, (_, i) => ({ "@timestamp": new Date(), message: `node line ${i}`, n: i, level: i % 50 ? "info" : "error" }));
const stats = await client.helpers.bulk({ datasource: docs, onDocument: () => ({ index: { _index: "node-logs" } }) });
console.log("bulk", stats.successful, stats.failed);
const one = await client.index({ index: "node-logs", id: "fixed", document: { message: "single", n: 1000, tags: ["a", "b"], user: { name: "kim" } } });
console.log("index", one.result, (await client.get({ index: "node-logs", id: "fixed" }))._source.user.name, await client.exists({ index: "node-logs", id: "none" }));
await client.indices.refresh({ index: "node-logs" });
const found = await client.search({ index: "node-*", size: 2, query: { bool: { must: [{ match: { message: "line" } }], filter: [{ range: { n: { gte: 100, lt: 200 } } }] } }, sort: [{ n: "desc" }], aggs: { levels: { terms: { field: "level" }, aggs: { s: { stats: { field: "n" } } } }, t: { date_histogram: { field: "@timestamp", fixed_interval: "1m" } } } });
console.log("search", found.hits.total.value, found.hits.hits[0]._source.n, JSON.stringify(found.aggregations.levels.buckets));
let n = 0;
for await (const doc of client.helpers.scrollDocuments({ index: "node-logs", size: 200, query: { match_all: {} } })) n += doc ? 1 : 0;
console.log("scroll", n);
const pit = await client.openPointInTime({ index: "node-logs", keep_alive: "1m" });
let after, m = 0;
for (;;) { const r = await client.search({ pit: { id: pit.id, keep_alive: "1m" }, size: 150, sort: [{ "@timestamp": "asc" }], ...(after ? { search_after: after } : {}) }); if (!r.hits.hits.length) break; m += r.hits.hits.length; after = r.hits.hits.at(-1).sort; }
await client.closePointInTime({ id: pit.id });
console.log("pit", m, "count", (await client.count({ index: "node-logs" })).count);
const ms = await client.msearch({ searches: [{ index: "node-logs" }, { size: 0 }, { index: "node-logs" }, { query: { term: { level: "error" } }, size: 0 }] });
console.log("msearch", ms.responses.map((r) => r.hits.total.value).join(","));
console.log("mapping", Object.keys((await client.indices.getMapping({ index: "node-logs" }))["node-logs"].mappings.properties).join(","), "caps", Object.keys((await client.fieldCaps({ index: "node-logs", fields: "*" })).fields).length);
await client.indices.putIndexTemplate({ name: "t", index_patterns: ["x-*"], template: { settings: {} } });
console.log("template", await client.indices.existsIndexTemplate({ name: "t" }), "cat", (await client.cat.indices({ format: "json" })).length, "health", (await client.cluster.health()).status);
try { await client.search({ index: "node-logs", query: { more_like_this: { like: "x" } } }); } catch (e) { console.log("refused", e.statusCode, e.body?.error?.reason ?? e.message); }
const sql = await client.helpers.search({ index: "node-logs", query: { query_string: { query: "level:error AND n:[100 TO 200]" } } });
console.log("query_string", sql.length);
