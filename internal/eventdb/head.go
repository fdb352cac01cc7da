package eventdb

import (
	"cmp"
	"slices"
	"sync"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// A head is sealed, to become a part, when it is this large.
const (
	headRows  = 64 << 10
	headBytes = 48 << 20 // of batches
	maxSealed = 2        // heads that may wait; then writers help
)

// head is the newest events, in memory; they are in the log too.
type head struct {
	events []event.Event // only ever longer
	bytes  int64
	floor  uint64 // segment of the log that the next head begins with; set when sealed

	mu    sync.Mutex
	pages []*page // of full stretches of pageRows events, as they are asked for
	last  *page   // of the rest
}

func newHead() *head { return &head{} }

// blocks are events, h's own as they were at some moment, as columns.
func (h *head) blocks(events []event.Event) []*block {
	n := len(events)
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []*block
	pager := newPager()
	for start := 0; start < n; start += pageRows {
		end := min(start+pageRows, n)
		i := start / pageRows
		var p *page
		switch {
		case i < len(h.pages):
			p = h.pages[i]
		case end == start+pageRows:
			p = pager.make(pointers(events[start:end]))
			h.pages = append(h.pages, p)
			h.last = nil
		case h.last != nil && len(h.last.times) == end-start:
			p = h.last
		default:
			p = pager.make(pointers(events[start:end]))
			h.last = p
		}
		if len(p.times) > end-start { // a later query has seen more
			p = pager.make(pointers(events[start:end]))
		}
		out = append(out, memBlock(p))
	}
	return out
}

func pointers(events []event.Event) []*event.Event {
	out := make([]*event.Event, len(events))
	for i := range events {
		out[i] = &events[i]
	}
	return out
}

func memBlock(p *page) *block {
	b := &block{n: len(p.times), mem: p, minTime: slices.Min(p.times), maxTime: slices.Max(p.times)}
	return b
}

// addToHead makes events visible.
func (db *DB) addToHead(events []event.Event, bytes int64) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.head.events = append(db.head.events, events...)
	db.head.bytes += bytes
}

// makeRoom seals the head if it is full. It is called by the writer. If parts
// cannot be written (the disk is full) writing is refused before memory is.
func (db *DB) makeRoom() error {
	if len(db.head.events) < headRows && db.head.bytes < headBytes {
		return nil
	}
	db.mu.RLock()
	waiting := len(db.sealed)
	db.mu.RUnlock()
	if waiting >= maxSealed {
		if err := db.flushSealed(); err != nil {
			db.metrics.refused.Inc()
			return writeFailed("write a part", err)
		}
	}
	return db.seal()
}

// seal begins a new head and a new segment of the log. It is called with
// commits.writing held.
func (db *DB) seal() error {
	if len(db.head.events) == 0 {
		return nil
	}
	w := &db.commits.wal
	if err := w.sync(); err != nil {
		return writeFailed("write the log", err)
	}
	if err := w.begin(w.segment + 1); err != nil {
		return writeFailed("begin a file of the log", err)
	}
	db.mu.Lock()
	db.head.floor = w.segment
	db.sealed = append(db.sealed, db.head)
	db.head = newHead()
	db.mu.Unlock()
	select {
	case db.full <- struct{}{}:
	default:
	}
	return nil
}

// Flush writes everything that is only in the log to parts.
func (db *DB) Flush() error {
	db.commits.writing.Lock()
	err := db.seal()
	db.commits.writing.Unlock()
	if err != nil {
		return err
	}
	return db.flushSealed()
}

// flushSealed makes parts of sealed heads, the oldest first.
func (db *DB) flushSealed() error {
	db.flushing.Lock()
	defer db.flushing.Unlock()
	for {
		db.mu.RLock()
		var h *head
		if len(db.sealed) > 0 {
			h = db.sealed[0]
		}
		db.mu.RUnlock()
		if h == nil {
			return nil
		}
		if err := db.flush(h); err != nil {
			return err
		}
	}
}

// flush writes a head to a part and puts it into the manifest in the same moment
// as the log's segments fall out of it: each event is in one of the two.
func (db *DB) flush(h *head) error {
	events := pointers(h.events)
	last := h.events[len(h.events)-1].ID
	sortEvents(events)
	w, err := createPart(db.cfg.files, db.partsDir(), db.nextPart(), 0)
	if err != nil {
		return err
	}
	pager := newPager()
	for len(events) > 0 {
		n := pageEnd(events)
		if err := w.add(pager.make(events[:n])); err != nil {
			return joinAbort(err, w)
		}
		events = events[n:]
	}
	info, err := w.finish()
	if err != nil {
		return err
	}
	err = db.adopt(func(m *manifest) {
		m.Floor = max(m.Floor, h.floor)
		m.NextID = max(m.NextID, last+1)
	}, []partInfo{info}, nil, h)
	if err != nil {
		return err
	}
	return db.commits.wal.removeBelow(h.floor)
}

func sortEvents(events []*event.Event) {
	slices.SortFunc(events, func(a, b *event.Event) int {
		if a.Stream != b.Stream {
			return cmp.Compare(a.Stream.Key(), b.Stream.Key())
		}
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.ID, b.ID))
	})
}

// minStreamPage is how many events of one stream get a page of their own.
const minStreamPage = 512

// pageEnd is how many of the events, in order, make the next page.
func pageEnd(events []*event.Event) int {
	size := 0
	for i, e := range events {
		if i >= pageRows || i > 0 && size > pageBytes || i >= minStreamPage && e.Stream != events[i-1].Stream {
			return i
		}
		for j := range e.Fields {
			_, text := e.Fields[j].Value.Raw()
			size += len(text)
		}
	}
	return len(events)
}
