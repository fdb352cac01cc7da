package eventdb

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// What is over a limit of an event is cut, marked in the event and counted; the
// rest is stored whole, and stays through memory, parts and merging.
func TestCutIsMarkedAndCounted(t *testing.T) {
	db, err := Open(t.Context(), Config{Dir: t.TempDir(), Sync: SyncInterval})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	long := strings.Repeat("é", event.MaxValueSize/2+7)
	many := event.Event{Time: 1, Stream: event.NewStream(event.Labels{"kind": "log"}), Fields: []event.Field{{Name: "first", Value: event.Int(1)}}}
	for i := range event.MaxFields + 499 {
		many.Fields = append(many.Fields, event.Field{Name: fmt.Sprint("f", i), Value: event.Int(int64(i))})
	}
	items := slices.Repeat([]string{strings.Repeat("x", 1000)}, 1200)
	wide := event.Event{Time: 2, Stream: many.Stream, Fields: []event.Field{
		{Name: "text", Value: event.String("a" + long)}, {Name: "bytes", Value: event.Bytes([]byte(long))}, {Name: "list", Value: event.List(items...)},
		{Name: strings.Repeat("n", event.MaxNameSize+1), Value: event.Int(5)}, {Name: "whole", Value: event.String(long[:event.MaxValueSize])},
	}}
	if err := db.Append(t.Context(), []event.Event{many, wide, {Time: 3, Stream: many.Stream, Fields: []event.Field{{Name: "first", Value: event.Int(3)}}}}); err != nil {
		t.Fatal(err)
	}
	if n := testutil.ToFloat64(db.metrics.cut); n != 500+4 {
		t.Errorf("%v fields were counted as cut, want 504", n)
	}
	check := func(state string) {
		t.Helper()
		r, err := db.Query(t.Context(), event.Query{Rows: &event.Rows{Limit: 10}})
		if err != nil || len(r.Rows) != 3 {
			t.Fatalf("%s: %d rows, %v", state, len(r.Rows), err)
		}
		first, second := &r.Rows[2], &r.Rows[1]
		if len(first.Fields) != event.MaxFields+1 || first.Get("f1998").Int64() != 1998 || !first.Get("f1999").IsNull() {
			t.Errorf("%s: of too many fields %d stayed", state, len(first.Fields))
		}
		if marks := first.Get(event.CutField).Strings(); len(marks) != 101 || marks[0] != "f1999" || marks[100] != "…" {
			t.Errorf("%s: marked as cut are %q", state, marks)
		}
		text := second.Get("text").Text()
		if len(text) < event.MaxValueSize-1 || len(text) > event.MaxValueSize || !utf8.ValidString(text) {
			t.Errorf("%s: of long text %d bytes stayed", state, len(text))
		}
		if n := len(second.Get("bytes").Text()); n != event.MaxValueSize {
			t.Errorf("%s: of long bytes %d stayed", state, n)
		}
		if n := len(second.Get("list").Strings()); n < 1000 || n >= 1200 {
			t.Errorf("%s: of a long list %d elements stayed", state, n)
		}
		if second.Get("whole").Text() != long[:event.MaxValueSize] || second.Get(strings.Repeat("n", event.MaxNameSize)).Int64() != 5 {
			t.Errorf("%s: what is within the limits changed", state)
		}
		if marks := second.Get(event.CutField).Strings(); !slices.Equal(marks, []string{"text", "bytes", "list", strings.Repeat("n", event.MaxNameSize)}) {
			t.Errorf("%s: marked as cut are %.200q", state, marks)
		}
	}
	check("in memory")
	if err := db.Flush(); err != nil {
		t.Fatal(err)
	}
	check("in a part")
	if err := MergeAll(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	check("merged")
}

// A rule of retention by size keeps the newest events of its streams and touches
// no others.
func TestRetainBySize(t *testing.T) {
	const keep = 20_000
	rule := []Retention{{Streams: event.Equals(event.ServiceField, event.String("loud")), Bytes: keep}}
	db, err := Open(t.Context(), Config{Dir: t.TempDir(), Retention: rule, Sync: SyncInterval})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r := rand.New(rand.NewPCG(8, 9))
	for i := range 60 {
		for _, service := range []string{"loud", "quiet"} {
			events := some16(r, i*16)
			for j := range events {
				events[j].Stream = event.NewStream(event.Labels{event.ServiceField: service})
			}
			if err := db.Append(t.Context(), events); err != nil {
				t.Fatal(err)
			}
		}
		if i%10 == 9 {
			if err := db.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := db.Retain(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	res, err := db.Query(t.Context(), event.Query{Tables: []event.Table{{By: []event.Key{{Field: event.ServiceField}}, Calculate: []event.Calculation{{Op: "count"}, {Op: "max", Field: "n"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range res.Tables[0].Groups {
		count := g.Cells[0].Value.Int64()
		newest, _ := g.Cells[1].Value.Number()
		service := g.Keys[0].Text()
		if newest != 959 || service == "quiet" && count != 960 || service == "loud" && (count == 0 || count > 900) {
			t.Errorf("%s has %d events, the newest is number %.0f", service, count, newest)
		}
	}
}
