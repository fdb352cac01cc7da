package eventdb

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// faulty is a file system that fills up and fails as told.
type faulty struct {
	osFiles
	mu     sync.Mutex
	room   int64 // bytes that can be written; below 0: any
	syncs  error // of every sync
	reads  error // of every read
	writes int
}

type faultyFile struct {
	file
	of *faulty
}

func (f *faulty) Create(path string) (file, error) {
	if err := f.take(0); err != nil {
		return nil, err
	}
	made, err := f.osFiles.Create(path)
	return &faultyFile{made, f}, err
}

func (f *faulty) Open(path string) (file, error) {
	opened, err := f.osFiles.Open(path)
	return &faultyFile{opened, f}, err
}

func (f *faulty) take(n int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	if f.room < 0 {
		return nil
	}
	if f.room < max(n, 1) {
		return syscall.ENOSPC
	}
	f.room -= n
	return nil
}

func (f *faulty) set(room int64, syncs, reads error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.room, f.syncs, f.reads = room, syncs, reads
}

// Write writes what there is room for, as a full disk does.
func (f *faultyFile) Write(b []byte) (int, error) {
	if err := f.of.take(int64(len(b))); err != nil {
		f.of.mu.Lock()
		part := min(int64(len(b)), max(f.of.room, 0))
		f.of.room -= part
		f.of.mu.Unlock()
		n, _ := f.file.Write(b[:part])
		return n, err
	}
	return f.file.Write(b)
}

func (f *faultyFile) Sync() error {
	f.of.mu.Lock()
	err := f.of.syncs
	f.of.mu.Unlock()
	return errors.Join(err, f.file.Sync())
}

func (f *faultyFile) ReadAt(b []byte, at int64) (int, error) {
	f.of.mu.Lock()
	err := f.of.reads
	f.of.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return f.file.ReadAt(b, at)
}

func some16(r *rand.Rand, first int) []event.Event {
	stream := event.NewStream(event.Labels{event.ServiceField: fmt.Sprint("s", r.IntN(3))})
	var events []event.Event
	for i := range 16 {
		events = append(events, event.Event{Time: int64(first+i) * 1e9, Stream: stream, Fields: []event.Field{
			{Name: "n", Value: event.Int(int64(first + i))},
			{Name: "f", Value: event.Float(r.Float64())},
			{Name: "user", Value: event.String(fmt.Sprint("user-", r.IntN(1000)))},
			{Name: "trace", Value: event.String(fmt.Sprintf("%016x", r.Uint64()))},
			{Name: "text", Value: event.String(fmt.Sprint("some words of line ", r.Int()))},
			{Name: "level", Value: event.String([]string{"info", "warn"}[r.IntN(2)])},
		}})
	}
	return events
}

func numbersOf(t *testing.T, db *DB) (count, sum int64, warnings []string) {
	t.Helper()
	r, err := db.Query(t.Context(), event.Query{Tables: []event.Table{{Calculate: []event.Calculation{{Op: "count"}, {Op: "sum", Field: "n"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	s, _ := r.Tables[0].Groups[0].Cells[1].Value.Number()
	return r.Tables[0].Groups[0].Cells[0].Value.Int64(), int64(s), r.Warnings
}

// A disk that fills up at any byte refuses writes and loses none that it took;
// reading goes on, and writing does once there is room.
func TestFullDisk(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	fsys := &faulty{room: -1}
	dir := t.TempDir()
	db, err := Open(t.Context(), Config{Dir: dir, files: fsys})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { db.Close() }()
	n, refused := 0, 0
	for round := range 60 {
		fsys.set(r.Int64N(20_000), nil, nil)
		for range 12 {
			err := db.Append(t.Context(), some16(r, n))
			if err == nil {
				n += 16
				continue
			}
			refused++
			if problem.CodeOf(err) != problem.Unavailable || !strings.Contains(err.Error(), "disk is full") {
				t.Fatalf("refused with %v", err)
			}
		}
		if round%3 == 0 {
			_ = db.Flush() // may fail
		}
		if count, sum, warnings := numbersOf(t, db); count != int64(n) || sum != int64(n)*int64(n-1)/2 || len(warnings) > 0 {
			t.Fatalf("round %d: %d events of %d, sum %d, %v", round, count, n, sum, warnings)
		}
		fsys.set(-1, nil, nil)
		if err := db.Append(t.Context(), some16(r, n)); err != nil {
			t.Fatalf("round %d: with room again: %v", round, err)
		}
		n += 16
		if round%10 == 9 {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if db, err = Open(t.Context(), Config{Dir: dir, files: fsys}); err != nil {
				t.Fatal(err)
			}
			if count, sum, _ := numbersOf(t, db); count != int64(n) || sum != int64(n)*int64(n-1)/2 {
				t.Fatalf("round %d: %d events of %d after opening again", round, count, n)
			}
		}
	}
	if refused < 50 {
		t.Errorf("only %d writes were refused", refused)
	}
}

// A write whose sync failed is refused, and not found later.
// A store that its full disk refused a part opens again with all that it took.
func TestFullDiskOpensAgain(t *testing.T) {
	dir, disk := t.TempDir(), &faulty{room: -1}
	var logged strings.Builder
	reopen := func() *DB {
		t.Helper()
		db, err := Open(t.Context(), Config{Dir: dir, Sync: SyncInterval, files: disk, Logger: slog.New(slog.NewTextHandler(&logged, nil))})
		if err != nil {
			t.Fatalf("open: %v", err)
		}
		return db
	}
	db := reopen()
	pad, n := strings.Repeat("wide row ", 100<<10), int64(0)
	more := func() error {
		return db.Append(t.Context(), []event.Event{{Time: n, Fields: []event.Field{{Name: "n", Value: event.Int(n)}, {Name: "pad", Value: event.String(pad)}}}})
	}
	for ; len(db.sealed) == 0; n++ {
		if err := more(); err != nil {
			t.Fatal(err)
		}
	}
	check := func(state string) {
		t.Helper()
		if count, sum, warnings := numbersOf(t, db); count != n || sum != n*(n-1)/2 || len(warnings) > 0 {
			t.Errorf("%s: %d of %d events, sum %d, %v", state, count, n, sum, warnings)
		}
	}
	for _, room := range []int64{0, 1 << 10} { // not even a file can be made, or no part written
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		logged.Reset()
		disk.set(room, nil, nil)
		db = reopen()
		check("on a full disk")
		if !strings.Contains(logged.String(), "write a part of events") {
			t.Errorf("logged %q", &logged)
		}
		if err := more(); problem.CodeOf(err) != problem.Unavailable {
			t.Errorf("an event for which there is no room: %v", err)
		}
		check("after what was refused")
	}
	disk.set(-1, nil, nil)
	if err := more(); err != nil {
		t.Errorf("with room again: %v", err)
	}
	n++
	if err := db.Flush(); err != nil {
		t.Error(err)
	}
	check("with room again")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = reopen()
	defer db.Close()
	check("opened with room")
}

func TestFailedSync(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	fsys := &faulty{room: -1}
	dir := t.TempDir()
	db, err := Open(t.Context(), Config{Dir: dir, files: fsys})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		fsys.set(-1, nil, nil)
		if i%2 == 1 {
			fsys.set(-1, syscall.EIO, nil)
		}
		if err := db.Append(t.Context(), some16(r, i/2*16)); (err != nil) != (i%2 == 1) {
			t.Fatal(err)
		}
	}
	fsys.set(-1, nil, nil)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = Open(t.Context(), Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if count, sum, _ := numbersOf(t, db); count != 80 || sum != 80*79/2 {
		t.Fatalf("%d events, sum %d", count, sum)
	}
}

// Whatever bit of a part flips, it is noticed, nothing panics, no answer is
// wrong, and the blocks that are whole still answer.
func TestFlippedBits(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	dir := t.TempDir()
	db, err := Open(t.Context(), Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for ; total < 3000; total += 16 {
		if err := db.Append(t.Context(), some16(r, total)); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Flush(); err != nil {
		t.Fatal(err)
	}
	part := db.parts[0]
	pages := map[int64]int64{} // sum of n by page, from what is whole
	for i := range part.pages {
		var cost event.Cost
		c, err := (&looking{block: part.block(i), cost: &cost}).column("n")
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range c.ints {
			pages[int64(i)] += n
		}
	}
	if len(pages) < 2 {
		t.Fatalf("%d pages", len(pages))
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(part.path)
	if err != nil {
		t.Fatal(err)
	}
	step := len(whole) / 300
	noticed := 0
	for at := 0; at < len(whole); at += 1 + r.IntN(2*step) {
		flipped := append([]byte(nil), whole...)
		flipped[at] ^= 1 << r.IntN(8)
		if err := os.WriteFile(part.path, flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		p := openPart(osFiles{}, filepath.Dir(part.path), part.partInfo)
		if damage := p.verify(); len(damage) == 0 {
			t.Fatalf("byte %d of %d: nothing noticed", at, len(whole))
		} else if len(damage) > 1 {
			t.Fatalf("byte %d: one flipped bit is %v", at, damage)
		}
		noticed++
		p.release()
		askDamaged(t, dir, at, int64(total), pages)
	}
	t.Logf("%d flipped bits of %d bytes noticed", noticed, len(whole))
}

// askDamaged asks queries of which each looks at other sections; the answer is
// whole, or lacks whole pages and says so.
func askDamaged(t *testing.T, dir string, at int, total int64, pages map[int64]int64) {
	t.Helper()
	db, err := Open(t.Context(), Config{Dir: dir})
	if err != nil {
		t.Fatalf("byte %d: %v", at, err)
	}
	defer db.Close()
	all := int64(0)
	for _, sum := range pages {
		all += sum
	}
	for _, f := range []event.Filter{{}, event.Phrase("text", "words"), event.Prefix("user", "user-"), event.Exists("trace"), event.AtLeast("f", event.Float(0)), event.In("level", event.String("info"), event.String("warn"))} {
		r, err := db.Query(t.Context(), event.Query{Filter: f, Tables: []event.Table{{Calculate: []event.Calculation{{Op: "count"}, {Op: "sum", Field: "n"}}}}, Rows: &event.Rows{Limit: 5}})
		if err != nil {
			t.Fatalf("byte %d: %v", at, err)
		}
		count := r.Tables[0].Groups[0].Cells[0].Value.Int64()
		sum, _ := r.Tables[0].Groups[0].Cells[1].Value.Number()
		if count == total && int64(sum) == all {
			continue
		}
		fits := false
		for _, lost := range pages {
			fits = fits || int64(sum) == all-lost
		}
		if len(r.Warnings) == 0 || !fits {
			t.Fatalf("byte %d: %d events, sum %.0f of %d, warnings %v", at, count, sum, all, r.Warnings)
		}
	}
}

// Damage in the middle of the log costs only the batch it is in, and is told; the
// list of parts survives damage of one copy.
func TestDamagedLogAndManifest(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for round := range 40 {
		dir := t.TempDir()
		db, err := Open(t.Context(), Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			if i == 5 {
				if err := db.Flush(); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Append(t.Context(), some16(r, i*16)); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		flip := func(path string) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		flip(filepath.Join(dir, manifestNames[round%2]))
		segments, _ := listSegments(osFiles{}, filepath.Join(dir, "wal"))
		flip(filepath.Join(dir, "wal", segmentName(segments[len(segments)-1])))
		if db, err = Open(t.Context(), Config{Dir: dir}); err != nil {
			t.Fatal(err)
		}
		if count, _, _ := numbersOf(t, db); count != 19*16 {
			t.Fatalf("round %d: %d events, want all but one batch", round, count)
		}
		db.Close()
	}
}

// A query stops at its limits and names them; others go on.
func TestLimits(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	db, err := Open(t.Context(), Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i := range 100 {
		if err := db.Append(t.Context(), some16(r, i*16)); err != nil {
			t.Fatal(err)
		}
	}
	byUser := []event.Table{{By: []event.Key{{Field: "text"}, {Field: "trace"}}}}
	for want, l := range map[string]event.Limits{
		"too many events": {Rows: 100}, "too much memory": {Memory: 5000}, "took too long": {Time: time.Nanosecond},
	} {
		_, err := db.Query(t.Context(), event.Query{Tables: byUser, Limits: l})
		if problem.CodeOf(err) != problem.Invalid || !strings.Contains(err.Error(), want) || problem.From(err).Mend == "" {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := db.Query(t.Context(), event.Query{Tables: byUser}); err != nil {
		t.Error(err)
	}
}

// What is deleted, or has expired, is gone from the answers and from the disk;
// a snapshot taken before has it still.
func TestDeleteRetainSnapshot(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	dir, copied := t.TempDir(), filepath.Join(t.TempDir(), "copy")
	rule := []Retention{{Streams: event.Equals(event.ServiceField, event.String("old")), Age: time.Hour}}
	db, err := Open(t.Context(), Config{Dir: dir, Retention: rule})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now := time.Unix(100_000, 0)
	for i := range 50 {
		events := some16(r, i*16)
		for j := range events {
			events[j].Time = now.Add(-time.Duration(i*16+j) * time.Minute).UnixNano()
			if i%2 == 0 {
				events[j].Stream = event.NewStream(event.Labels{event.ServiceField: "old"})
			}
			if i == 7 {
				events[j].Set("mail", event.String("person@example.com"))
			}
		}
		if err := db.Append(t.Context(), events); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Snapshot(copied); err != nil {
		t.Fatal(err)
	}
	if n, err := db.Delete(t.Context(), event.Range{}, event.Exists("mail")); n != 16 || err != nil {
		t.Fatalf("deleted %d, %v", n, err)
	}
	if count, _, _ := numbersOf(t, db); count != 49*16 {
		t.Fatalf("%d events after deleting", count)
	}
	if err := db.Retain(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	q, err := db.Query(t.Context(), event.Query{Filter: event.Equals(event.ServiceField, event.String("old")), Tables: []event.Table{{}, {Calculate: []event.Calculation{{Op: "min", Field: event.TimeField}}}}})
	if err != nil {
		t.Fatal(err)
	}
	if oldest, _ := q.Tables[1].Groups[0].Cells[0].Value.Number(); oldest < float64(now.Add(-time.Hour).UnixNano()) {
		t.Errorf("an expired event is left: %v", time.Unix(0, int64(oldest)))
	}
	for _, name := range []string{"parts", "wal"} {
		files, _ := os.ReadDir(filepath.Join(dir, name))
		for _, f := range files {
			if b, _ := os.ReadFile(filepath.Join(dir, name, f.Name())); strings.Contains(string(b), "person@example.com") {
				t.Errorf("%s still has what was deleted", f.Name())
			}
		}
	}
	again, err := Open(t.Context(), Config{Dir: copied})
	if err != nil {
		t.Fatal(err)
	}
	if count, _, _ := numbersOf(t, again); count != 800 {
		t.Errorf("the snapshot has %d events", count)
	}
	if err := again.Append(t.Context(), some16(r, 0)); err != nil {
		t.Error(err)
	}
	again.Close()
	if again, err = Open(t.Context(), Config{Dir: copied}); err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if count, _, _ := numbersOf(t, again); count != 816 {
		t.Errorf("the snapshot, written to and opened again, has %d events", count)
	}
}

// rowsOf are all events of a batch.
func rowsOf(b *batch) []rowRef {
	rows, _ := stretch([]*batch{b}, headPlace{}, len(b.events))
	return rows
}

func FuzzBatch(f *testing.F) {
	f.Add((&batchEncoder{}).encode(some16(rand.New(rand.NewPCG(1, 1)), 0)).data)
	f.Add("\x01\x00\x00\x00\x01\x00\x01a\x08\x02\x01b")
	f.Fuzz(func(t *testing.T, data string) {
		b, err := readBatch(1, data)
		if err != nil || len(b.events) == 0 {
			return
		}
		rows := rowsOf(b)[:min(len(b.events), pageRows)]
		page := newPager().make(rows)
		rows = rows[:len(page.times)]
		l := &looking{block: memBlock(page), cost: &event.Cost{}}
		events := make([]event.Event, len(rows))
		for i := range events {
			if events[i], err = l.event(i, page.times[i], uint64(page.ids[i]), nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		again, err := readBatch(1, (&batchEncoder{}).encode(events).data)
		if err != nil || len(again.events) != len(events) {
			t.Fatalf("%d events, written and read again %v, %v", len(events), again, err)
		}
		page = newPager().make(rowsOf(again))
		l = &looking{block: memBlock(page), cost: &event.Cost{}}
		for i := range events {
			e, err := l.event(i, page.times[i], uint64(page.ids[i]), nil, nil)
			if err != nil || e.Time != events[i].Time || e.Stream != events[i].Stream || !slices.Equal(e.Fields, events[i].Fields) {
				t.Fatalf("event %d was %v and is %v, %v", i, events[i], e, err)
			}
		}
	})
}

func FuzzSection(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	events := some16(r, 0)
	events = append(events, event.Event{Fields: []event.Field{{Name: "list", Value: event.List("a", "b")}, {Name: "d", Value: event.Duration(3)}}})
	for _, c := range newPager().make(rowsOf((&batchEncoder{}).encode(events))).columns {
		f.Add(appendBody(nil, c), uint8(c.typ), uint8(c.shape), uint8(c.presentCount()))
	}
	f.Fuzz(func(t *testing.T, b []byte, typ, shp, count uint8) {
		m := meta{name: "x", typ: event.Type(typ), shape: shape(shp), count: int(count)}
		if !m.possible() {
			return
		}
		const n = 17
		c, err := readColumn(b, &m, n, nil)
		s, _ := newSection(b, &m, n)
		for row := range n {
			v, one := s.value(row)
			if err == nil && one == nil && v != c.value(row) {
				t.Fatalf("row %d is %v, alone %v", row, c.value(row), v)
			}
		}
	})
}

func FuzzIndex(f *testing.F) {
	dir := f.TempDir()
	db, err := Open(f.Context(), Config{Dir: dir})
	if err != nil {
		f.Fatal(err)
	}
	if err := errors.Join(db.Append(f.Context(), some16(rand.New(rand.NewPCG(1, 1)), 0)), db.Flush()); err != nil {
		f.Fatal(err)
	}
	f.Add(appendIndex(nil, db.parts[0].pages))
	size := uint64(db.parts[0].Size)
	db.Close()
	f.Fuzz(func(t *testing.T, b []byte) {
		pages, err := readIndex(b, size)
		if err != nil {
			return
		}
		if again, err := readIndex(appendIndex(nil, pages), size); err != nil || len(again) != len(pages) {
			t.Fatalf("%d pages, written and read again %d, %v", len(pages), len(again), err)
		}
	})
}

func FuzzSegment(f *testing.F) {
	batch := (&batchEncoder{}).encode(some16(rand.New(rand.NewPCG(1, 1)), 0)).data
	f.Add(appendFrame(appendFrame(nil, 1, batch), 17, batch))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "x.wal")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		read := int64(0)
		damaged, torn, err := readSegment(osFiles{}, path, func(f frame) error {
			read += frameHeader + int64(len(f.batch))
			return nil
		})
		if err != nil || damaged+torn+read != int64(len(b)) {
			t.Fatalf("%d bytes: %d read, %d damaged, %d torn, %v", len(b), read, damaged, torn, err)
		}
	})
}
