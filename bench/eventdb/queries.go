package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/eventdb"
)

// query is one question in both languages. check tells that the answers must be
// equal to the letter.
type query struct {
	name  string
	q     event.Query
	sql   string
	check bool
}

func count(by ...event.Key) []event.Table { return []event.Table{{By: by, Limit: 100_000}} }

func queries() []query {
	g := newGenerator(1000)
	for range 500 {
		g.next()
	}
	trace := g.next().trace
	key := func(field string) event.Key { return event.Key{Field: field} }
	return []query{
		{"count by time and service", event.Query{Tables: count(event.Key{Every: 5 * time.Minute}, key("service"))},
			"SELECT count() FROM (SELECT toStartOfInterval(time, INTERVAL 5 MINUTE) t, service, count() FROM d.e GROUP BY t, service)", true},
		{"p50, p95, p99 by route", event.Query{Tables: []event.Table{{By: []event.Key{key("route")}, Limit: 1000, Calculate: []event.Calculation{
			{Op: "quantile", Field: "duration", Quantile: .5}, {Op: "quantile", Field: "duration", Quantile: .95}, {Op: "quantile", Field: "duration", Quantile: .99}}}}},
			"SELECT count() FROM (SELECT route, quantiles(0.5, 0.95, 0.99)(duration) FROM d.e GROUP BY route)", true},
		{"top 10 of a million users", event.Query{Tables: []event.Table{{By: []event.Key{key("user")}, Order: []event.Order{{By: "count", Desc: true}}, Limit: 10}}},
			"SELECT count() FROM (SELECT user, count() c FROM d.e GROUP BY user ORDER BY c DESC LIMIT 10)", true},
		{"rare phrase, newest 100", event.Query{Filter: event.Phrase("message", "segmentation fault"), Rows: &event.Rows{Limit: 100}},
			"SELECT * FROM d.e WHERE hasToken(message, 'segmentation') AND message LIKE '%segmentation fault%' ORDER BY time DESC LIMIT 100", false},
		{"count of a substring", event.Query{Filter: event.Contains("message", "ing the paym"), Tables: count()},
			"SELECT count() FROM d.e WHERE position(message, 'ing the paym') > 0", false},
		{"one trace", event.Query{Filter: event.Equals("trace", event.String(trace)), Rows: &event.Rows{Limit: 1000}},
			"SELECT * FROM d.e WHERE trace = '" + trace + "' ORDER BY time DESC LIMIT 1000", false},
		{"heatmap of durations", event.Query{Heatmap: &event.Heatmap{Field: "duration", Every: 5 * time.Minute, Log: 4}},
			"SELECT count() > 100 FROM (SELECT toStartOfInterval(time, INTERVAL 5 MINUTE) t, bitShiftRight(reinterpretAsUInt64(toFloat64(duration)), 50) b, count() FROM d.e GROUP BY t, b)", false},
		{"facets of all fields", event.Query{Facets: &event.Facets{}}, facetsSQL(), false},
		{"filter, group by three", event.Query{Filter: event.And(event.AtLeast("status", event.Int(400)), event.Equals("level", event.String("error"))), Tables: count(key("service"), key("region"), key("status"))},
			"SELECT count() FROM (SELECT service, region, status, count() FROM d.e WHERE status >= 400 AND level = 'error' GROUP BY service, region, status)", true},
	}
}

// facetsSQL is the ten most frequent values of every field, approximately, as
// ours are for fields of very many values.
func facetsSQL() string {
	var list []string
	for _, c := range columns[1:] {
		list = append(list, "topK(10)("+c.name+"), uniq("+c.name+")")
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM d.e"
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
