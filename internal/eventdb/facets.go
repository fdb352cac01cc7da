package eventdb

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// facetCounter counts the values of fields.
type facetCounter struct {
	only   []string
	fields map[string]*valueCounter
}

// maxFacetValues is how many values of a field are counted exactly. A field with
// more is counted by a frequent, see there.
const maxFacetValues = 200_000

type valueCounter struct {
	present  int64
	values   valueIndex
	counts   []int64
	stats    event.Stats
	frequent *frequent // once there are too many values
}

func newFacetCounter(only []string) *facetCounter {
	return &facetCounter{only: only, fields: map[string]*valueCounter{}}
}

func (f *facetCounter) bytes() int64 {
	sum := int64(len(f.fields)) * countedCost
	for _, c := range f.fields {
		sum += c.values.bytes + 8*int64(len(c.counts))
		if c.frequent != nil {
			sum += 4 * frequentCells
		}
	}
	return sum
}

func (f *facetCounter) counter(name string) *valueCounter {
	c := f.fields[name]
	if c == nil {
		c = &valueCounter{}
		f.fields[name] = c
	}
	return c
}

func (f *facetCounter) add(l *looking, s *chosen) error {
	names := f.only
	if len(names) == 0 {
		names = l.names()
	}
	for _, name := range names {
		c, err := l.column(name)
		if err != nil {
			return err
		}
		if c != nil {
			f.counter(name).add(l, c, s)
		}
	}
	return nil
}

func (v *valueCounter) add(l *looking, c *column, s *chosen) {
	v.addNumbers(l, c, s)
	switch {
	case c.shape == shapeDict && !c.hasLists():
		v.addDict(c, s)
		return
	case v.frequent != nil:
		v.addFrequent(c, s)
		return
	}
	ids := v.values.column(c, s.rows, s.n, true)
	v.counts = grown(v.counts, v.values.len())
	switch {
	case ids.lists != nil:
		for _, list := range ids.lists {
			if len(list) > 0 {
				v.present++
			}
			for _, id := range list {
				v.counts[id]++
			}
		}
	case ids.ids == nil:
		if ids.one != noValue {
			v.counts[ids.one] += int64(s.n)
			v.present += int64(s.n)
		}
	default:
		for _, id := range ids.ids {
			if id != noValue {
				v.counts[id]++
				v.present++
			}
		}
	}
	v.check()
}

// addDict counts the entries of a dictionary instead of rows.
func (v *valueCounter) addDict(c *column, s *chosen) {
	tally := make([]int64, len(c.dict))
	switch {
	case c.codes == nil:
		tally[0] = int64(s.n)
	case s.rows == nil:
		for _, code := range c.codes {
			tally[code]++
		}
	default:
		for _, row := range s.rows {
			tally[c.codes[row]]++
		}
	}
	for code, n := range tally {
		x := c.dict[code]
		if n == 0 || x.IsNull() {
			continue
		}
		v.present += n
		if v.frequent == nil {
			v.count(x, n)
		} else if cell, often := v.frequent.add(hashValue(x), n); often {
			v.countOften(x, cell, n)
		}
	}
	v.check()
}

// check begins to count approximately when there are too many values.
func (v *valueCounter) check() {
	if v.frequent == nil && v.values.len() > maxFacetValues {
		v.spill()
	}
}

func (v *valueCounter) addNumbers(l *looking, c *column, s *chosen) {
	switch {
	case c.shape == shapeInts && c.typ != event.TypeBool:
		sum := intStats(c, s)
		mergeStats(&v.stats, &sum)
	case c.shape == shapeFloats:
		n := l.numbers(c)
		for i := range s.n {
			if row := s.row(i); n.present == nil || n.present.has(row) {
				addNumber(&v.stats, n.values[row])
			}
		}
	case c.shape == shapeDict && c.typ == event.TypeNull:
		for i := range s.n {
			if x := c.dict[c.code(s.row(i))]; x.Type().IsNumber() {
				if f, ok := x.Number(); ok {
					addNumber(&v.stats, f)
				}
			}
		}
	}
}

// intStats are the statistics of chosen rows of whole numbers.
func intStats(c *column, s *chosen) event.Stats {
	low, high := int64(math.MaxInt64), int64(math.MinInt64)
	var out event.Stats
	for i := range s.n {
		row := s.row(i)
		if c.present != nil && !c.present.has(row) {
			continue
		}
		x := c.ints[row]
		low, high = min(low, x), max(high, x)
		f := float64(x)
		out.Count++
		out.Sum += f
		out.Squares += f * f
	}
	out.Min, out.Max = float64(low), float64(high)
	return out
}

func (f *facetCounter) merge(o *facetCounter) {
	for name, from := range o.fields {
		to := f.counter(name)
		to.present += from.present
		mergeStats(&to.stats, &from.stats)
		if from.frequent != nil || to.frequent != nil {
			for _, c := range []*valueCounter{from, to} {
				if c.frequent == nil {
					c.spill()
				}
			}
			to.mergeFrequent(from)
			continue
		}
		ids := to.values.merge(&from.values)
		to.counts = grown(to.counts, to.values.len())
		for id, n := range from.counts {
			to.counts[ids[id]] += n
		}
	}
}

func (f *facetCounter) result(q *event.Facets) []event.Facet {
	names := f.only
	if len(names) == 0 {
		maps.DeleteFunc(f.fields, func(_ string, c *valueCounter) bool { return c.present == 0 })
		names = slices.Sorted(maps.Keys(f.fields))
	}
	var out []event.Facet
	for _, name := range names {
		c := f.counter(name)
		facet := event.Facet{Field: name, Count: c.present, Distinct: int64(c.values.len())}
		if c.frequent != nil {
			facet.Distinct = c.frequent.distinct.count()
		}
		facet.Top = c.top(cmp.Or(q.Limit, 10), q.Contains)
		if c.stats.Count > 0 {
			stats := c.stats
			facet.Numbers = &stats
		}
		out = append(out, facet)
	}
	return out
}

func (v *valueCounter) top(k int, contains string) []event.ValueCount {
	return topOf(&v.values, func(yield func(uint32, int64) bool) {
		for id, n := range v.counts {
			if !yield(uint32(id), n) {
				return
			}
		}
	}, len(v.counts), k, contains)
}
