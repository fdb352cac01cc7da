package eventdb

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// A head of many small batches of many names counts the memory that it takes.
func TestHeadCountsWhatItTakes(t *testing.T) {
	db := &DB{head: newHead()}
	fields := make([]event.Field, 100)
	for i := range fields {
		fields[i] = event.Field{Name: fmt.Sprintf("field.%d", i), Value: event.Int(int64(i))}
	}
	before := heapInUse()
	encoder := &batchEncoder{}
	for range 5000 {
		db.addToHead(encoder.encode([]event.Event{{Time: 1, Fields: fields}}))
	}
	took := heapInUse() - before
	if counted := db.head.bytes; counted < took*9/10 || counted > took*2 {
		t.Errorf("counts %d bytes, takes %d", counted, took)
	}
	runtime.KeepAlive(db)
}

// heapInUse is what the heap holds after a collection.
func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Events that each have fields of their own, which would need a column each for the
// whole page, make pages of few events, and heads too.
func TestNamesOfTheirOwnAreBounded(t *testing.T) {
	const events, names = 2000, 20
	db, err := Open(t.Context(), Config{Dir: t.TempDir(), Sync: SyncInterval})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i := range events {
		e := event.Event{Time: int64(i), Fields: []event.Field{{Name: "n", Value: event.Int(int64(i))}}}
		for j := range names {
			e.Fields = append(e.Fields, event.Field{Name: fmt.Sprintf("own.%d.%d", i, j), Value: event.Int(int64(j))})
		}
		if err := db.Append(t.Context(), []event.Event{e}); err != nil {
			t.Fatal(err)
		}
	}
	if len(db.sealed) != 1 {
		t.Errorf("%d heads are full, want 1", len(db.sealed))
	}
	check := func(state string) {
		t.Helper()
		if count, sum, warnings := numbersOf(t, db); count != events || sum != events*(events-1)/2 || len(warnings) > 0 {
			t.Errorf("%s: %d of %d events, sum %d, %v", state, count, events, sum, warnings)
		}
		res, err := db.Query(t.Context(), event.Query{Filter: event.Exists("own.1333.7"), Rows: &event.Rows{Limit: 2}})
		if err != nil || len(res.Rows) != 1 || len(res.Rows[0].Fields) != names+1 {
			t.Errorf("%s: an event by its own field: %v, %v", state, res, err)
		}
		v, err := db.moment()
		if err != nil {
			t.Fatal(err)
		}
		defer v.release()
		for _, b := range v.blocks() {
			if cells := b.n * b.columns(); cells > 2*pageCells {
				t.Errorf("%s: a page of %d events has %d columns", state, b.n, b.columns())
			}
		}
	}
	check("in memory")
	if err := db.Flush(); err != nil {
		t.Fatal(err)
	}
	check("in parts")
	if err := MergeAll(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	check("merged")
}

// Whoever asks while events come sees all that came before, whatever others saw.
func TestHeadIsAskedWhileItGrows(t *testing.T) {
	db, err := Open(t.Context(), Config{Dir: t.TempDir(), Sync: SyncInterval})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r := rand.New(rand.NewPCG(5, 6))
	type earlier struct {
		*moment
		events int
	}
	var views []earlier
	n := 0
	for range 150 {
		batch := make([]event.Event, 1+r.IntN(3)*r.IntN(60))
		for i := range batch {
			batch[i] = event.Event{Time: int64(n), Fields: []event.Field{{Name: "n", Value: event.Int(int64(n))}}}
			n++
		}
		if err := db.Append(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		v, err := db.moment()
		if err != nil {
			t.Fatal(err)
		}
		defer v.release()
		views = append(views, earlier{v, n})
		if r.IntN(3) == 0 {
			continue
		}
		if count, sum, _ := numbersOf(t, db); count != int64(n) || sum != int64(n)*int64(n-1)/2 {
			t.Fatalf("%d of %d events, sum %d", count, n, sum)
		}
		old := views[r.IntN(len(views))]
		next := int64(0)
		for _, b := range old.blocks() {
			for _, at := range b.mem.times {
				if at != next {
					t.Fatalf("event %d stands where %d should, of %d", at, next, old.events)
				}
				next++
			}
		}
		if next != int64(old.events) {
			t.Fatalf("an earlier moment has %d of %d events", next, old.events)
		}
	}
}
