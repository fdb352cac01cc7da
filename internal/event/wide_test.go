package event_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func TestValuesAreEqualByKey(t *testing.T) {
	same := [][]event.Value{
		{event.Int(500), event.String("500"), event.Float(500), event.Duration(500), event.Time(500)},
		{event.Float(0.25), event.String("0.25")},
		{event.Bool(true), event.String("true")},
		{event.Bytes([]byte("hi")), event.String("aGk=")},
		{event.Float(math.NaN()), event.Float(-math.NaN())},
		{event.Float(0), event.Float(math.Copysign(0, -1)), event.Int(0), event.String("0")},
		{event.String("0500")}, {event.String("1e3")}, {event.Int(1000)}, {event.String("-0")}, {event.String("NaN")}, {event.String("")}, {{}},
		{event.Int(math.MaxInt64), event.String("9223372036854775807")}, {event.String("9223372036854775808")}, {event.Float(1 << 63)},
	}
	for i, a := range same {
		for j, b := range same {
			for _, v := range a {
				for _, w := range b {
					if v.Equal(w) != (i == j) || (v.Compare(w) == 0) != (i == j) || v.Compare(w) != -w.Compare(v) {
						t.Errorf("%s %q and %s %q: equal %v, compare %d", v.Type(), v, w.Type(), w, v.Equal(w), v.Compare(w))
					}
				}
			}
		}
	}
}

// someValue draws values of every type.
func someValue(t *rapid.T, name string) event.Value {
	return rapid.OneOf(
		rapid.Map(rapid.Int64(), event.Int),
		rapid.Map(rapid.Float64(), event.Float),
		rapid.Map(rapid.Int64(), func(n int64) event.Value { return event.Float(float64(n)) }), // whole, and mostly not exact as text
		rapid.Map(rapid.Bool(), event.Bool),
		rapid.Map(rapid.Int64(), func(n int64) event.Value { return event.Duration(time.Duration(n)) }),
		rapid.Map(rapid.Int64Range(-6e18, 6e18), event.Time),
		rapid.Map(rapid.String(), event.String),
		rapid.Map(rapid.SampledFrom([]string{"5", "-3.5", "1e9", "0x10", "007", "", "a"}), event.String),
		rapid.Map(rapid.SliceOf(rapid.Byte()), event.Bytes),
		rapid.Map(rapid.SliceOf(rapid.String()), func(s []string) event.Value { return event.List(s...) }),
	).Draw(t, name)
}

func TestValueRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := someValue(t, "v")
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var w event.Value
		if err := json.Unmarshal(b, &w); err != nil || !v.Equal(w) {
			t.Fatalf("%s %q is %s, read %s %q, %v", v.Type(), v, b, w.Type(), w, err)
		}
		num, text := v.Raw()
		if w, ok := event.Raw(v.Type(), num, text); !ok || w != v {
			t.Fatalf("%v raw is %v", v, w)
		}
		if k := v.Key(); k.Key() != k {
			t.Fatalf("the key of the key of %q is %q, not %q", v, k.Key(), k)
		}
	})
}

// Compare is an order.
func TestValueOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := someValue(t, "a"), someValue(t, "b"), someValue(t, "c")
		if a.Compare(b) != -b.Compare(a) || a.Compare(b) <= 0 && b.Compare(c) <= 0 && a.Compare(c) > 0 {
			t.Fatalf("%q %q %q", a, b, c)
		}
	})
}

func TestStream(t *testing.T) {
	s := event.NewStream(event.Labels{"service.name": "shop", "kind": "log", "empty": ""})
	if s != event.NewStream(event.Labels{"kind": "log", "service.name": "shop"}) || s.String() != `{kind="log", "service.name"="shop"}` {
		t.Errorf("%s", s)
	}
	if v, ok := s.Get("kind"); v != "log" || !ok {
		t.Errorf("kind is %q", v)
	}
	if again, ok := event.ParseStream(s.Key()); !ok || again != s {
		t.Errorf("parsed %s", again)
	}
	for _, bad := range []string{"\x01", "\x01a", "\x01a\x01", "\x01b\x01x\x01a\x01y", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
		if _, ok := event.ParseStream(bad); ok {
			t.Errorf("%q is a stream", bad)
		}
	}
}

func TestEventFields(t *testing.T) {
	e := event.Event{Time: 5, ID: 7, Stream: event.NewStream(event.Labels{"kind": "log"}), Fields: []event.Field{
		{Name: "a", Value: event.Int(1)}, {Name: "kind", Value: event.String("hidden")}, {Name: "a", Value: event.Int(2)}, {Name: "a", Value: event.Value{}}, {Name: "b", Value: event.Value{}}, {Name: event.TimeField, Value: event.Int(1)},
	}}
	got := map[string]event.Value{}
	for name, v := range e.All {
		got[name] = v
	}
	if want := map[string]event.Value{"kind": event.String("log"), "a": event.Int(2)}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	if e.Get("a") != event.Int(2) || e.Get(event.TimeField) != event.Time(5) || e.Get(event.IDField) != event.Int(7) || !e.Get("b").IsNull() {
		t.Error("Get finds something else")
	}
	if b, err := json.Marshal(e); err != nil || string(b) != `{"@id":"7","@timestamp":"1970-01-01T00:00:00.000000005Z","a":2,"kind":"log"}` {
		t.Errorf("%s, %v", b, err)
	}
}

func TestWildcard(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"*", "", true}, {"*", "abc", true}, {"a*c", "abbc", true}, {"a*c", "abbcd", false}, {"?", "é", true}, {"?", "", false}, {"a\\*", "a*", true}, {"a\\*", "ab", false},
		{"*a*b*", "xaxbx", true}, {"*ab", "aab", true}, {"**", "x", true}, {"a?c*", "abcdef", true}, {"\\", "\\", true},
	} {
		if got := event.MatchWildcard(c.pattern, c.text); got != c.want {
			t.Errorf("MatchWildcard(%q, %q) = %v", c.pattern, c.text, got)
		}
	}
}

func FuzzWords(f *testing.F) {
	for _, s := range []string{"a b_c 12", "GÖTEBORG naïve", "\xff\xfex", "日本 x"} {
		f.Add(s, "b")
	}
	f.Fuzz(func(t *testing.T, text, part string) {
		c, err := event.Phrase("x", part).Compile()
		if err != nil {
			t.Fatal(err)
		}
		words := 0
		event.Words(part, func(string) bool { words++; return true })
		if whole := event.String(" " + part + " "); c.Match(whole) != (words > 0) {
			t.Fatalf("%q does not find itself", part)
		}
		if joined := event.String(text + " " + part + " " + text); words > 0 && !c.Match(joined) {
			t.Fatalf("%q is not found in %q", part, joined)
		}
	})
}

func FuzzQuery(f *testing.F) {
	f.Add([]byte(`{"filter":{"op":"and","of":[{"op":"equals","field":"a","values":[1]},{"op":"range","field":"b","min":{"duration":"1s"}}]},"tables":[{"by":[{"field":"a"},{"every":60000000000}],"calculate":[{"op":"quantile","field":"d","quantile":0.5}]}],"rows":{"limit":5}}`))
	f.Add([]byte(`{"filter":{"op":"wildcard","field":"*","text":"a*"},"heatmap":{"field":"d","every":1,"log":4}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var q event.Query
		if json.Unmarshal(b, &q) != nil || q.Validate() != nil {
			return
		}
		again, err := json.Marshal(q)
		if err != nil {
			return // a time outside what JSON has
		}
		var r event.Query
		if err := json.Unmarshal(again, &r); err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		m, err := event.NewMatcher(q.Filter)
		if err != nil {
			t.Fatal(err)
		}
		n, err := event.NewMatcher(r.Filter)
		if err != nil {
			t.Fatal(err)
		}
		e := event.Event{Fields: []event.Field{{Name: "a", Value: event.Int(1)}, {Name: "b", Value: event.String("b")}}}
		if m.Match(&e) != n.Match(&e) {
			t.Fatalf("%s means something else than %s", again, b)
		}
	})
}

func TestBucketsOfTime(t *testing.T) {
	at := func(s string) int64 {
		x, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return x.UnixNano()
	}
	for _, c := range []struct {
		key            event.Key
		time, from, to string
	}{
		{event.Key{Every: time.Hour}, "2026-03-04T05:06:07Z", "2026-03-04T05:00:00Z", "2026-03-04T06:00:00Z"},
		{event.Key{Every: time.Hour, Offset: 10 * time.Minute}, "2026-03-04T05:06:07Z", "2026-03-04T04:10:00Z", "2026-03-04T05:10:00Z"},
		{event.Key{Every: time.Hour, Offset: -10 * time.Minute}, "1960-03-04T05:06:07Z", "1960-03-04T04:50:00Z", "1960-03-04T05:50:00Z"},
		{event.Key{Calendar: "day", Zone: "Europe/Vienna"}, "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		{event.Key{Calendar: "week"}, "2026-03-01T12:00:00Z", "2026-02-23T00:00:00Z", "2026-03-02T00:00:00Z"},
		{event.Key{Calendar: "month"}, "2026-12-31T12:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{event.Key{Calendar: "quarter"}, "2026-12-31T12:00:00Z", "2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"},
		{event.Key{Calendar: "hour", Zone: "Asia/Kolkata"}, "2026-03-04T05:06:07Z", "2026-03-04T04:30:00Z", "2026-03-04T05:30:00Z"},
	} {
		b, err := c.key.TimeBuckets()
		if err != nil {
			t.Fatal(err)
		}
		if from, to := b.Bounds(at(c.time)); from != at(c.from) || to != at(c.to) {
			t.Errorf("%+v: %s to %s", c.key, time.Unix(0, from).UTC(), time.Unix(0, to).UTC())
		}
	}
}

func TestBadQueries(t *testing.T) {
	for _, q := range []event.Query{
		{Filter: event.Filter{Op: "near"}}, {Filter: event.Regexp("a", "(")}, {Filter: event.Equals("", event.Int(1))}, {Filter: event.Filter{Op: event.OpRange, Field: "a"}}, {Filter: event.Filter{Op: event.OpNot}},
		{Rows: &event.Rows{}}, {Rows: &event.Rows{Limit: 1e6}}, {Tables: []event.Table{{Calculate: []event.Calculation{{Op: "mode"}}}}}, {Tables: []event.Table{{Calculate: []event.Calculation{{Op: "sum"}}}}},
		{Tables: []event.Table{{By: []event.Key{{}}}}}, {Tables: []event.Table{{By: []event.Key{{Field: "a", Step: -1}}}}}, {Tables: []event.Table{{Order: []event.Order{{By: "x"}}}}}, {Tables: []event.Table{{By: []event.Key{{Calendar: "eon"}}}}},
		{Tables: []event.Table{{By: []event.Key{{Calendar: "day", Zone: "Mars/North"}}}}}, {Heatmap: &event.Heatmap{Field: "a"}}, {Heatmap: &event.Heatmap{Field: "a", Every: 1, Log: 3}}, {Compare: &event.Compare{Selection: event.Filter{Op: "x"}}},
	} {
		if err := q.Validate(); problem.CodeOf(err) != problem.Invalid {
			t.Errorf("%+v: %v", q, err)
		}
	}
}
