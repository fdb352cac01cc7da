package eventdb

import (
	"fmt"
	"slices"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// ownNames is a store of events that each have a field of their own, beside common
// ones, of two streams one after the other.
func ownNames(t *testing.T, n int) *DB {
	t.Helper()
	db, err := Open(t.Context(), Config{Dir: t.TempDir(), Sync: SyncInterval})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var batch []event.Event
	for i := range n {
		stream := event.Labels{event.KindField: "log", event.DatasetField: "first"}
		if i >= n/2 {
			stream[event.DatasetField] = "second"
		}
		batch = append(batch, event.Event{Time: int64(i), Stream: event.NewStream(stream), Fields: []event.Field{
			{Name: "n", Value: event.Int(int64(i))}, {Name: "text", Value: event.String(fmt.Sprint("text number ", i*7919))},
			{Name: fmt.Sprintf("int.%d", i), Value: event.Int(int64(i))}, {Name: fmt.Sprintf("text.%d", i), Value: event.String(fmt.Sprint(i))},
		}})
	}
	if err := db.Append(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	return db
}

// What fields whole pages have is answered from the index of parts, however many
// there are; and no more are listed than asked, the most frequent.
func TestFieldsOfWholePagesAreInTheIndex(t *testing.T) {
	const n = 4000
	db := ownNames(t, n)
	for _, state := range []string{"memory", "a part"} {
		for _, filter := range []event.Filter{{}, event.Equals(event.DatasetField, event.String("first")), event.AtLeast(event.TimeField, event.Time(0))} {
			r, err := db.Query(t.Context(), event.Query{Filter: filter, Fields: &event.Fields{Limit: 100}})
			if err != nil {
				t.Fatal(err)
			}
			if want := 4 + 2*int(r.Matched) - 100; len(r.Fields) != 100 || r.MoreFields != want || r.Matched < n/2 {
				t.Errorf("%s: of %d events %d fields and %d more, want %d", state, r.Matched, len(r.Fields), r.MoreFields, want)
			}
			for _, name := range []string{event.KindField, event.DatasetField, "n", "text"} {
				if !slices.ContainsFunc(r.Fields, func(f event.FieldInfo) bool { return f.Name == name && f.Count == r.Matched }) {
					t.Errorf("%s: %s is not listed with %d", state, name, r.Matched)
				}
			}
			if !slices.IsSortedFunc(r.Fields, func(a, b event.FieldInfo) int { return slices.Compare([]byte(a.Name), []byte(b.Name)) }) {
				t.Errorf("%s: fields are not in order", state)
			}
			if state != "memory" && r.Cost.Bytes != 0 && filter.Op != event.OpEquals {
				t.Errorf("%d bytes of columns were read", r.Cost.Bytes)
			}
		}
		if err := db.Flush(); err != nil {
			t.Fatal(err)
		}
	}
}

// Of a page of which some rows match the columns are read one at a time, and kept
// neither as columns nor as lent memory.
func TestFieldsOfSomeRowsKeepNoColumns(t *testing.T) {
	db := ownNames(t, 4000)
	if err := db.Flush(); err != nil {
		t.Fatal(err)
	}
	v, err := db.moment()
	if err != nil {
		t.Fatal(err)
	}
	defer v.release()
	q := event.Query{Filter: event.In("n", event.Int(5), event.Int(100), event.Int(3999)), Fields: &event.Fields{}}
	x := newExecution(&q, db.limits(q.Limits), v.blocks())
	w, err := x.newWorker()
	if err != nil {
		t.Fatal(err)
	}
	w.buffers = &buffers{}
	columns, most := 0, 0
	for _, b := range x.blocks {
		columns = max(columns, b.columns())
		w.buffers.reset()
		l := &looking{block: b, cost: &w.cost, buf: w.buffers}
		selected, err := w.choose(l, some)
		if err != nil {
			t.Fatal(err)
		}
		s := &chosen{rows: selected.rows(nil), n: selected.count()}
		found, err := w.fieldsOf(l, s, selected)
		if err != nil {
			t.Fatal(err)
		}
		for i := range found {
			w.addField(&found[i])
		}
		if len(l.columns) > 1 {
			t.Fatalf("%d columns are kept, want the filter's", len(l.columns))
		}
		most = max(most, w.buffers.bytes.size+8*w.buffers.ints.size+8*w.buffers.floats.size+2*w.buffers.codes.size)
	}
	// A page's columns take some MB together.
	if columns < 500 || most > 256<<10 {
		t.Errorf("a page of %d columns: %d bytes are lent", columns, most)
	}
	infos, more := w.fieldInfos()
	if len(infos) != 4+2*3 || more != 0 {
		t.Errorf("%d fields and %d more: %+v", len(infos), more, infos)
	}
	for _, f := range infos {
		if want := int64(3); f.Count != want && (len(f.Name) < 5 || f.Count != 1) {
			t.Errorf("%+v", f)
		}
	}
}

// A page is damaged in a column that is read late: nothing of the page is counted.
func TestFieldsOfADamagedPageAreNotCounted(t *testing.T) {
	db := ownNames(t, 400)
	if err := db.Flush(); err != nil {
		t.Fatal(err)
	}
	m := &db.currentParts()[0].pages[0]
	at := slices.IndexFunc(m.columns, func(m meta) bool { return m.name == "text.7" })
	if at < 0 {
		t.Fatal("the first page has no field text.7")
	}
	m.columns[at].sum++
	r, err := db.Query(t.Context(), event.Query{Filter: event.Equals("n", event.Int(5)), Fields: &event.Fields{}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Matched != 0 || len(r.Fields) != 0 || len(r.Warnings) == 0 {
		t.Errorf("%d events match, %d fields, warnings %q", r.Matched, len(r.Fields), r.Warnings)
	}
}
