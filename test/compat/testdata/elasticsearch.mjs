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

// Every query of the DSL, by how many of the 500 lines it finds.
const index = "node-logs";
const counted = {
  match_and: { match: { message: { query: "line 17", operator: "and" } } },
  match_phrase: { match_phrase: { message: "node line 18" } },
  term: { term: { level: { value: "error" } } },
  terms: { terms: { n: [1, 2, 3, 9999] } },
  range: { range: { n: { gte: 490, lt: 500 } } },
  range_date: { range: { "@timestamp": { gte: "now-1h/h", lte: "now+1m" } } },
  exists: { exists: { field: "n" } },
  prefix: { prefix: { level: "err" } },
  wildcard: { wildcard: { level: "e*r" } },
  regexp: { regexp: { level: "err(or)?" } },
  bool: { bool: { must: [{ match: { message: "line" } }], must_not: [{ term: { level: "error" } }], filter: [{ range: { n: { lt: 100 } } }] } },
  should: { bool: { should: [{ term: { n: 1 } }, { term: { n: 2 } }, { term: { level: "info" } }], minimum_should_match: 2 } },
  query_string: { query_string: { query: "level:err* OR n:[498 TO *]" } },
  simple_query_string: { simple_query_string: { query: '"node line 7" | "node line 8"', fields: ["message"] } },
  ids: { ids: { values: ["fixed"] } },
  multi_match: { multi_match: { query: "single", fields: ["message", "level"] } },
  nothing: { match_none: {} },
};
for (const [name, query] of Object.entries(counted)) console.log("count", name, (await client.count({ index, query })).count);

// Every aggregation, on numbers that are known.
const numbers = await client.search({
  index,
  size: 0,
  query: { range: { n: { lt: 500 } } },
  aggs: {
    level: { terms: { field: "level", order: { _key: "asc" } }, aggs: { high: { max: { field: "n" } }, first: { top_hits: { size: 1, sort: [{ n: "asc" }], _source: ["n"] } } } },
    by100: { histogram: { field: "n", interval: 100 }, aggs: { level: { terms: { field: "level" }, aggs: { sum: { sum: { field: "n" } } } } } },
    days: { date_histogram: { field: "@timestamp", calendar_interval: "year", time_zone: "UTC", min_doc_count: 1 }, aggs: { avg: { avg: { field: "n" } } } },
    band: { range: { field: "n", keyed: true, ranges: [{ to: 10, key: "low" }, { from: 10, to: 20, key: "middle" }, { from: 20, key: "high" }] } },
    named: { filters: { filters: { errors: { term: { level: "error" } }, odd: { regexp: { message: ".*[13579]" } } }, other_bucket_key: "rest" } },
    distinct: { cardinality: { field: "n" } },
    percent: { percentiles: { field: "n", percents: [50, 95] } },
    stats: { stats: { field: "n" } },
    more: { extended_stats: { field: "n" } },
    how_many: { value_count: { field: "n" } },
    least: { min: { field: "n" } },
    none: { missing: { field: "n" } },
    one: { filter: { term: { n: 7 } } },
  },
});
const a = numbers.aggregations;
const near = (got, want, share) => (Math.abs(got - want) <= want * share ? "near" : String(got));
console.log("agg terms", a.level.buckets.map((b) => `${b.key}=${b.doc_count},${b.high.value},${b.first.hits.hits[0]._source.n}`).join(" "));
console.log("agg histogram", a.by100.buckets.map((b) => `${b.key}=${b.doc_count}`).join(" "), "within", a.by100.buckets[1].level.buckets.map((b) => `${b.key}=${b.sum.value}`).join(" "));
console.log("agg date_histogram", a.days.buckets.length, a.days.buckets[0].doc_count, a.days.buckets[0].avg.value, typeof a.days.buckets[0].key_as_string);
console.log("agg range", ["low", "middle", "high"].map((k) => a.band.buckets[k].doc_count).join(","));
console.log("agg filters", ["errors", "odd", "rest"].map((k) => a.named.buckets[k].doc_count).join(","));
console.log("agg cardinality", near(a.distinct.value, 500, 0.03), "percentiles", near(a.percent.values["50.0"], 249.5, 0.05), near(a.percent.values["95.0"], 474, 0.05));
console.log("agg stats", ["count", "min", "max", "avg", "sum"].map((k) => a.stats[k]).join(","), "deviation", near(a.more.std_deviation, 144.337, 0.001), "count", a.how_many.value, "min", a.least.value, "missing", a.none.doc_count, "filter", a.one.doc_count);
for (const [name, body] of Object.entries({ script: { aggs: { x: { avg: { script: "1" } } } }, significant_terms: { aggs: { x: { significant_terms: { field: "level" } } } }, geo: { query: { geo_distance: { distance: "1km" } } } })) {
  try {
    await client.search({ index, ...body });
    console.log("took", name);
  } catch (e) {
    console.log("refuses", name, e.statusCode, e.message.includes(name === "geo" ? "geo_distance" : name));
  }
}
