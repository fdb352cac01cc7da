package eventdb

import (
	"cmp"
	"slices"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// Bounds of a page.
const (
	pageRows  = 8192
	pageBytes = 2 << 20 // text of its events
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
	names  map[string]*naming
	order  []*naming // those of this page
	places []*naming // by place in the event before
	labels map[event.Stream]*stream
}

// naming is what a name is in the page being made.
type naming struct {
	name    string
	row     int // last row with a value
	typ     event.Type
	label   bool // some stream has a label of this name
	types   [event.TypeList + 1]*builder
	touched bool
}

type stream struct {
	page  int
	names map[string]bool
}

func newPager() *pager {
	return &pager{names: map[string]*naming{}, labels: map[event.Stream]*stream{}}
}

// make puts events, at most pageRows, together in the order given.
func (p *pager) make(events []*event.Event) *page {
	n := len(events)
	out := &page{times: make([]int64, n), ids: make([]int64, n)}
	codes := make([]uint16, n)
	if len(p.names) > 20_000 || len(p.labels) > 20_000 { // names that do not come again
		*p = *newPager()
	}
	for _, s := range p.labels {
		s.page = -1
	}
	for i, e := range events {
		out.times[i], out.ids[i] = e.Time, int64(e.ID)
		s := p.stream(e.Stream)
		if s.page < 0 {
			s.page = len(out.streams)
			out.streams = append(out.streams, e.Stream)
		}
		codes[i] = uint16(s.page)
		for j := range e.Fields {
			p.add(i, j, &e.Fields[j], s, n)
		}
	}
	if len(out.streams) > 1 {
		out.streamCodes = codes
	}
	for _, nm := range p.order {
		for t, b := range nm.types {
			if b != nil && b.count > 0 {
				c := b.finish(nm.name, n)
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

func (p *pager) stream(s event.Stream) *stream {
	have := p.labels[s]
	if have == nil {
		have = &stream{page: -1, names: map[string]bool{}}
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
		nm = &naming{name: name, row: -1}
		p.names[name] = nm
	}
	return nm
}

func (p *pager) add(row, place int, f *event.Field, s *stream, n int) {
	t := f.Value.Type()
	if t == event.TypeNull || f.Name == event.TimeField || f.Name == event.IDField {
		return
	}
	var nm *naming
	if place < len(p.places) && p.places[place].name == f.Name {
		nm = p.places[place]
	} else {
		nm = p.naming(f.Name)
		if place < len(p.places) {
			p.places[place] = nm
		} else if place == len(p.places) {
			p.places = append(p.places, nm)
		}
	}
	if nm.label && s.names[f.Name] {
		return
	}
	if !nm.touched {
		nm.touched = true
		p.order = append(p.order, nm)
	}
	if nm.row == row { // a later field of the same name counts
		b := nm.types[nm.typ]
		b.present[row>>6] &^= 1 << (row & 63)
		b.count--
		if b.nums != nil {
			b.nums[row] = 0
		} else {
			b.texts[row] = ""
		}
	}
	nm.row, nm.typ = row, t
	b := nm.types[t]
	if b == nil {
		b = &builder{typ: t}
		nm.types[t] = b
	}
	if need := (n + 63) / 64; len(b.present) < need {
		b.present = newBitset(n)
	}
	num, text := f.Value.Raw()
	if t < event.TypeString {
		if len(b.nums) < n {
			b.nums = slices.Grow(b.nums, n-len(b.nums))[:n]
		}
		b.nums[row] = num
	} else {
		if len(b.texts) < n {
			b.texts = slices.Grow(b.texts, n-len(b.texts))[:n]
		}
		b.texts[row] = text
	}
	b.present.set(row)
	b.count++
}
