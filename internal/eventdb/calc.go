package eventdb

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// chosen is which rows of a block belong to which groups. A row may stand in it
// more than once.
type chosen struct {
	n    int
	rows []int32  // nil: rows 0 to n-1
	gids []uint32 // by place; nil: all of group one
	one  uint32
}

func (s *chosen) row(i int) int {
	if s.rows == nil {
		return i
	}
	return int(s.rows[i])
}

func (s *chosen) gid(i int) uint32 {
	if s.gids == nil {
		return s.one
	}
	return s.gids[i]
}

// only keeps the places whose row is set.
func (s *chosen) only(b bitset) *chosen {
	out := &chosen{one: s.one, rows: make([]int32, 0, s.n)}
	for i := range s.n {
		if row := s.row(i); b.has(row) {
			out.rows = append(out.rows, int32(row))
			if s.gids != nil {
				out.gids = append(out.gids, s.gids[i])
			}
		}
	}
	out.n = len(out.rows)
	if out.n == 0 {
		out.gids = nil
	}
	return out
}

// calc is one calculation over all groups of a worker.
type calc struct {
	event.Calculation
	filter   *filter
	like     *calc // a quantile of the same numbers, whose sketches serve this one too
	counts   []int64
	stats    []event.Stats
	sketches []sketch
	distinct []distinct
	tops     []map[uint32]int64
	values   valueIndex // of tops
	bytes    int64
}

func newCalc(c event.Calculation) (*calc, error) {
	out := &calc{Calculation: c}
	if c.Filter != nil {
		f, err := newFilter(*c.Filter)
		if err != nil {
			return nil, err
		}
		out.filter = f
	}
	return out, nil
}

// grown is s with room for n groups.
func grown[T any](s []T, n int) []T {
	if len(s) >= n {
		return s
	}
	return slices.Grow(s, n-len(s))[:n]
}

// add calculates over chosen rows; groups is how many groups there are by now.
func (c *calc) add(l *looking, s *chosen, groups int) error {
	if c.like != nil {
		return nil
	}
	if c.filter != nil {
		b, err := c.filter.bits(l)
		if err != nil {
			return err
		}
		s = s.only(b)
	}
	c.grow(groups)
	if s.n == 0 {
		return nil
	}
	if c.Op == event.CalcCount && c.Field == "" {
		c.countRows(s)
		return nil
	}
	col, err := l.column(c.Field)
	if err != nil || col == nil {
		return err
	}
	switch c.Op {
	case event.CalcCount:
		for i := range s.n {
			if col.has(s.row(i)) {
				c.counts[s.gid(i)]++
			}
		}
	case event.CalcDistinct:
		eachHash(col, s.rows, s.n, func(i int, h uint64) { c.distinct[s.gid(i)].add(h) })
	case event.CalcTop:
		c.addTop(col, s)
	case event.CalcQuantile:
		c.addToSketches(l, col, s)
	default:
		c.addStats(l.numbers(col), s)
	}
	return nil
}

func (c *calc) grow(groups int) {
	if c.like != nil {
		return
	}
	before := c.bytes
	switch c.Op {
	case event.CalcCount:
		c.counts = grown(c.counts, groups)
		c.bytes = 8 * int64(groups)
	case event.CalcQuantile:
		c.sketches = grown(c.sketches, groups)
		c.bytes = 1024 * int64(groups)
		if groups < 10_000 {
			c.bytes = 0
			for i := range c.sketches {
				c.bytes += c.sketches[i].size()
			}
		}
	case event.CalcDistinct:
		c.distinct = grown(c.distinct, groups)
		c.bytes = 256 * int64(groups)
		if groups < 10_000 {
			c.bytes = 0
			for i := range c.distinct {
				c.bytes += c.distinct[i].size()
			}
		}
	case event.CalcTop:
		c.tops = grown(c.tops, groups)
		c.bytes = c.values.bytes + 128*int64(groups)
	default:
		c.stats = grown(c.stats, groups)
		c.bytes = 40 * int64(groups)
	}
	c.bytes = max(c.bytes, before)
}

func (c *calc) countRows(s *chosen) {
	if s.gids == nil {
		c.counts[s.one] += int64(s.n)
		return
	}
	counts := c.counts
	for _, g := range s.gids {
		counts[g]++
	}
}

func (c *calc) addTop(col *column, s *chosen) {
	ids := c.values.column(col, s.rows, s.n, true)
	count := func(g, id uint32) {
		if id == noValue {
			return
		}
		if c.tops[g] == nil {
			c.tops[g] = map[uint32]int64{}
		}
		c.tops[g][id]++
	}
	for i := range s.n {
		switch {
		case ids.lists != nil:
			for _, id := range ids.lists[i] {
				count(s.gid(i), id)
			}
		case ids.ids != nil:
			count(s.gid(i), ids.ids[i])
		default:
			count(s.gid(i), ids.one)
		}
	}
}

func (c *calc) addToSketches(l *looking, col *column, s *chosen) {
	if col.shape == shapeInts && col.present == nil && s.rows == nil && s.gids != nil { // the most there is
		addInts(c.sketches, s.gids, col.ints)
		return
	}
	n := l.numbers(col)
	for i := range s.n {
		if row := s.row(i); n.present == nil || n.present.has(row) {
			c.sketches[s.gid(i)].add(n.values[row])
		}
	}
}

func (c *calc) addStats(n *numbers, s *chosen) {
	for i := range s.n {
		if row := s.row(i); n.present == nil || n.present.has(row) {
			addNumber(&c.stats[s.gid(i)], n.values[row])
		}
	}
}

func addNumber(s *event.Stats, f float64) {
	if s.Count == 0 {
		s.Min, s.Max = f, f
	} else if f < s.Min {
		s.Min = f
	} else if f > s.Max {
		s.Max = f
	}
	s.Count++
	s.Sum += f
	s.Squares += f * f
}

func mergeStats(s, o *event.Stats) {
	if o.Count == 0 {
		return
	}
	if s.Count == 0 {
		*s = *o
		return
	}
	s.Min, s.Max = min(s.Min, o.Min), max(s.Max, o.Max)
	s.Count += o.Count
	s.Sum += o.Sum
	s.Squares += o.Squares
}

// merge adds another worker's calculation; gids are its groups here.
func (c *calc) merge(o *calc, gids []uint32, groups int) {
	if c.like != nil {
		return
	}
	c.grow(groups)
	var ids []uint32
	if c.Op == event.CalcTop {
		ids = c.values.merge(&o.values)
	}
	for from, to := range gids {
		switch {
		case from < len(o.counts):
			c.counts[to] += o.counts[from]
		case from < len(o.stats):
			mergeStats(&c.stats[to], &o.stats[from])
		case from < len(o.sketches):
			c.sketches[to].merge(&o.sketches[from])
		case from < len(o.distinct):
			c.distinct[to].merge(&o.distinct[from])
		case from < len(o.tops):
			for id, n := range o.tops[from] {
				if c.tops[to] == nil {
					c.tops[to] = map[uint32]int64{}
				}
				c.tops[to][ids[id]] += n
			}
		}
	}
}

// cell is the result of a group.
func (c *calc) cell(g uint32) event.Cell {
	switch c.Op {
	case event.CalcCount:
		return event.Cell{Value: event.Int(c.counts[g])}
	case event.CalcDistinct:
		return event.Cell{Value: event.Int(c.distinct[g].count())}
	case event.CalcTop:
		top := topOf(&c.values, maps.All(c.tops[g]), len(c.tops[g]), cmp.Or(c.K, 10), "")
		return event.Cell{Value: event.Int(int64(len(top))), Top: top}
	case event.CalcQuantile:
		from := c
		if c.like != nil {
			from = c.like
		}
		q, ok := from.sketches[g].quantile(c.Quantile)
		if !ok {
			return event.Cell{}
		}
		return event.Cell{Value: event.Float(q)}
	}
	s := c.stats[g]
	switch {
	case c.Op == event.CalcStats:
		return event.Cell{Value: event.Int(s.Count), Stats: &s}
	case c.Op == event.CalcSum:
		return event.Cell{Value: event.Float(s.Sum)}
	case s.Count == 0:
		return event.Cell{}
	case c.Op == event.CalcAvg:
		return event.Cell{Value: event.Float(s.Avg())}
	case c.Op == event.CalcMin:
		return event.Cell{Value: event.Float(s.Min)}
	}
	return event.Cell{Value: event.Float(s.Max)}
}

// topOf are the k most frequent values.
func topOf(x *valueIndex, counts iter.Seq2[uint32, int64], n, k int, contains string) []event.ValueCount {
	contains = strings.ToLower(contains)
	type idCount struct {
		id uint32
		n  int64
	}
	list := make([]idCount, 0, max(k+1, min(n, 4*k+64)))
	less := func(a, b idCount) int {
		if a.n != b.n {
			return cmp.Compare(b.n, a.n)
		}
		return x.value(a.id).Compare(x.value(b.id))
	}
	floor := idCount{} // what comes after it cannot be among the first k any more
	cut := func() {
		slices.SortFunc(list, less)
		if len(list) >= k {
			list = list[:k]
			floor = list[k-1]
		}
	}
	for id, n := range counts {
		e := idCount{id, n}
		if n < floor.n || n == 0 || n == floor.n && less(floor, e) < 0 || contains != "" && !strings.Contains(strings.ToLower(x.value(id).String()), contains) {
			continue
		}
		if list = append(list, e); len(list) == cap(list) {
			cut()
			list = slices.Grow(list, 3*k+64)
		}
	}
	cut()
	out := make([]event.ValueCount, len(list))
	for i, e := range list {
		out[i] = event.ValueCount{Value: ownText(x.value(e.id)), Count: e.n}
	}
	return out
}
