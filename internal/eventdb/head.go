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
	headBytes = 48 << 20 // of memory, the columns that are made for queries aside
	headCells = 64 << 20 // events times names of fields, for which these columns have room
	maxSealed = 1        // heads that may wait; then writers help
	headPage  = 2048     // events of a page of the head, which is made when it is asked
	maxLast   = 16       // pages of the events behind the last such page
)

// head is the newest events, in memory; they are in the log too.
type head struct {
	batches []*batch // only ever longer
	rows    int
	bytes   int64
	floor   uint64          // segment of the log that the next head begins with; set when sealed
	names   map[string]bool // of fields; the writer's
	streams map[event.Stream]bool

	mu    sync.Mutex
	pager *pager
	pages []*page // of stretches of headPage events, as they are asked for
	paged int     // events in pages
	last  []*page // of the rest, of which there are lastN
	lastN int
	from  headPlace // where the rest begins
}

// headPlace is where in a head a stretch begins.
type headPlace struct{ batch, row int }

func newHead() *head { return &head{names: map[string]bool{}, streams: map[event.Stream]bool{}} }

// nameCost is how many bytes a name takes in a head, and a stream beside its key.
const nameCost = 64

// fits tells whether the head takes more events.
func (h *head) fits() bool {
	return h.rows < headRows && h.bytes < headBytes && h.rows*len(h.names) < headCells
}

// blocks are the events of batches, h's own as they were at some moment, as
// columns. What has come since they were asked last is made pages of its own; some of
// these become one, and all do when there are enough events for a whole one, so that
// an event is not read again for every query.
func (h *head) blocks(batches []*batch) []*block {
	n := 0
	for _, b := range batches {
		n += len(b.events)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.pager == nil {
		h.pager = newPager()
		h.pager.cells = headPageCells
	}
	for h.paged+headPage <= n {
		rows, next := stretch(batches, h.from, headPage)
		h.pages = append(h.pages, h.pagesOf(rows)...)
		h.paged, h.last, h.lastN, h.from = h.paged+headPage, nil, 0, next
	}
	if covered := h.paged + h.lastN; covered < n {
		if len(h.last) >= maxLast {
			covered, h.last, h.lastN = h.paged, nil, 0
		}
		_, start := stretch(batches, h.from, h.lastN)
		rows, _ := stretch(batches, start, n-covered)
		h.last, h.lastN = append(h.last, h.pagesOf(rows)...), n-h.paged
	}
	out := make([]*block, 0, len(h.pages)+len(h.last))
	covered := 0
	for _, p := range slices.Concat(h.pages, h.last) {
		if covered+len(p.times) > n { // a later query has seen more
			break
		}
		out, covered = append(out, memBlock(p)), covered+len(p.times)
	}
	if covered < n {
		_, start := stretch(batches, headPlace{}, covered)
		rows, _ := stretch(batches, start, n-covered)
		for _, p := range h.pagesOf(rows) {
			out = append(out, memBlock(p))
		}
	}
	return out
}

// pagesOf puts events together to pages.
func (h *head) pagesOf(rows []rowRef) []*page {
	var pages []*page
	for len(rows) > 0 {
		p := h.pager.make(rows)
		pages, rows = append(pages, p), rows[len(p.times):]
	}
	return pages
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
	h := db.head
	before := len(h.names) + len(h.streams)
	size := b.memory()
	for i, name := range b.refs {
		if i>>6 < len(b.named) && b.named.has(i) {
			h.names[name] = true
		}
	}
	for _, s := range b.streams {
		if !h.streams[s] {
			h.streams[s] = true
			size += int64(len(s.Key()))
		}
	}
	size += int64(len(h.names)+len(h.streams)-before) * nameCost
	db.mu.Lock()
	defer db.mu.Unlock()
	h.batches = append(h.batches, b)
	h.rows += len(b.events)
	h.bytes += size
}

// makeRoom seals the head if it is full. It is called by the writer. If parts
// cannot be written (the disk is full) writing is refused before memory is.
func (db *DB) makeRoom() error {
	if db.head.fits() {
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
	pager.yields = true
	for len(rows) > 0 {
		p := pager.make(rows[:pageEnd(rows)])
		if err := w.add(p); err != nil {
			return joinAbort(err, w)
		}
		rows = rows[len(p.times):]
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
