package eventdb

import (
	"cmp"
	"slices"
	"sync"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// A head is sealed, to become a part, when it is this large.
const (
	headRows  = 128 << 10
	headBytes = 48 << 20 // of batches
	maxSealed = 1        // heads that may wait; then writers help
	headPage  = 2048     // events of a page of the head, which is made when it is asked
)

// head is the newest events, in memory; they are in the log too.
type head struct {
	batches []*batch // only ever longer
	rows    int
	bytes   int64
	floor   uint64 // segment of the log that the next head begins with; set when sealed

	mu    sync.Mutex
	pager *pager
	pages []*page // of full stretches of headPage events, as they are asked for
	last  *page   // of the rest
	from  headPlace
}

// headPlace is where in a head a stretch begins.
type headPlace struct{ batch, row int }

func newHead() *head { return &head{} }

// blocks are the events of batches, h's own as they were at some moment, as
// columns.
func (h *head) blocks(batches []*batch) []*block {
	n := 0
	for _, b := range batches {
		n += len(b.events)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.pager == nil {
		h.pager = newPager()
	}
	for len(h.pages)*headPage+headPage <= n {
		rows, next := stretch(batches, h.from, headPage)
		h.pages, h.last, h.from = append(h.pages, h.pager.make(rows)), nil, next
	}
	out := make([]*block, 0, n/headPage+1)
	for _, p := range h.pages[:n/headPage] {
		out = append(out, memBlock(p))
	}
	rest := n % headPage
	switch {
	case rest == 0:
	case n/headPage < len(h.pages): // a later query has seen more
		start := headPlace{}
		if full := n - rest; full > 0 {
			_, start = stretch(batches, start, full)
		}
		rows, _ := stretch(batches, start, rest)
		out = append(out, memBlock(h.pager.make(rows)))
	default:
		if h.last == nil || len(h.last.times) != rest {
			rows, _ := stretch(batches, h.from, rest)
			h.last = h.pager.make(rows)
		}
		out = append(out, memBlock(h.last))
	}
	return out
}

// stretch are n events from a place on, and the place after them.
func stretch(batches []*batch, from headPlace, n int) ([]rowRef, headPlace) {
	rows := make([]rowRef, 0, n)
	for len(rows) < n {
		b := batches[from.batch]
		if from.row == len(b.events) {
			from = headPlace{from.batch + 1, 0}
			continue
		}
		rows = append(rows, rowRef{b, int32(from.row)})
		from.row++
	}
	return rows, from
}

func memBlock(p *page) *block {
	b := &block{n: len(p.times), mem: p, minTime: slices.Min(p.times), maxTime: slices.Max(p.times)}
	return b
}

// addToHead makes the events of a batch visible.
func (db *DB) addToHead(b *batch) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.head.batches = append(db.head.batches, b)
	db.head.rows += len(b.events)
	db.head.bytes += int64(len(b.data) + 16*len(b.events))
}

// makeRoom seals the head if it is full. It is called by the writer. If parts
// cannot be written (the disk is full) writing is refused before memory is.
func (db *DB) makeRoom() error {
	if db.head.rows < headRows && db.head.bytes < headBytes {
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
	if db.head.rows == 0 {
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
	newest := h.batches[len(h.batches)-1]
	last := newest.firstID + uint64(len(newest.events)) - 1
	rows := h.sorted()
	w, err := createPart(db.cfg.files, db.partsDir(), db.nextPart(), 0)
	if err != nil {
		return err
	}
	pager := newPager()
	for len(rows) > 0 {
		n := pageEnd(rows)
		if err := w.add(pager.make(rows[:n])); err != nil {
			return joinAbort(err, w)
		}
		rows = rows[n:]
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

// sorted are the events by stream, then time, then ID.
func (h *head) sorted() []rowRef {
	places := map[event.Stream]int{}
	var streams []event.Stream
	var lists [][]rowRef
	for _, b := range h.batches {
		here := make([]int, len(b.streams))
		for i, s := range b.streams {
			place, ok := places[s]
			if !ok {
				place = len(streams)
				places[s] = place
				streams, lists = append(streams, s), append(lists, nil)
			}
			here[i] = place
		}
		for i := range b.events {
			place := here[b.events[i].stream]
			lists[place] = append(lists[place], rowRef{b, int32(i)})
		}
	}
	slices.SortFunc(streams, func(a, b event.Stream) int { return cmp.Compare(a.Key(), b.Key()) })
	rows := make([]rowRef, 0, h.rows)
	byTime := func(a, b rowRef) int { return cmp.Compare(a.batch.events[a.row].time, b.batch.events[b.row].time) }
	for _, s := range streams {
		list := lists[places[s]]
		if !slices.IsSortedFunc(list, byTime) {
			slices.SortStableFunc(list, byTime) // they lie in the order of their IDs
		}
		rows = append(rows, list...)
	}
	return rows
}

// minStreamPage is how many events of one stream get a page of their own.
const minStreamPage = 512

// pageEnd is how many of the events, in order, make the next page.
func pageEnd(rows []rowRef) int {
	size := 0
	var last event.Stream
	for i, r := range rows {
		s := r.batch.streams[r.batch.events[r.row].stream]
		if i >= pageRows || i > 0 && size > pageBytes || i >= minStreamPage && s != last {
			return i
		}
		last = s
		size += r.batch.size(int(r.row))
	}
	return len(rows)
}
