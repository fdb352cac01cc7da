package eventdb

import (
	"math"
	"slices"
	"sort"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// block is a page that a query may look into: of a part or of the head.
type block struct {
	n                int
	minTime, maxTime int64
	sorted           bool
	part             *part
	meta             *pageMeta
	mem              *page // of the head; then part and meta are nil
}

// looking is a query's work on one block: columns are read when first asked for.
type looking struct {
	*block
	cost      *event.Cost
	ended     func() error // an error when the query's time is over; nil: it has no limit
	buf       *buffers     // may be nil
	columns   map[string]*column
	asNumbers map[*column]*numbers
	times     []int64
	ids       []int64
	codes     []uint16 // of streams; nil with one stream
	coded     bool
}

// over is an error once the query has to end. It is asked between pieces of work, so
// that a filter of many conditions on many fields ends within a block.
func (l *looking) over() error {
	if l.ended == nil {
		return nil
	}
	return l.ended()
}

func (b *block) streams() []event.Stream {
	if b.mem != nil {
		return b.mem.streams
	}
	return b.meta.streams
}

// label is the value of a label of each stream, null where a stream lacks it; nil
// and false if all do.
func (b *block) label(name string) (values []event.Value, some bool) {
	streams := b.streams()
	for i, s := range streams {
		if v, ok := s.Get(name); ok {
			if values == nil {
				values = make([]event.Value, len(streams))
			}
			values[i] = event.String(v)
		}
	}
	return values, values != nil
}

// names are the fields of the block's events, sorted.
func (b *block) names() []string {
	var names []string
	for _, s := range b.streams() {
		for name := range s.All {
			names = append(names, name)
		}
	}
	if b.mem != nil {
		for _, c := range b.mem.columns {
			names = append(names, c.name)
		}
	} else {
		for i := range b.meta.columns {
			names = append(names, b.meta.columns[i].name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// metas are the stored columns of a name.
func (b *block) metas(name string) []meta {
	if b.meta == nil {
		return nil
	}
	return ofName(b.meta.columns, name, func(m *meta) string { return m.name })
}

// made are the columns of a name in memory.
func (b *block) made(name string) []*column {
	return ofName(b.mem.columns, name, func(c **column) string { return (*c).name })
}

// ofName are those of a name in a list by name.
func ofName[T any](list []T, name string, nameOf func(*T) string) []T {
	i := sort.Search(len(list), func(i int) bool { return nameOf(&list[i]) >= name })
	j := i
	for j < len(list) && nameOf(&list[j]) == name {
		j++
	}
	return list[i:j]
}

func (l *looking) read(m *meta) ([]byte, error) {
	l.cost.Bytes += int64(m.size)
	return l.part.section(m, l.buf)
}

// section reads a column of which single rows are wanted.
func (l *looking) section(m *meta) (*section, error) {
	l.cost.Bytes += int64(m.size)
	read := l.part.section
	if m.codec == codecChunks {
		read = l.part.read
	}
	b, err := read(m, l.buf)
	if err != nil {
		return nil, err
	}
	s, ok := newSection(b, m, l.n)
	if !ok {
		return nil, errDamaged("column %q", m.name)
	}
	return s, nil
}

func (l *looking) getTimes() ([]int64, error) {
	switch {
	case l.times != nil:
	case l.mem != nil:
		l.times = l.mem.times
	default:
		b, err := l.read(&l.meta.times)
		if err != nil {
			return nil, err
		}
		r := &reader{b: b, buf: l.buf}
		if l.times = r.deltas(l.n); r.bad {
			return nil, errDamaged("part %d: times", l.part.ID)
		}
	}
	return l.times, nil
}

func (l *looking) getIDs() ([]int64, error) {
	switch {
	case l.ids != nil:
	case l.mem != nil:
		l.ids = l.mem.ids
	default:
		b, err := l.read(&l.meta.ids)
		if err != nil {
			return nil, err
		}
		r := &reader{b: b, buf: l.buf}
		if l.ids = r.deltas(l.n); r.bad {
			return nil, errDamaged("part %d: ids", l.part.ID)
		}
	}
	return l.ids, nil
}

// streamCodes are the places in streams() of every row's; nil if there is one.
func (l *looking) streamCodes() ([]uint16, error) {
	switch {
	case l.coded:
	case l.mem != nil:
		l.codes = l.mem.streamCodes
	case len(l.meta.streams) > 1:
		b, err := l.read(&l.meta.codes)
		if err != nil {
			return nil, err
		}
		r := &reader{b: b, buf: l.buf}
		ints := r.ints(l.n)
		if r.bad {
			return nil, errDamaged("part %d: streams", l.part.ID)
		}
		l.codes = make([]uint16, l.n)
		for i, x := range ints {
			if x < 0 || x >= int64(len(l.meta.streams)) {
				return nil, errDamaged("part %d: streams", l.part.ID)
			}
			l.codes[i] = uint16(x)
		}
	}
	l.coded = true
	return l.codes, nil
}

// column is what the rows have under a name, nil if none has anything.
func (l *looking) column(name string) (*column, error) {
	if c, ok := l.columns[name]; ok {
		return c, nil
	}
	c, err := l.load(name)
	if err != nil {
		return nil, err
	}
	if l.columns == nil {
		l.columns = map[string]*column{}
	}
	l.columns[name] = c
	return c, nil
}

func (l *looking) load(name string) (*column, error) {
	switch name {
	case event.TimeField:
		times, err := l.getTimes()
		return &column{name: name, typ: event.TypeTime, shape: shapeInts, n: l.n, ints: times}, err
	case event.IDField:
		ids, err := l.getIDs()
		return &column{name: name, typ: event.TypeInt, shape: shapeInts, n: l.n, ints: ids}, err
	}
	var found []*column
	if l.mem != nil {
		found = append(found, l.made(name)...)
	} else {
		metas := l.metas(name)
		for i := range metas {
			b, err := l.read(&metas[i])
			if err != nil {
				return nil, err
			}
			c, err := readColumn(b, &metas[i], l.n, l.buf)
			if err != nil {
				return nil, err
			}
			found = append(found, c)
		}
	}
	if values, some := l.label(name); some {
		codes, err := l.streamCodes()
		if err != nil {
			return nil, err
		}
		found = append(found, &column{name: name, shape: shapeDict, n: l.n, dict: values, codes: codes, typ: event.TypeString})
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return found[0], nil
	}
	return asDict(name, l.n, found), nil
}

// columns is how many columns the block has.
func (b *block) columns() int {
	if b.mem != nil {
		return len(b.mem.columns)
	}
	return len(b.meta.columns)
}

// event puts the row together whose time and ID are known. only lists the fields
// wanted; empty: all. sections are those of the block's columns that were read before.
func (l *looking) event(row int, time int64, id uint64, only []string, sections []*section) (event.Event, error) {
	codes, err := l.streamCodes()
	if err != nil {
		return event.Event{}, err
	}
	e := event.Event{Time: time, ID: id}
	if codes == nil {
		e.Stream = l.streams()[0]
	} else {
		e.Stream = l.streams()[codes[row]]
	}
	add := func(name string, v event.Value) {
		if !v.IsNull() {
			e.Fields = append(e.Fields, event.Field{Name: name, Value: ownText(v)})
		}
	}
	if l.mem != nil {
		for _, c := range l.mem.columns {
			if len(only) == 0 || slices.Contains(only, c.name) {
				add(c.name, c.value(row))
			}
		}
		return e, nil
	}
	for i := range l.meta.columns {
		m := &l.meta.columns[i]
		if len(only) > 0 && !slices.Contains(only, m.name) {
			continue
		}
		if sections[i] == nil {
			if sections[i], err = l.section(m); err != nil {
				return event.Event{}, err
			}
		}
		v, err := sections[i].value(row)
		if err != nil {
			return event.Event{}, err
		}
		add(m.name, v)
	}
	return e, nil
}

// ownText is v with text of its own, so that it does not keep a page in memory.
func ownText(v event.Value) event.Value {
	num, text := v.Raw()
	if text == "" {
		return v
	}
	own, _ := event.Raw(v.Type(), num, string([]byte(text)))
	return own
}

// timeBits are the rows within a range of time; nil: all are.
func (l *looking) timeBits(first, last int64) (bitset, error) {
	if l.minTime >= first && l.maxTime <= last {
		return nil, nil
	}
	times, err := l.getTimes()
	if err != nil {
		return nil, err
	}
	b := newBitset(l.n)
	for i, t := range times {
		if t >= first && t <= last {
			b.set(i)
		}
	}
	return b, nil
}

// numberBounds are the smallest and largest number of a stored column.
func (m *meta) numberBounds() (low, high event.Value) {
	if m.shape == shapeFloats {
		return event.Float(math.Float64frombits(m.low)), event.Float(math.Float64frombits(m.high))
	}
	return event.Int(int64(m.low)), event.Int(int64(m.high))
}
