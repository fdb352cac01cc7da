package eventdb

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// What version 1 of the format wrote (testdata/v1: 640 events of some16, the last
// 160 in the log) is read, added to, and merged with what is written now.
func TestReadsTheFirstFormat(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "v1"))); err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r := rand.New(rand.NewPCG(1, 1))
	var want []event.Event
	for i := range 41 {
		want = append(want, some16(r, i*16)...)
	}
	check := func(state string, events []event.Event) {
		t.Helper()
		res, err := db.Query(t.Context(), event.Query{Rows: &event.Rows{Limit: 1000, Order: []event.Order{{By: "n"}}}, Tables: []event.Table{{}}})
		if err != nil || len(res.Warnings) > 0 || len(res.Rows) != len(events) {
			t.Fatalf("%s: %d events, %v, %v", state, len(res.Rows), res.Warnings, err)
		}
		for i, e := range events {
			for name, v := range e.All {
				if !res.Rows[i].Get(name).Equal(v) {
					t.Fatalf("%s: event %d has %s %v, want %v", state, i, name, res.Rows[i].Get(name), v)
				}
			}
		}
		if damage := db.Verify(); len(damage) > 0 {
			t.Fatalf("%s: %v", state, damage)
		}
	}
	check("opened", want[:640])
	if err := db.Append(t.Context(), want[640:]); err != nil {
		t.Fatal(err)
	}
	if err := db.Flush(); err != nil {
		t.Fatal(err)
	}
	check("added to", want)
	if err := MergeAll(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	check("merged", want)
}

// Merging copies pages that are large already, byte by byte, and puts small ones
// together; a page with a flipped bit is not copied.
func TestMergingCopiesLargePages(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(t.Context(), Config{Dir: dir, Sync: SyncInterval})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { db.Close() }()
	r := rand.New(rand.NewPCG(3, 4))
	stream := event.NewStream(event.Labels{event.ServiceField: "one"})
	n := 0
	for _, size := range []int{pageRows + 512, 512, pageRows} {
		for range size / 16 {
			events := some16(r, n)
			for i := range events {
				events[i].Stream = stream
			}
			if err := db.Append(t.Context(), events); err != nil {
				t.Fatal(err)
			}
			n += len(events)
		}
		if err := db.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	_, whole, err := db.parts[0].stored(0)
	if err != nil {
		t.Fatal(err)
	}
	last := db.parts[2]
	at := int64(last.pages[0].columns[0].offset)
	flip := func() {
		b, err := os.ReadFile(last.path)
		if err != nil {
			t.Fatal(err)
		}
		b[at] ^= 4
		if err := os.WriteFile(last.path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flip()
	if err := MergeAll(t.Context(), db); err == nil || len(db.parts) != 3 || last.bad.Load() == 0 {
		t.Fatalf("a page with a flipped bit was copied: %v, %d parts", err, len(db.parts))
	}
	flip()
	if err := MergeAll(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if damage := db.Verify(); len(db.parts) != 1 || len(db.parts[0].pages) != 3 || len(damage) > 0 {
		t.Fatalf("%d parts, %d pages, damage %v", len(db.parts), len(db.parts[0].pages), damage)
	}
	if count, sum, warnings := numbersOf(t, db); count != int64(n) || sum != int64(n)*int64(n-1)/2 || len(warnings) > 0 {
		t.Fatalf("%d of %d events, sum %d, %v", count, n, sum, warnings)
	}
	if _, copied, err := db.parts[0].stored(0); err != nil || string(copied) != string(whole) {
		t.Errorf("the first page is not the one it was, %v", err)
	}
}
