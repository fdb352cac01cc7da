package eventdb

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// fieldCount is what is known of a name.
type fieldCount struct {
	name   string
	count  int64
	types  [event.TypeList + 1]bool
	stream bool
}

// fieldCost is about how many bytes a name takes in a worker.
const fieldCost = 160

// countedCost is about how many bytes a name takes whose values are counted, its
// values aside.
const countedCost = 512

func (w *worker) addField(o *fieldCount) {
	f := w.fields[o.name]
	if f == nil {
		f = &fieldCount{name: o.name}
		w.fields[o.name] = f
	}
	f.count += o.count
	f.stream = f.stream || o.stream
	for i, t := range o.types {
		f.types[i] = f.types[i] || t
	}
}

// fieldsOf counts the names of a block's chosen rows. Of whole blocks their index
// knows; of others it is read which rows have a value, a column at a time. Names
// come once for each of their columns and once as a label: no row is in two of these.
func (w *worker) fieldsOf(l *looking, s *chosen, selected bitset) ([]fieldCount, error) {
	labels, err := l.labelCounts(s)
	if err != nil {
		return nil, err
	}
	var found []fieldCount
	add := func(name string, t event.Type, n int, label bool) {
		if n > 0 {
			f := fieldCount{name: name, count: int64(n), stream: label}
			f.types[t] = true
			found = append(found, f)
		}
	}
	prefix := w.x.q.Fields.Prefix
	for name, n := range labels {
		if strings.HasPrefix(name, prefix) {
			add(name, event.TypeString, n, true)
		}
	}
	if l.mem != nil {
		for _, c := range l.mem.columns {
			if strings.HasPrefix(c.name, prefix) {
				add(c.name, c.typ, c.presentAmong(s, selected), false)
			}
		}
		return found, nil
	}
	for i := range l.meta.columns {
		m := &l.meta.columns[i]
		if !strings.HasPrefix(m.name, prefix) {
			continue
		}
		n, err := l.storedAmong(m, s, selected)
		if err != nil {
			return nil, err
		}
		add(m.name, m.typ, n, false)
	}
	return found, nil
}

// labelCounts are how many of the chosen rows have each label.
func (l *looking) labelCounts(s *chosen) (map[string]int, error) {
	streams := l.streams()
	counts := map[string]int{} // of streams
	for _, stream := range streams {
		for name := range stream.All {
			counts[name]++
		}
	}
	everywhere := true
	for _, n := range counts {
		everywhere = everywhere && n == len(streams)
	}
	if everywhere {
		for name := range counts {
			counts[name] = s.n
		}
		return counts, nil
	}
	codes, err := l.streamCodes() // there are several
	if err != nil {
		return nil, err
	}
	rows := make([]int, len(streams))
	for i := range s.n {
		rows[codes[s.row(i)]]++
	}
	clear(counts)
	for i, stream := range streams {
		for name := range stream.All {
			counts[name] += rows[i]
		}
	}
	return counts, nil
}

// storedAmong is how many of the chosen rows have a value in a stored column. What
// it reads is not kept.
func (l *looking) storedAmong(m *meta, s *chosen, selected bitset) (int, error) {
	switch {
	case selected == nil:
		return m.count, nil
	case m.count == l.n:
		return s.n, nil
	}
	if c := l.columns[m.name]; c != nil && c.typ == m.typ { // the filter has read it
		return c.presentAmong(s, selected), nil
	}
	before := l.buf.lent()
	defer l.buf.takeBack(before)
	b, err := l.read(m)
	if err != nil {
		return 0, err
	}
	c, err := readPresent(b, m, l.n, l.buf)
	if err != nil {
		return 0, err
	}
	return c.presentAmong(s, selected), nil
}

// presentAmong is how many of the chosen rows, those selected, have a value.
func (c *column) presentAmong(s *chosen, selected bitset) int {
	switch {
	case selected == nil:
		return c.presentCount()
	case c.shape != shapeDict && c.present == nil:
		return s.n
	case c.shape != shapeDict:
		return c.present.common(selected)
	}
	n := 0
	for i := range s.n {
		if c.has(s.row(i)) {
			n++
		}
	}
	return n
}

// fieldInfos are the names by themselves, of too many the most frequent, and how
// many more there are.
func (w *worker) fieldInfos() (infos []event.FieldInfo, more int) {
	names := slices.Sorted(maps.Keys(w.fields))
	if limit := cmp.Or(w.x.q.Fields.Limit, event.MaxListed); len(names) > limit {
		slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(w.fields[b].count, w.fields[a].count) })
		names, more = names[:limit], len(names)-limit
		slices.Sort(names)
	}
	for _, name := range names {
		f := w.fields[name]
		info := event.FieldInfo{Name: name, Count: f.count, Stream: f.stream}
		for t, have := range f.types {
			if have {
				info.Types = append(info.Types, event.Type(t).String())
			}
		}
		infos = append(infos, info)
	}
	return infos, more
}
