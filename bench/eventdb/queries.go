package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/bench/eventdb/rows"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/eventdb"
)

// query is one question in three languages. check tells that the answers must be
// equal to the letter.
type query struct {
	name       string
	q          event.Query
	clickhouse string
	duckdb     string
	check      bool
}

func count(by ...event.Key) []event.Table { return []event.Table{{By: by, Limit: 100_000}} }

// queries are asked of n events.
func queries(n int) []query {
	g := rows.New(n)
	for range min(500, n-1) {
		g.Next()
	}
	trace := g.Next().Trace
	key := func(field string) event.Key { return event.Key{Field: field} }
	return []query{
		{"count by time and service", event.Query{Tables: count(event.Key{Every: 5 * time.Minute}, key("service"))},
			"SELECT count() FROM (SELECT toStartOfInterval(time, INTERVAL 5 MINUTE) t, service, count() FROM d.e GROUP BY t, service)",
			"SELECT count(*) FROM (SELECT time_bucket(INTERVAL 5 MINUTE, time::TIMESTAMP) t, service, count(*) FROM e GROUP BY ALL)", true},
		{"p50, p95, p99 by route", event.Query{Tables: []event.Table{{By: []event.Key{key("route")}, Limit: 1000, Calculate: []event.Calculation{
			{Op: "quantile", Field: "duration", Quantile: .5}, {Op: "quantile", Field: "duration", Quantile: .95}, {Op: "quantile", Field: "duration", Quantile: .99}}}}},
			"SELECT count() FROM (SELECT route, quantiles(0.5, 0.95, 0.99)(duration) FROM d.e GROUP BY route)",
			"SELECT count(*) FROM (SELECT route, approx_quantile(duration, [0.5, 0.95, 0.99]) FROM e GROUP BY route)", true},
		{"top 10 of a million users", event.Query{Tables: []event.Table{{By: []event.Key{key("user")}, Order: []event.Order{{By: "count", Desc: true}}, Limit: 10}}},
			"SELECT count() FROM (SELECT user, count() c FROM d.e GROUP BY user ORDER BY c DESC LIMIT 10)",
			`SELECT count(*) FROM (SELECT "user", count(*) c FROM e GROUP BY "user" ORDER BY c DESC LIMIT 10)`, true},
		{"rare phrase, newest 100", event.Query{Filter: event.Phrase("message", "segmentation fault"), Rows: &event.Rows{Limit: 100}},
			"SELECT * FROM d.e WHERE hasToken(message, 'segmentation') AND message LIKE '%segmentation fault%' ORDER BY time DESC LIMIT 100",
			"SELECT * FROM e WHERE message LIKE '%segmentation fault%' ORDER BY time DESC LIMIT 100", false},
		{"count of a substring", event.Query{Filter: event.Contains("message", "ing the paym"), Tables: count()},
			"SELECT count() FROM d.e WHERE position(message, 'ing the paym') > 0",
			"SELECT count(*) FROM e WHERE contains(message, 'ing the paym')", false},
		{"one trace", event.Query{Filter: event.Equals("trace", event.String(trace)), Rows: &event.Rows{Limit: 1000}},
			"SELECT * FROM d.e WHERE trace = '" + trace + "' ORDER BY time DESC LIMIT 1000",
			"SELECT * FROM e WHERE trace = '" + trace + "' ORDER BY time DESC LIMIT 1000", false},
		{"heatmap of durations", event.Query{Heatmap: &event.Heatmap{Field: "duration", Every: 5 * time.Minute, Log: 4}},
			"SELECT count() > 100 FROM (SELECT toStartOfInterval(time, INTERVAL 5 MINUTE) t, bitShiftRight(reinterpretAsUInt64(toFloat64(duration)), 50) b, count() FROM d.e GROUP BY t, b)",
			"SELECT count(*) > 100 FROM (SELECT time_bucket(INTERVAL 5 MINUTE, time::TIMESTAMP) t, floor(log2(duration) * 4) b, count(*) FROM e GROUP BY ALL)", false},
		{"facets of all fields", event.Query{Facets: &event.Facets{}}, facetsSQL("topK(10)(%[1]s), uniq(%[1]s)", "d.e"), facetsSQL("approx_top_k(\"%[1]s\", 10), approx_count_distinct(\"%[1]s\")", "e"), false},
		{"filter, group by three", event.Query{Filter: event.And(event.AtLeast("status", event.Int(400)), event.Equals("level", event.String("error"))), Tables: count(key("service"), key("region"), key("status"))},
			"SELECT count() FROM (SELECT service, region, status, count() FROM d.e WHERE status >= 400 AND level = 'error' GROUP BY service, region, status)",
			"SELECT count(*) FROM (SELECT service, region, status, count(*) FROM e WHERE status >= 400 AND level = 'error' GROUP BY ALL)", true},
		{"wildcard in any case", event.Query{Filter: event.Wildcard("message", "*Tempt 77*").AnyCase(), Tables: count()},
			"SELECT count() FROM d.e WHERE message ILIKE '%Tempt 77%'",
			"SELECT count(*) FROM e WHERE message ILIKE '%Tempt 77%'", false},
	}
}

// facetsSQL is the ten most frequent values of every field and how many there are,
// approximately, as ours are for fields of very many values.
func facetsSQL(of, table string) string {
	var list []string
	for _, c := range rows.Columns[1:] {
		list = append(list, fmt.Sprintf(of, c.Name))
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM " + table
}

// ask asks our store and returns the number of rows or groups.
func (q *query) ask(ctx context.Context, db *eventdb.DB) (string, error) {
	r, err := db.Query(ctx, q.q)
	if err != nil {
		return "", err
	}
	n := len(r.Rows) + len(r.Facets)
	for _, t := range r.Tables {
		n += len(t.Groups)
	}
	return fmt.Sprint(n), nil
}
