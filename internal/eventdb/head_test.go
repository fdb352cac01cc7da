package eventdb

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
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
			limit := 2 * pageCells
			if b.mem != nil {
				limit = headPageCells + headPageCells/8 // the columns of the last event are more
				if cap(b.mem.times) > 2*b.n || cap(b.mem.ids) > 2*b.n {
					t.Errorf("%s: a page of %d events keeps room for %d", state, b.n, cap(b.mem.times))
				}
			}
			if cells := b.n * b.columns(); cells > limit {
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

// Many streams of few fields make no small heads, which become small parts.
func TestManyStreamsFillAHead(t *testing.T) {
	const perBatch = 1000
	db := &DB{head: newHead()}
	encoder := &batchEncoder{}
	events := make([]event.Event, perBatch)
	for n := range 60 { // 60,000 events of as many streams
		for i := range events {
			stream := event.NewStream(event.Labels{event.ServiceField: "s", "pod": fmt.Sprint("pod-", n*perBatch+i)})
			events[i] = event.Event{Stream: stream, Fields: []event.Field{{Name: "n", Value: event.Int(1)}, {Name: fmt.Sprint("m", i%3), Value: event.Int(2)}}}
		}
		b := encoder.encode(events)
		again, err := readBatch(1, b.data)
		if err != nil || !slices.Equal(again.named.rows(nil), b.named.rows(nil)) {
			t.Fatalf("read again: names of fields are %v, were %v, %v", again.named, b.named, err)
		}
		db.addToHead(b)
	}
	if h := db.head; !h.fits() || len(h.names) != 4 || len(h.streams) != 60*perBatch {
		t.Errorf("%d events of %d names and %d streams, %d bytes: full %v", h.rows, len(h.names), len(h.streams), h.bytes, !h.fits())
	}
}

// Batches that wait are written together only as far as a head has columns for them.
func TestAGroupHasFewNames(t *testing.T) {
	var cs committer
	const each = 1000 // events, each of a field of its own
	for n := range 20 {
		events := make([]event.Event, each)
		for i := range events {
			events[i].Fields = []event.Field{{Name: fmt.Sprint("own.", n*each+i), Value: event.Int(1)}}
		}
		c := &commit{events: events}
		c.batch = cs.encode(events)
		if _, err := cs.join(c); err != nil {
			t.Fatal(err)
		}
	}
	taken := 0
	for len(cs.queue) > 0 {
		n := len(cs.take())
		if n*each*n*each > headCells/8 {
			t.Errorf("%d batches at once: %d events of as many names", n, n*each)
		}
		taken += n
	}
	if taken != 20 || cs.waiting != 0 {
		t.Errorf("%d batches of 20, %d bytes wait", taken, cs.waiting)
	}
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
