package eventdb_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/eventdb"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func open(t *testing.T, dir string) *eventdb.DB {
	t.Helper()
	db, err := eventdb.Open(t.Context(), eventdb.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func numbered(from, to int) []event.Event {
	stream := event.NewStream(event.Labels{event.DatasetField: "test", event.KindField: event.KindLog})
	var events []event.Event
	for i := from; i < to; i++ {
		events = append(events, event.Event{Time: int64(i) * 1e6, Stream: stream, Fields: []event.Field{
			{Name: "n", Value: event.Int(int64(i))}, {Name: event.MessageField, Value: event.String(fmt.Sprintf("event %d", i))},
		}})
	}
	return events
}

func count(t *testing.T, db *eventdb.DB, f event.Filter) int64 {
	t.Helper()
	r, err := db.Query(t.Context(), event.Query{Filter: f, Tables: []event.Table{{}}})
	if err != nil {
		t.Fatal(err)
	}
	return r.Tables[0].Groups[0].Cells[0].Value.Int64()
}

func TestAppendedSurvivesReopening(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	for i := range 10 {
		if err := db.Append(t.Context(), numbered(i*100, i*100+100)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := eventdb.Open(t.Context(), eventdb.Config{Dir: dir}); problem.CodeOf(err) != problem.Conflict {
		t.Errorf("a second one opened: %v", err)
	}
	for range 2 {
		if n := count(t, db, event.AtLeast("n", event.Int(500))); n != 500 {
			t.Fatalf("%d events, want 500", n)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db = open(t, dir)
	}
	r, err := db.Query(t.Context(), event.Query{Filter: event.Phrase("message", "EVENT 7"), Rows: &event.Rows{Limit: 5}})
	if err != nil || len(r.Rows) != 1 || r.Rows[0].Get("n") != event.Int(7) {
		t.Fatalf("%+v, %v", r, err)
	}
}

func TestTail(t *testing.T) {
	db := open(t, t.TempDir())
	tail, err := db.Tail(t.Context(), event.Equals("n", event.Int(3)))
	if err != nil {
		t.Fatal(err)
	}
	defer tail.Close()
	if err := db.Append(t.Context(), numbered(0, 10)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	events, dropped, err := tail.Next(ctx)
	if err != nil || dropped != 0 || len(events) != 1 || events[0].ID != 4 {
		t.Fatalf("%v, %d, %v", events, dropped, err)
	}
}
