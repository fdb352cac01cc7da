package eventdb

import (
	"cmp"
	"container/heap"
	"context"
	"runtime"
	"slices"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// rewriting is parts becoming one.
type rewriting struct {
	ctx   context.Context
	w     *partWriter
	drop  func(*looking) (bitset, error) // rows that go; nil: none
	pacer *pacer                         // nil: as fast as it can
}

// source is a part being read in order, for a rewrite.
type source struct {
	*rewriting
	part    *part
	next    int // page
	cost    event.Cost
	page    *sourcePage
	row     int
	dropped int64
	bad     bool // it is damaged
}

// sourcePage is a page with all of its columns.
type sourcePage struct {
	n       int
	times   []int64
	ids     []int64
	streams []event.Stream
	codes   []uint16
	columns []*column
	drop    bitset
	share   int // bytes of text a row has
	into    int // the page it was last met for, see merger
}

// load reads the next page of which something stays; false at the end. Pages that
// would not become better are copied as they are on the way.
func (s *source) load() (bool, error) {
	for s.next < len(s.part.pages) {
		if err := s.ctx.Err(); err != nil {
			return false, err
		}
		at := s.next
		b := s.part.block(at)
		s.next++
		l := &looking{block: b, cost: &s.cost}
		var drop bitset
		if s.drop != nil {
			var err error
			if drop, err = s.drop(l); err != nil {
				s.bad = true
				return false, err
			}
			if drop != nil {
				n := drop.count()
				if s.dropped += int64(n); n == b.n {
					continue
				}
				if n == 0 {
					drop = nil
				}
			}
		}
		if drop == nil && (s.drop != nil || b.meta.large()) {
			if err := s.copy(at); err != nil {
				return false, err
			}
			continue
		}
		p, err := l.whole()
		if err != nil {
			s.bad = true
			return false, err
		}
		p.drop, p.share = drop, p.size()
		s.page, s.row = p, -1
		return s.advance()
	}
	s.page = nil
	return false, nil
}

// copy takes a page over as it is.
func (s *source) copy(at int) error {
	m, stored, err := s.part.stored(at)
	if err != nil {
		s.bad = true
		return err
	}
	if err := s.w.addStored(m, stored); err != nil {
		return err
	}
	return s.pacer.wait(s.ctx, int64(len(stored)))
}

// advance goes to the next row that stays.
func (s *source) advance() (bool, error) {
	for s.row++; s.row < s.page.n; s.row++ {
		if s.page.drop == nil || !s.page.drop.has(s.row) {
			return true, nil
		}
	}
	return s.load()
}

// whole reads a block with every stored column.
func (l *looking) whole() (*sourcePage, error) {
	p := &sourcePage{n: l.n, streams: l.streams()}
	var err error
	if p.times, err = l.getTimes(); err != nil {
		return nil, err
	}
	if p.ids, err = l.getIDs(); err != nil {
		return nil, err
	}
	if p.codes, err = l.streamCodes(); err != nil {
		return nil, err
	}
	for i := range l.meta.columns {
		m := &l.meta.columns[i]
		b, err := l.read(m)
		if err != nil {
			return nil, err
		}
		c, err := readColumn(b, m, l.n, nil)
		if err != nil {
			return nil, err
		}
		p.columns = append(p.columns, c)
	}
	return p, nil
}

func (p *sourcePage) stream(row int) event.Stream {
	if p.codes == nil {
		return p.streams[0]
	}
	return p.streams[p.codes[row]]
}

// sources are a heap by what comes first.
type sources []*source

func (s sources) Len() int      { return len(s) }
func (s sources) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s *sources) Push(x any)   { *s = append(*s, x.(*source)) }
func (s *sources) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}

func (s sources) Less(i, j int) bool {
	a, b := s[i], s[j]
	sa, sb := a.page.stream(a.row), b.page.stream(b.row)
	if sa != sb {
		return sa.Key() < sb.Key()
	}
	return cmp.Or(cmp.Compare(a.page.times[a.row], b.page.times[b.row]), cmp.Compare(a.page.ids[a.row], b.page.ids[b.row])) < 0
}

// picked is a row for the page being put together.
type picked struct {
	page *sourcePage
	row  int
}

// merger puts pages together from rows of others, column by column.
type merger struct {
	builders map[string]*[event.TypeList + 1]*builder
	kept     int // rows that all builders have room for
	rows     []picked
	dict     dictTable
	pages    int                 // made before
	open     map[columnName]bool // columns of the page being made
}

type columnName struct {
	name string
	typ  event.Type
}

// meet notes the columns of a page of which a row comes.
func (m *merger) meet(p *sourcePage) {
	if p.into == m.pages+1 {
		return
	}
	p.into = m.pages + 1
	if m.open == nil {
		m.open = map[columnName]bool{}
	}
	for _, c := range p.columns {
		m.open[columnName{c.name, c.typ}] = true
	}
}

// page makes the page of m.rows.
func (m *merger) page() *page {
	n := len(m.rows)
	out := &page{times: make([]int64, n), ids: make([]int64, n)}
	codes := make([]uint16, n)
	places := map[event.Stream]uint16{}
	from := map[*sourcePage][]picked{} // row: here
	for i, r := range m.rows {
		out.times[i], out.ids[i] = r.page.times[r.row], r.page.ids[r.row]
		s := r.page.stream(r.row)
		code, ok := places[s]
		if !ok {
			code = uint16(len(out.streams))
			places[s] = code
			out.streams = append(out.streams, s)
		}
		codes[i] = code
		from[r.page] = append(from[r.page], picked{nil, i})
	}
	if len(out.streams) > 1 {
		out.streamCodes = codes
	}
	for p, list := range from {
		for _, c := range p.columns {
			runtime.Gosched()
			m.builder(c.name, c.typ, n).take(c, list, m.rows)
		}
	}
	for name, types := range m.builders {
		for t, b := range types {
			if b != nil && b.count > 0 {
				runtime.Gosched()
				c := b.finish(name, n, &m.dict)
				c.typ = event.Type(t)
				out.columns = append(out.columns, c)
			}
		}
	}
	if len(m.builders) > 5000 || m.kept > maxKept {
		m.builders, m.kept = nil, 0
	}
	clear(m.open)
	m.rows, m.pages = m.rows[:0], m.pages+1
	slices.SortFunc(out.columns, func(a, b *column) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.typ, b.typ)) })
	return out
}

func (m *merger) builder(name string, t event.Type, n int) *builder {
	if m.builders == nil {
		m.builders = map[string]*[event.TypeList + 1]*builder{}
	}
	types := m.builders[name]
	if types == nil {
		types = &[event.TypeList + 1]*builder{}
		m.builders[name] = types
	}
	b := types[t]
	if b == nil {
		b = &builder{typ: t}
		types[t] = b
	}
	m.kept += max(0, n-b.room)
	b.reserve(n)
	return b
}

// take copies values of a column: list says to which rows, rows from which.
func (b *builder) take(c *column, list []picked, rows []picked) {
	var formed []byte // text of all rows
	if c.shape == shapeHex {
		formed = make([]byte, 0, 2*c.width*len(list))
	}
	for _, to := range list {
		row := rows[to.row].row
		if !c.has(row) {
			continue
		}
		switch {
		case c.shape == shapeTexts:
			b.texts[to.row] = c.text(row)
		case c.shape == shapeHex:
			start := len(formed)
			formed = appendHex(formed, c.raw[row*c.width:(row+1)*c.width])
			b.texts[to.row] = view(formed[start:])
		case b.typ >= event.TypeString:
			_, b.texts[to.row] = c.value(row).Raw()
		case c.shape == shapeInts:
			b.nums[to.row] = uint64(c.ints[row])
		default:
			b.nums[to.row], _ = c.value(row).Raw()
		}
		b.present.set(to.row)
		b.count++
	}
}

// size is about the text that a row has.
func (p *sourcePage) size() int {
	size := 0
	for _, c := range p.columns {
		switch c.shape {
		case shapeTexts:
			size += len(c.data)
		case shapeDict:
			for _, v := range c.dict {
				_, text := v.Raw()
				size += len(text)
			}
		}
	}
	return size / p.n
}

// rewrite writes parts in order into one, without the rows that drop names. It
// writes none if nothing stays; then the answer has no rows. Pages that are copied
// stand among the others as they come, so the order is that of stretches only.
func (db *DB) rewrite(ctx context.Context, parts []*part, level int, drop func(*looking) (bitset, error), pacer *pacer) (info partInfo, dropped int64, err error) {
	w, err := createPart(db.cfg.files, db.partsDir(), db.nextPart(), level)
	if err != nil {
		return info, 0, err
	}
	r := &rewriting{ctx: ctx, w: w, drop: drop, pacer: pacer}
	var all []*source
	var queue sources
	for _, p := range parts {
		s := &source{rewriting: r, part: p}
		all = append(all, s)
		ok, err := s.load()
		if err != nil {
			return info, 0, joinAbort(db.sourceFailed(s, err), w)
		}
		if ok {
			queue = append(queue, s)
		}
	}
	heap.Init(&queue)
	if err := db.merge(r, &queue); err != nil {
		return info, 0, joinAbort(err, w)
	}
	for _, s := range all {
		dropped += s.dropped
	}
	if w.info.Rows == 0 {
		return info, dropped, w.abort()
	}
	info, err = w.finish()
	return info, dropped, err
}

// sourceFailed notes that a part is damaged if that is why it failed.
func (db *DB) sourceFailed(s *source, err error) error {
	if s.bad {
		db.noteBad(s.part, err)
	}
	return err
}

func (db *DB) merge(r *rewriting, queue *sources) error {
	var m merger
	size := 0
	var last event.Stream
	add := func() error {
		began := r.w.at + uint64(len(r.w.buf))
		if err := r.w.add(m.page()); err != nil {
			return err
		}
		size = 0
		return r.pacer.wait(r.ctx, int64(r.w.at+uint64(len(r.w.buf))-began))
	}
	for len(*queue) > 0 {
		s := (*queue)[0]
		stream := s.page.stream(s.row)
		n := len(m.rows)
		m.meet(s.page)
		if n >= pageRows || n > 0 && (size > pageBytes || len(m.open)*(n+1) > pageCells) || n >= minStreamPage && stream != last {
			if err := add(); err != nil {
				return err
			}
			m.meet(s.page)
		}
		last = stream
		m.rows = append(m.rows, picked{s.page, s.row})
		size += s.page.share
		ok, err := s.advance()
		if err != nil {
			return db.sourceFailed(s, err)
		}
		if ok {
			heap.Fix(queue, 0)
		} else {
			heap.Pop(queue)
		}
	}
	if len(m.rows) == 0 {
		return nil
	}
	return add()
}
