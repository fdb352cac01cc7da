package eventdb

import (
	"cmp"
	"runtime"
	"slices"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// Bounds of a page.
const (
	pageRows  = 8192
	pageBytes = 2 << 20 // text of its events
	pageCells = 1 << 20 // rows times columns, which a page holds while it is put together

	headPageCells = 1 << 18 // the same of the head, whose pages stay in memory: headPage events of 128 columns
)

// page is some events as columns: the unit that is stored, ruled out by its
// index, or looked into.
type page struct {
	times       []int64
	ids         []int64
	streams     []event.Stream
	streamCodes []uint16  // nil: all of streams[0]
	columns     []*column // by name, then type; names of labels only of events whose stream lacks them
}

// pager puts events together to pages. It is used by one goroutine at a time and
// keeps what it needs between pages.
type pager struct {
	yields bool // to queries: it works in the background
	names  map[string]*naming
	order  []*naming // those of this page
	labels map[event.Stream]*stream
	tables map[*batch]*batchTable
	tabled int // entries of tables
	dict   dictTable
	open   int // columns of the page being made
	kept   int // rows that all builders have room for
	cells  int // rows times columns of a page
}

// batchTable is what the texts and streams of a batch are here.
type batchTable struct {
	names   []*naming // by number; nil: not met yet
	streams []*stream
}

// naming is what a name is in the page being made.
type naming struct {
	name    string
	row     int // last row with a value
	typ     event.Type
	hidden  bool // the name of the event's time or ID: no field
	label   bool // some stream has a label of this name
	types   [event.TypeList + 1]*builder
	touched bool
}

type stream struct {
	of    event.Stream
	page  int
	names map[string]bool
}

// rowRef is an event of a batch.
type rowRef struct {
	batch *batch
	row   int32
}

func newPager() *pager {
	return &pager{cells: pageCells, names: map[string]*naming{}, labels: map[event.Stream]*stream{}, tables: map[*batch]*batchTable{}}
}

// What is kept between pages, because it is likely to be of use again.
const (
	maxTabled = 1 << 18       // texts of batches whose numbers are known
	maxKept   = 2 * pageCells // rows that builders have room for
)

// yieldRows is how many events are worked on in the background, or appended,
// before others have their turn.
const yieldRows = 64

// make puts events, at most pageRows, together in the order given: as many of the
// first as have room in a page, which is less than all if they have very many fields
// of different names.
func (p *pager) make(rows []rowRef) *page {
	n := len(rows)
	out := &page{times: make([]int64, n), ids: make([]int64, n)}
	codes := make([]uint16, n)
	if len(p.names) > 20_000 || len(p.labels) > 20_000 || p.kept > maxKept { // names that do not come again
		fresh := newPager()
		fresh.cells, fresh.yields = p.cells, p.yields
		*p = *fresh
	}
	if p.tabled > maxTabled {
		clear(p.tables)
		p.tabled = 0
	}
	p.open = 0
	for _, s := range p.labels {
		s.page = -1
	}
	var from *batch
	var table *batchTable
	for i, r := range rows {
		if p.yields && i%yieldRows == 0 {
			runtime.Gosched()
		}
		if r.batch != from {
			from, table = r.batch, p.table(r.batch)
		}
		e := &from.events[r.row]
		if i > 0 && max(p.open, from.fields(int(r.row)))*(i+1) > p.cells {
			n = i
			break
		}
		out.times[i], out.ids[i] = e.time, int64(from.firstID)+int64(r.row)
		s := table.streams[e.stream]
		if s.page < 0 {
			s.page = len(out.streams)
			out.streams = append(out.streams, s.of)
		}
		codes[i] = uint16(s.page)
		p.addRow(i, r, table, s, n)
	}
	if n < len(rows) { // what is kept is no longer than it must be
		out.times, out.ids, codes = slices.Clone(out.times[:n]), slices.Clone(out.ids[:n]), slices.Clone(codes[:n])
	}
	if len(out.streams) > 1 {
		out.streamCodes = codes
	}
	for _, nm := range p.order {
		for t, b := range nm.types {
			if b != nil && b.count > 0 {
				if p.yields {
					runtime.Gosched()
				}
				p.kept += max(0, n-b.room)
				c := b.finish(nm.name, n, &p.dict)
				c.typ = event.Type(t)
				out.columns = append(out.columns, c)
			}
		}
		nm.touched, nm.row = false, -1
	}
	p.order = p.order[:0]
	slices.SortFunc(out.columns, func(a, b *column) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.typ, b.typ)) })
	return out
}

func (p *pager) table(b *batch) *batchTable {
	t := p.tables[b]
	if t == nil {
		t = &batchTable{names: make([]*naming, len(b.refs))}
		for _, s := range b.streams {
			t.streams = append(t.streams, p.stream(s))
		}
		p.tables[b] = t
		p.tabled += len(b.refs) + 8
	}
	return t
}

func (p *pager) stream(s event.Stream) *stream {
	have := p.labels[s]
	if have == nil {
		have = &stream{of: s, page: -1, names: map[string]bool{}}
		for name := range s.All {
			have.names[name] = true
			p.naming(name).label = true
		}
		p.labels[s] = have
	}
	return have
}

func (p *pager) naming(name string) *naming {
	nm := p.names[name]
	if nm == nil {
		nm = &naming{name: name, row: -1, hidden: name == event.TimeField || name == event.IDField}
		p.names[name] = nm
	}
	return nm
}

// addRow reads the fields of an event of stream s.
func (p *pager) addRow(row int, from rowRef, table *batchTable, s *stream, n int) {
	c := cursor{data: from.batch.data, at: int(from.batch.events[from.row].at)}
	for range c.uvarint() {
		var ref uint64
		if c.at < len(c.data) && c.data[c.at] < 0x80 { // as uvarint, which is no small function
			ref = uint64(c.data[c.at])
			c.at++
		} else {
			ref = c.uvarint()
		}
		var nm *naming
		if ref == 0 {
			nm = p.naming(c.text())
		} else if nm = table.names[ref-1]; nm == nil {
			nm = p.naming(from.batch.refs[ref-1])
			table.names[ref-1] = nm
		}
		t, num, text := c.value()
		if t == event.TypeNull || nm.hidden || nm.label && s.names[nm.name] {
			continue
		}
		p.add(row, nm, t, num, text, n)
	}
}

func (p *pager) add(row int, nm *naming, t event.Type, num uint64, text string, n int) {
	if !nm.touched {
		nm.touched = true
		p.order = append(p.order, nm)
	}
	if nm.row == row { // a later field of the same name counts
		nm.types[nm.typ].remove(row)
	}
	nm.row, nm.typ = row, t
	b := nm.types[t]
	if b == nil {
		b = &builder{typ: t}
		nm.types[t] = b
	}
	if b.count == 0 {
		p.open++
	}
	if row >= b.room {
		room := min(n, max(64, 2*row))
		p.kept += room - b.room
		b.reserve(room)
	}
	if t < event.TypeString {
		b.nums[row] = num
	} else {
		b.texts[row] = text
	}
	b.present.set(row)
	b.count++
}
