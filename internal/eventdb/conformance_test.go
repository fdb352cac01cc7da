package eventdb_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/eventdb"
	"github.com/daytwo-dev/daytwo/internal/eventdb/oracle"
)

// The suite: queries by hand and generated ones, asked of the engine in each
// state that events can be in, and of the oracle.

var epoch = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).UnixNano()

// randomEvents are events of several kinds, with fields that are rare, change
// their type, are lists, or stand in the stream for some and not for others.
func randomEvents(r *rand.Rand, n int) []event.Event {
	var streams []event.Stream
	for _, service := range []string{"shop", "till", "mail"} {
		for _, kind := range []string{event.KindLog, event.KindSpan} {
			streams = append(streams, event.NewStream(event.Labels{event.ServiceField: service, event.KindField: kind}))
		}
	}
	streams = append(streams, event.NewStream(event.Labels{"code": "200", "odd": "yes"}), event.Stream{})
	words := strings.Fields("the quick brown fox Timeout while reading from upstream GÖTEBORG naïve user_id=7 retry[3] 10.0.0.1 Σ end")
	levels := []string{"info", "warn", "error", "INFO"}
	events := make([]event.Event, n)
	for i := range events {
		e := event.Event{Time: epoch + r.Int64N(6*3600e9), Stream: streams[r.IntN(len(streams))]}
		add := func(name string, v event.Value) { e.Fields = append(e.Fields, event.Field{Name: name, Value: v}) }
		code := []int64{200, 200, 200, 404, 500, 503}[r.IntN(6)]
		switch r.IntN(4) {
		case 0:
			add("code", event.String(fmt.Sprint(code)))
		case 1:
			add("code", event.Float(float64(code)))
		default:
			add("code", event.Int(code))
		}
		add("level", event.String(levels[r.IntN(len(levels))]))
		add("user", event.String(fmt.Sprintf("user-%d", r.IntN(400))))
		add(event.ElapsedField, event.Duration(time.Duration(math.Exp(r.NormFloat64()*2+15))))
		if r.IntN(3) > 0 {
			text := make([]string, 1+r.IntN(8))
			for j := range text {
				text[j] = words[r.IntN(len(words))]
			}
			add(event.MessageField, event.String(strings.Join(text, " ")+fmt.Sprintf(" %d", r.IntN(1000))))
		}
		add(event.TraceField, event.String(fmt.Sprintf("%016x%016x", r.Uint64N(500), 7)))
		if r.IntN(5) == 0 {
			add("tags", event.List([]string{"a", "b", "a", "5", "c d"}[r.IntN(5)], []string{"a", "b", "x"}[r.IntN(3)]))
		}
		if r.IntN(10) == 0 {
			add("tags", event.String("b"))
		}
		if r.IntN(2) == 0 {
			add("ok", event.Bool(r.IntN(2) == 0))
		}
		if r.IntN(4) == 0 {
			add("ratio", event.Float([]float64{0.25, -1.5, 3, 1e300, math.NaN(), math.Inf(1), 0}[r.IntN(7)]))
		}
		if r.IntN(20) == 0 {
			add("raw", event.Bytes([]byte{0, byte(r.IntN(3)), 255}))
		}
		if r.IntN(50) == 0 {
			add(fmt.Sprintf("rare.%d", r.IntN(30)), event.Int(r.Int64()))
		}
		if r.IntN(30) == 0 {
			add("level", event.String("late")) // twice: the last counts
		}
		add("n", event.Int(int64(i%97)-20))
		add("seen", event.Time(e.Time+r.Int64N(1e9)))
		events[i] = e
	}
	return events
}

func at(d time.Duration) time.Time { return time.Unix(0, epoch).UTC().Add(d) }

func ptr[T any](v T) *T { return &v }

// handMade are queries that each look at one thing.
func handMade() []event.Query {
	filters := []event.Filter{
		{}, event.And(), event.Or(), event.Not(event.Filter{}),
		event.Exists("tags"), event.Exists("nothing"), event.Exists(event.ServiceField), event.Exists("code"),
		event.Equals("code", event.Int(500)), event.Equals("code", event.String("500")), event.Equals("code", event.Float(500)),
		event.Equals("code", event.String("0500")), event.Equals("level", event.String("info")), event.Equals("level", event.String("info")).AnyCase(),
		event.Equals(event.TraceField, event.String(fmt.Sprintf("%016x%016x", 33, 7))),
		event.Equals(event.TraceField, event.String(strings.ToUpper(fmt.Sprintf("%016x%016x", 171, 7)))).AnyCase(),
		event.Equals("tags", event.String("a")), event.Equals("tags", event.Int(5)), event.Equals("ok", event.Bool(true)), event.Equals("ok", event.String("true")),
		event.Equals("ratio", event.Float(math.NaN())), event.Equals("ratio", event.Float(0.25)), event.Equals("raw", event.Bytes([]byte{0, 1, 255})),
		event.Equals("user", event.String("user-77")), event.Equals("user", event.String("user-077")),
		event.Equals(event.KindField, event.String("span")), event.Equals("odd", event.String("yes")), event.Equals("user", event.Value{}),
		event.In("code", event.Int(404), event.String("503")), event.In("user", event.String("user-1"), event.String("user-2")), event.In("n"), event.In("n", event.Int(-20), event.Float(3)),
		event.AtLeast("code", event.Int(500)), event.MoreThan("code", event.String("404")), event.LessThan("n", event.Float(-3.5)), event.AtMost("n", event.Int(0)),
		event.AtLeast("level", event.String("info")), event.LessThan("user", event.String("user-2")), event.AtLeast("ratio", event.Float(0)), event.AtLeast("ok", event.Int(1)),
		{Op: event.OpRange, Field: "n", Min: ptr(event.Int(3)), Max: ptr(event.Int(5)), Above: true},
		event.AtLeast(event.ElapsedField, event.Duration(10*time.Millisecond)), event.AtLeast(event.TimeField, event.Time(epoch+3600e9)), event.AtLeast("seen", event.Time(epoch+3*3600e9)),
		event.MoreThan(event.IDField, event.Int(100)), event.Equals(event.IDField, event.Int(17)),
		event.Prefix("user", "user-3"), event.Prefix(event.MessageField, "Time"), event.Prefix(event.MessageField, "the quick b"), event.Prefix("level", "IN").AnyCase(), event.Prefix("code", "50"),
		event.Wildcard("user", "*-1?"), event.Wildcard(event.MessageField, "*[*]*"), event.Wildcard("level", "INFO").AnyCase(), event.Wildcard("tags", "c*d"),
		event.Wildcard(event.MessageField, "*ick*"), event.Wildcard(event.MessageField, "the*fox*"), event.Wildcard(event.MessageField, "*while reading*"), event.Wildcard(event.MessageField, "*TIMEOUT*while*").AnyCase(), event.Wildcard(event.MessageField, "*ö*").AnyCase(), event.Regexp(event.MessageField, "ſ").AnyCase(),
		event.Wildcard(event.MessageField, "*retry\\[?]*"), event.Wildcard("*", "*ICK*").AnyCase(), event.Wildcard("*", "*-1*"), event.Wildcard("*", "*ms"), event.Wildcard("user", "*"), event.Wildcard("user", "user-7*7"), event.Wildcard("*", "***"),
		event.Regexp(event.MessageField, "quick.*brown"), event.Regexp(event.MessageField, "(Timeout|fox) while|end"), event.Regexp(event.MessageField, "(up)+stream"), event.Regexp("*", "0{3}7$"), event.Regexp("user", "^user-(1|2)$"), event.Regexp(event.MessageField, "(?i)timeout"), event.Regexp(event.MessageField, "göt").AnyCase(),
		event.Contains(event.MessageField, "out while"), event.Contains(event.MessageField, "uick bro"), event.Contains(event.MessageField, "TIMEOUT").AnyCase(), event.Contains("code", "0"),
		event.Contains(event.MessageField, ""), event.Contains(event.MessageField, "ö").AnyCase(), event.Contains("user", "r-39"), event.Contains(event.MessageField, " Timeout "),
		event.Phrase(event.MessageField, "timeout while"), event.Phrase(event.MessageField, "göteborg"), event.Phrase(event.MessageField, "10.0.0.1"), event.Phrase(event.MessageField, "user_id"),
		event.Phrase(event.MessageField, "time"), event.Phrase(event.MessageField, "--"), event.Phrase("tags", "d"), event.Phrase(event.ServiceField, "SHOP"),
		event.Phrase("*", "b"), event.Contains("*", "rare"), event.Exists("rare.*"), event.Equals("rare.*", event.Int(5)), event.Equals("*", event.Int(200)), event.Not(event.Equals("*", event.Int(200))),
		event.Not(event.Equals("code", event.Int(200))), event.Not(event.Exists("tags")),
		event.And(event.Equals("level", event.String("error")), event.AtLeast("code", event.Int(500)), event.Equals(event.ServiceField, event.String("till"))),
		event.Or(event.Equals(event.ServiceField, event.String("mail")), event.Phrase(event.MessageField, "fox"), event.Equals("user", event.String("user-9"))),
		event.And(event.Not(event.Or(event.Equals("code", event.Int(200)), event.Exists("ok"))), event.Exists(event.MessageField)),
		event.Equals("code", event.String("200")), event.Exists("odd"),
		event.Some(2, event.Equals("level", event.String("error")), event.AtLeast("code", event.Int(500)), event.Equals(event.ServiceField, event.String("till"))),
		event.Some(2, event.Exists("nothing"), event.Exists("n"), event.Exists("tags")), event.Some(2, event.Exists("nothing"), event.Exists("absent"), event.Exists("n")),
		event.Some(2, event.Exists("n"), event.Exists("level"), event.Exists("nothing")), event.Not(event.Some(2, event.Exists("tags"), event.Exists("ok"), event.Exists("ratio"))),
		event.Some(3, manyClauses(60)...), event.Some(700, manyClauses(1024)...), event.Some(0, event.Exists("odd")), event.Some(2, event.Exists("odd")),
	}
	var out []event.Query
	for _, f := range filters {
		out = append(out, event.Query{Filter: f, Rows: &event.Rows{Limit: 7, Count: true}, Tables: []event.Table{{}, {By: []event.Key{{Field: event.ServiceField}}}}})
	}
	for _, r := range []event.Range{{}, {From: at(time.Hour)}, {To: at(2 * time.Hour)}, {From: at(time.Hour), To: at(90 * time.Minute)}, {From: at(time.Hour), To: at(time.Hour)}, {From: at(100 * time.Hour)}} {
		out = append(out, event.Query{Range: r, Rows: &event.Rows{Limit: 3, Count: true}, Tables: []event.Table{{}}, Fields: &event.Fields{}})
	}
	return append(out, handMadeParts()...)
}

// manyClauses are n conditions, most of them on one number, so that the larger it
// is the more of them hold.
func manyClauses(n int) []event.Filter {
	of := []event.Filter{event.Phrase("*", "fox"), event.Exists("tags"), event.Equals(event.ServiceField, event.String("shop"))}
	for i := len(of); i < n; i++ {
		of = append(of, event.AtLeast("n", event.Int(int64(i*97/n-20))))
	}
	return of
}

func handMadeParts() []event.Query {
	var out []event.Query
	table := func(t event.Table) { out = append(out, event.Query{Tables: []event.Table{t}}) }
	numbers := []event.Calculation{
		{Op: "count"}, {Op: "count", Field: "ratio"}, {Op: "sum", Field: "n"}, {Op: "avg", Field: "n"}, {Op: "min", Field: event.ElapsedField}, {Op: "max", Field: event.ElapsedField},
		{Op: "distinct", Field: "user"}, {Op: "distinct", Field: "tags"}, {Op: "quantile", Field: event.ElapsedField, Quantile: 0.5}, {Op: "quantile", Field: event.ElapsedField, Quantile: 0.99},
		{Op: "stats", Field: "n"}, {Op: "top", Field: "user", K: 3}, {Op: "top", Field: "tags"}, {Op: "sum", Field: "code"}, {Op: "sum", Field: "ok"}, {Op: "avg", Field: "nothing"},
		{Op: "count", Name: "errors", Filter: ptr(event.AtLeast("code", event.Int(500)))}, {Op: "quantile", Field: "n", Quantile: 0.1}, {Op: "min", Field: event.TimeField}, {Op: "distinct", Field: event.TraceField},
	}
	keys := [][]event.Key{
		nil, {{Field: event.ServiceField}}, {{Field: "code"}}, {{Field: "level", Present: true}}, {{Field: "tags"}}, {{Field: "tags", Present: true}}, {{Field: "ok"}}, {{Field: "raw"}}, {{Field: "nothing"}}, {{Field: "ratio"}},
		{{Every: time.Hour}}, {{Every: 7 * time.Minute, Offset: time.Minute}}, {{Calendar: "hour", Zone: "Asia/Kolkata"}}, {{Calendar: "day", Zone: "America/New_York"}}, {{Calendar: "week"}}, {{Calendar: "month"}}, {{Calendar: "quarter"}}, {{Calendar: "year"}}, {{Calendar: "minute"}},
		{{Field: "seen", Every: time.Hour}}, {{Field: "n", Step: 10}}, {{Field: "n", Step: 7, Origin: 2}}, {{Field: "code", Step: 100}}, {{Field: "n", Bands: []event.Band{{Name: "low", To: ptr(0.0)}, {Name: "high", From: ptr(10.0)}, {Name: "all"}}}},
		{{Filters: []event.Named{{Name: "bad", Filter: event.AtLeast("code", event.Int(500))}, {Name: "fox", Filter: event.Phrase(event.MessageField, "fox")}}}},
		{{Every: time.Hour}, {Field: event.ServiceField}}, {{Field: event.ServiceField}, {Field: "code"}, {Field: "level"}}, {{Field: "tags"}, {Field: "code"}}, {{Field: "tags", Present: true}, {Field: "ok", Present: true}, {Every: 3 * time.Hour}},
		{{Field: "user"}}, {{Field: event.TraceField}}, {{Field: event.MessageField}}, {{Field: event.IDField}},
	}
	for _, by := range keys {
		table(event.Table{By: by, Calculate: numbers, Limit: 500, Total: true})
	}
	for _, c := range numbers {
		if c.Op == "distinct" || c.Op == "quantile" || c.Op == "avg" {
			continue // the order of what is approximate, or rounded, is not defined
		}
		table(event.Table{By: []event.Key{{Field: "user"}}, Calculate: []event.Calculation{c}, Order: []event.Order{{By: c.Column(), Desc: true}}, Limit: 5})
		table(event.Table{By: []event.Key{{Field: "level"}, {Every: time.Hour}}, Calculate: []event.Calculation{c}, Having: []event.Having{{Column: c.Column(), Op: ">", Value: 3}}, Order: []event.Order{{By: c.Column()}, {By: "level", Desc: true}}})
	}
	for _, r := range []event.Rows{
		{Limit: 1}, {Limit: 100}, {Limit: 10_000}, {Limit: 5, Order: []event.Order{{By: event.TimeField}}}, {Limit: 9, Order: []event.Order{{By: "n", Desc: true}}}, {Limit: 9, Order: []event.Order{{By: "tags"}, {By: event.TimeField}}},
		{Limit: 20, Order: []event.Order{{By: "ratio", Desc: true}, {By: "user"}}}, {Limit: 4, Fields: []string{"user", "nothing", event.ServiceField}},
		{Limit: 9, After: &event.Cursor{Time: epoch + 3600e9, ID: 3}}, {Limit: 9, After: &event.Cursor{Time: epoch + 3600e9, ID: 3, Values: []event.Value{event.Time(epoch + 3600e9)}}, Order: []event.Order{{By: event.TimeField}}},
	} {
		out = append(out, event.Query{Rows: &r}, event.Query{Rows: &r, Filter: event.Phrase(event.MessageField, "retry")})
	}
	for _, f := range []event.Filter{{}, event.Equals("code", event.Int(503)), event.Phrase(event.MessageField, "end")} {
		out = append(out, event.Query{Filter: f, Fields: &event.Fields{}}, event.Query{Filter: f, Fields: &event.Fields{Prefix: "rare", Limit: 3}},
			event.Query{Filter: f, Facets: &event.Facets{}}, event.Query{Filter: f, Facets: &event.Facets{Fields: []string{"code", "tags", "nothing", event.ServiceField}, Limit: 3}},
			event.Query{Filter: f, Facets: &event.Facets{Fields: []string{"user"}, Contains: "R-1"}},
			event.Query{Filter: f, Heatmap: &event.Heatmap{Field: event.ElapsedField, Every: time.Hour}}, event.Query{Filter: f, Heatmap: &event.Heatmap{Field: "n", Every: 30 * time.Minute, Step: 10}},
			event.Query{Filter: f, Heatmap: &event.Heatmap{Field: "n", Every: 30 * time.Minute, Log: 64}}, event.Query{Filter: f, Heatmap: &event.Heatmap{Field: "ratio", Every: 5 * time.Hour, Log: 1}},
			event.Query{Filter: f, Compare: &event.Compare{Selection: event.Equals("level", event.String("error"))}}, event.Query{Filter: f, Compare: &event.Compare{Selection: event.Exists("nothing")}},
			event.Query{Filter: f, Compare: &event.Compare{Selection: event.AtLeast(event.ElapsedField, event.Duration(time.Second)), Fields: []string{"tags", "code", event.KindField}, Limit: 3}})
	}
	return out
}

// generated makes a query at random.
func generated(r *rand.Rand) event.Query {
	fields := []string{"code", "level", "user", event.ElapsedField, event.MessageField, event.TraceField, "tags", "ok", "ratio", "raw", "n", "seen", event.ServiceField, event.KindField, "odd", "rare.3", "nothing", "*", "rare.*"}
	single := fields[:17]
	values := []event.Value{event.Int(200), event.Int(500), event.String("error"), event.String("user-5"), event.Float(0.25), event.Duration(5 * time.Millisecond), event.String("a"), event.Bool(true), event.Int(-3), event.String("shop"), event.String(fmt.Sprintf("%016x%016x", r.Uint64N(500), 7)), event.Time(epoch + r.Int64N(6*3600e9))}
	texts := []string{"fox", "out", "brown fox", "user", "0", "e", "Timeout while reading", "-1", "söder", "x", "7"}
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	value := func() event.Value { return values[r.IntN(len(values))] }
	var filter func(depth int) event.Filter
	filter = func(depth int) event.Filter {
		if depth > 0 && r.IntN(2) == 0 {
			switch r.IntN(4) {
			case 0:
				return event.And(filter(depth-1), filter(depth-1))
			case 3:
				return event.Some(2+r.IntN(2), filter(depth-1), filter(depth-1), filter(depth-1), filter(depth-1))
			case 1:
				return event.Or(filter(depth-1), filter(depth-1), filter(depth-1))
			}
			return event.Not(filter(depth - 1))
		}
		f := pick(fields)
		out := []event.Filter{{}, event.Exists(f), event.Equals(f, value()), event.In(f, value(), value(), value()), event.AtLeast(f, value()), event.LessThan(f, value()), event.Prefix(f, pick(texts)),
			event.Wildcard(f, pick([]string{"*", ""})+pick(texts)+pick([]string{"?", "*", ""})), event.Regexp(f, pick(texts)+"$"), event.Contains(f, pick(texts)), event.Phrase(f, pick(texts))}[r.IntN(11)]
		out.Fold = out.Op != event.OpRange && r.IntN(4) == 0
		return out
	}
	q := event.Query{Filter: filter(3)}
	if r.IntN(2) == 0 {
		from := r.Int64N(5 * 3600e9)
		q.Range = event.Range{From: at(time.Duration(from)), To: at(time.Duration(from + r.Int64N(3*3600e9)))}
	}
	var by []event.Key
	for range r.IntN(4) {
		k := []event.Key{{Field: pick(single)}, {Field: pick(single), Present: true}, {Every: time.Duration(1+r.IntN(200)) * time.Minute}, {Field: pick(single), Step: float64(1 + r.IntN(50))}}[r.IntN(4)]
		k.Name = fmt.Sprint("key", len(by))
		by = append(by, k)
	}
	var calculate []event.Calculation
	for range r.IntN(4) {
		c := event.Calculation{Op: pick([]string{"count", "sum", "avg", "min", "max", "distinct", "quantile", "stats", "top"}), Field: pick(single), Quantile: float64(r.IntN(101)) / 100, K: r.IntN(5), Name: fmt.Sprint("c", len(calculate))}
		if r.IntN(3) == 0 {
			c.Filter = ptr(filter(1))
		}
		calculate = append(calculate, c)
	}
	q.Tables = []event.Table{{By: by, Calculate: calculate, Limit: 1 + r.IntN(300), Total: r.IntN(2) == 0}}
	q.Rows = &event.Rows{Limit: 1 + r.IntN(30), Count: true}
	if r.IntN(3) == 0 {
		q.Rows.Order = []event.Order{{By: pick(single), Desc: r.IntN(2) == 0}}
	}
	switch r.IntN(6) {
	case 0:
		q.Facets = &event.Facets{Limit: 4}
	case 1:
		q.Fields = &event.Fields{}
	case 2:
		q.Heatmap = &event.Heatmap{Field: pick(single), Every: time.Hour, Log: 8}
	case 3:
		q.Compare = &event.Compare{Selection: filter(1)}
	}
	return q
}

func TestConformance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	n := 5000
	if testing.Short() {
		n = 2000
	}
	events := randomEvents(r, n)
	queries := handMade()
	for len(queries) < 420 {
		queries = append(queries, generated(r))
	}
	db := open(t, t.TempDir())
	for part := range slices.Chunk(events, n/4+1) {
		for batch := range slices.Chunk(part, 500) {
			if err := db.Append(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
		}
		if id := part[0].Fields; len(id) > 0 && len(part) == n/4+1 { // the last part stays in memory
			if err := db.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range events {
		events[i].ID = uint64(i + 1)
	}
	t.Logf("%d queries over %d events; %+v", len(queries), n, db.Stats())
	answers := make([]*event.Result, len(queries))
	for i, q := range queries {
		var err error
		if answers[i], err = oracle.Answer(events, q); err != nil {
			t.Fatalf("query %d: the oracle: %v", i, err)
		}
	}
	t.Run("parts and memory", func(t *testing.T) { conform(t, db, queries, answers) })
	if err := db.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := eventdb.MergeAll(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if s := db.Stats(); s.Parts != 1 || s.Events != int64(n) {
		t.Fatalf("after merging: %+v", s)
	}
	t.Run("merged", func(t *testing.T) { conform(t, db, queries, answers) })
	t.Run("at once", func(t *testing.T) {
		for i := range 4 {
			from, to := len(queries)*i/4, len(queries)*(i+1)/4
			t.Run(fmt.Sprint("from query ", from), func(t *testing.T) {
				t.Parallel()
				conform(t, db, queries[from:to], answers[from:to])
			})
		}
	})
}

func conform(t *testing.T, db *eventdb.DB, queries []event.Query, answers []*event.Result) {
	failed := 0
	for i, q := range queries {
		want := answers[i]
		got, err := db.Query(t.Context(), q)
		if err != nil {
			t.Errorf("query %d: %v", i, err)
			continue
		}
		if d := different(got, want); d != "" {
			text, _ := json.Marshal(q)
			t.Errorf("query %d: %s\n%s", i, d, text)
			if failed++; failed > 8 {
				t.Fatal("and more")
			}
		}
	}
}

// different says where two answers differ, approximate ones beyond their error.
func different(got, want *event.Result) string {
	if len(got.Warnings) > 0 {
		return fmt.Sprint("warnings ", got.Warnings)
	}
	if got.Matched != want.Matched && !got.AtLeast {
		return fmt.Sprintf("%d matched, want %d", got.Matched, want.Matched)
	}
	if d := differentRows(got, want); d != "" {
		return d
	}
	for i := range want.Tables {
		if d := differentTables(&got.Tables[i], &want.Tables[i]); d != "" {
			return fmt.Sprintf("table %d: %s", i, d)
		}
	}
	if got.MoreFields != want.MoreFields {
		return fmt.Sprintf("%d more fields, want %d", got.MoreFields, want.MoreFields)
	}
	for i, name := range []string{"fields", "heatmap", "facets", "compare"} {
		g, w := []any{got.Fields, got.Heatmap, nearFacets(got.Facets), nearCompare(got.Compare)}[i], []any{want.Fields, want.Heatmap, nearFacets(want.Facets), nearCompare(want.Compare)}[i]
		a, _ := json.Marshal(g)
		b, _ := json.Marshal(w)
		if string(a) != string(b) {
			return fmt.Sprintf("%s:\n%.400s\nwant\n%.400s", name, a, b)
		}
	}
	return ""
}

// nearFacets rounds what sums up in another order.
func nearFacets(list []event.Facet) []event.Facet {
	out := slices.Clone(list)
	for i := range out {
		if out[i].Top == nil {
			out[i].Top = []event.ValueCount{}
		}
		if s := out[i].Numbers; s != nil {
			c := *s
			c.Sum, c.Squares = rounded(c.Sum), rounded(c.Squares)
			out[i].Numbers = &c
		}
	}
	return out
}

func nearCompare(list []event.Difference) []event.Difference {
	out := slices.Clone(list)
	for i := range out {
		out[i].Score = math.Round(out[i].Score*1e9) / 1e9
	}
	slices.SortStableFunc(out, func(a, b event.Difference) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Field, b.Field))
	})
	return out
}

func rounded(f float64) float64 {
	if f == 0 || math.IsInf(f, 0) || math.IsNaN(f) {
		return f
	}
	scale := math.Pow(10, 9-math.Ceil(math.Log10(math.Abs(f))))
	if math.IsInf(scale, 0) || scale == 0 {
		return 0
	}
	return math.Round(f*scale) / scale
}

func differentRows(got, want *event.Result) string {
	if len(got.Rows) != len(want.Rows) || (got.Next == nil) != (want.Next == nil) {
		return fmt.Sprintf("%d rows (more: %v), want %d (%v)", len(got.Rows), got.Next != nil, len(want.Rows), want.Next != nil)
	}
	for i := range want.Rows {
		g, w := &got.Rows[i], &want.Rows[i]
		same := g.Time == w.Time && g.ID == w.ID && g.Stream == w.Stream && len(g.Fields) == len(w.Fields)
		for j := range w.Fields {
			same = same && g.Fields[j] == w.Fields[j]
		}
		if !same {
			a, _ := json.Marshal(g)
			b, _ := json.Marshal(w)
			return fmt.Sprintf("row %d:\n%s\nwant\n%s", i, a, b)
		}
	}
	return ""
}

func differentTables(got, want *event.TableResult) string {
	if got.More != want.More || len(got.Groups) != len(want.Groups) {
		return fmt.Sprintf("%d groups and %d more, want %d and %d", len(got.Groups), got.More, len(want.Groups), want.More)
	}
	if d := differentCells("total", got.Total, want.Total, want.Calculations); d != "" {
		return d
	}
	for i := range want.Groups {
		if !slices.EqualFunc(got.Groups[i].Keys, want.Groups[i].Keys, event.Value.Equal) {
			return fmt.Sprintf("group %d is %v, want %v", i, got.Groups[i].Keys, want.Groups[i].Keys)
		}
		if d := differentCells(fmt.Sprint(want.Groups[i].Keys), got.Groups[i].Cells, want.Groups[i].Cells, want.Calculations); d != "" {
			return d
		}
	}
	return ""
}

func differentCells(where string, got, want []event.Cell, names []string) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%s: %d cells, want %d", where, len(got), len(want))
	}
	for i := range want {
		g, w := got[i], want[i]
		if !near(g.Value, w.Value) || !slices.EqualFunc(g.Top, w.Top, sameCount) || (g.Stats == nil) != (w.Stats == nil) ||
			w.Stats != nil && (g.Stats.Min != w.Stats.Min || g.Stats.Max != w.Stats.Max || rounded(g.Stats.Sum) != rounded(w.Stats.Sum)) {
			a, _ := json.Marshal(g)
			b, _ := json.Marshal(w)
			return fmt.Sprintf("%s %s: %s, want %s", where, names[i], a, b)
		}
	}
	return ""
}

// sameCount compares values as queries do: as which of its types a value is shown
// that came as several is up to the engine.
func sameCount(g, w event.ValueCount) bool { return g.Count == w.Count && g.Value.Equal(w.Value) }

// near allows an approximate number the error of a quantile, and of many distinct
// values that of their count. Exact ones are compared as numbers: a sum depends
// on its order in the last digits.
func near(g, w event.Value) bool {
	if g == w {
		return true
	}
	a, ok := g.Number()
	b, ok2 := w.Number()
	if !ok || !ok2 {
		return g.IsNull() == w.IsNull() && g.Type() == w.Type() && ok == ok2
	}
	if g.Type() == event.TypeInt {
		return b > 1024 && math.Abs(a-b) <= 0.04*b
	}
	return math.Abs(a-b) <= math.Abs(b)/127+1e-9
}
