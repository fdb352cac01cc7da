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
	count  int64
	types  [event.TypeList + 1]bool
	stream bool
}

func (f *fieldCount) merge(o *fieldCount) {
	f.count += o.count
	f.stream = f.stream || o.stream
	for i, t := range o.types {
		f.types[i] = f.types[i] || t
	}
}

func (w *worker) field(name string) *fieldCount {
	f := w.fields[name]
	if f == nil {
		f = &fieldCount{}
		w.fields[name] = f
	}
	return f
}

// addFields counts names; of whole blocks the index knows.
func (w *worker) addFields(l *looking, s *chosen, selected bitset) error {
	for _, name := range l.names() {
		if !strings.HasPrefix(name, w.x.q.Fields.Prefix) {
			continue
		}
		values, label := l.label(name)
		metas := l.metas(name)
		if selected == nil && !label && len(metas) > 0 {
			f := w.field(name)
			for i := range metas {
				f.count += int64(metas[i].count)
				f.types[metas[i].typ] = true
			}
			continue
		}
		if label && len(values) == 1 && l.mem == nil && len(metas) == 0 {
			f := w.field(name)
			f.count, f.stream, f.types[event.TypeString] = f.count+int64(s.n), true, true
			continue
		}
		if err := w.addField(l, s, name, values); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) addField(l *looking, s *chosen, name string, values []event.Value) error {
	c, err := l.column(name)
	if err != nil || c == nil {
		return err
	}
	codes, err := l.streamCodes()
	if err != nil {
		return err
	}
	for i := range s.n {
		row := s.row(i)
		if !c.has(row) {
			continue
		}
		f := w.field(name)
		f.count++
		if c.shape == shapeDict {
			f.types[c.dict[c.code(row)].Type()] = true
		} else {
			f.types[c.typ] = true
		}
		code := 0
		if codes != nil {
			code = int(codes[row])
		}
		f.stream = f.stream || !values[code].IsNull()
	}
	return nil
}

func (w *worker) fieldInfos() []event.FieldInfo {
	var infos []event.FieldInfo
	for _, name := range slices.Sorted(maps.Keys(w.fields)) {
		f := w.fields[name]
		info := event.FieldInfo{Name: name, Count: f.count, Stream: f.stream}
		for t, have := range f.types {
			if have {
				info.Types = append(info.Types, event.Type(t).String())
			}
		}
		infos = append(infos, info)
	}
	if limit := cmp.Or(w.x.q.Fields.Limit, 10_000); len(infos) > limit {
		infos = infos[:limit]
	}
	return infos
}

// facetCounter counts the values of fields.
type facetCounter struct {
	only   []string
	fields map[string]*valueCounter
}

// maxFacetValues is how many values of a field are counted exactly. With more,
// the rarest are forgotten and the field is counted approximately: a count is too
// low by at most the events that were counted and forgotten.
const maxFacetValues = 200_000

type valueCounter struct {
	present  int64
	values   valueIndex
	counts   []int64
	stats    event.Stats
	distinct *distinct // once values were forgotten
}

func newFacetCounter(only []string) *facetCounter {
	return &facetCounter{only: only, fields: map[string]*valueCounter{}}
}

func (f *facetCounter) bytes() int64 {
	sum := int64(0)
	for _, c := range f.fields {
		sum += c.values.bytes + 8*int64(len(c.counts))
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
	if v.distinct != nil {
		eachHash(c, s.rows, s.n, func(_ int, h uint64) { v.distinct.add(h) })
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
	if v.values.len() > maxFacetValues {
		v.forget()
	}
}

func (v *valueCounter) addNumbers(l *looking, c *column, s *chosen) {
	switch {
	case c.shape == shapeFloats, c.shape == shapeInts && c.typ != event.TypeBool:
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

// forget drops the rarer half of the values.
func (v *valueCounter) forget() {
	if v.distinct == nil {
		v.distinct = &distinct{}
		for id := range v.values.len() {
			v.distinct.add(hashValue(v.values.value(uint32(id))))
		}
	}
	sorted := slices.Clone(v.counts)
	slices.Sort(sorted)
	floor := sorted[len(sorted)/2]
	var values valueIndex
	var counts []int64
	for id, n := range v.counts {
		if n > floor {
			if place := values.id(v.values.value(uint32(id))); int(place) == len(counts) {
				counts = append(counts, n)
			}
		}
	}
	v.values, v.counts = values, counts
}

func (f *facetCounter) merge(o *facetCounter) {
	for name, from := range o.fields {
		to := f.counter(name)
		to.present += from.present
		mergeStats(&to.stats, &from.stats)
		if (from.distinct != nil) != (to.distinct != nil) {
			for _, c := range []*valueCounter{from, to} {
				if c.distinct == nil {
					c.distinct = &distinct{}
					for id := range c.values.len() {
						c.distinct.add(hashValue(c.values.value(uint32(id))))
					}
				}
			}
		}
		if to.distinct != nil {
			to.distinct.merge(from.distinct)
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
		if c.distinct != nil {
			facet.Distinct = c.distinct.count()
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

// heat counts numbers over time.
type heat struct {
	q       *event.Heatmap
	buckets *event.TimeBuckets
	columns map[int64]*sketch   // by time, with Log
	steps   map[heatPlace]int64 // with Step
}

type heatPlace struct {
	time int64
	low  float64
}

func newHeat(q *event.Heatmap) (*heat, error) {
	b, err := (&event.Key{Every: q.Every}).TimeBuckets()
	return &heat{q: q, buckets: b, columns: map[int64]*sketch{}, steps: map[heatPlace]int64{}}, err
}

func (h *heat) bytes() int64 { return int64(len(h.columns))*8192 + int64(len(h.steps))*64 }

func (h *heat) add(l *looking, s *chosen) error {
	c, err := l.column(h.q.Field)
	if err != nil || c == nil {
		return err
	}
	n := l.numbers(c)
	var times []int64
	from, to := h.buckets.Bounds(l.minTime)
	one := l.maxTime < to
	if !one {
		if times, err = l.getTimes(); err != nil {
			return err
		}
	}
	var column *sketch
	for i := range s.n {
		row := s.row(i)
		if n.present != nil && !n.present.has(row) {
			continue
		}
		if !one {
			if t := times[row]; t < from || t >= to {
				from, to = h.buckets.Bounds(t)
				column = nil
			}
		}
		if h.q.Step > 0 {
			if low, _, ok := h.q.HeatRow(n.values[row]); ok {
				h.steps[heatPlace{from, low}]++
			}
			continue
		}
		if column == nil {
			if column = h.columns[from]; column == nil {
				column = &sketch{}
				h.columns[from] = column
			}
		}
		column.add(n.values[row])
	}
	return nil
}

func (h *heat) merge(o *heat) {
	for t, s := range o.columns {
		if have := h.columns[t]; have != nil {
			have.merge(s)
		} else {
			h.columns[t] = s
		}
	}
	for p, n := range o.steps {
		h.steps[p] += n
	}
}

func (h *heat) result() *event.HeatmapResult {
	counts := map[heatPlace]int64{}
	maps.Copy(counts, h.steps)
	high := map[float64]float64{}
	for p := range h.steps {
		high[p.low] = p.low + h.q.Step
	}
	for t, s := range h.columns {
		put := func(f float64, n int64) {
			if low, up, ok := h.q.HeatRow(f); ok && n > 0 {
				counts[heatPlace{t, low}] += n
				high[low] = up
			}
		}
		put(0, s.zero)
		for i, n := range s.negative.counts {
			if low, _ := edges(s.negative.first + i); n > 0 {
				put(-max(low, 1e-300), n)
			}
		}
		for i, n := range s.positive.counts {
			low, _ := edges(s.positive.first + i)
			if low == 0 { // the smallest numbers there are share a bucket with zero's bits
				low = 5e-324
			}
			put(low, n)
		}
	}
	r := &event.HeatmapResult{Every: h.q.Every}
	for p, n := range counts {
		r.Cells = append(r.Cells, event.HeatCell{Time: p.time, Low: p.low, High: high[p.low], Count: n})
	}
	slices.SortFunc(r.Cells, func(a, b event.HeatCell) int { return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Low, b.Low)) })
	return r
}

// comparison counts values among the selected and the others.
type comparison struct {
	only             []string
	selected, others int64
	fields           map[string]*comparedField
}

type comparedField struct {
	values           valueIndex
	selected, others []int64
	present          [2]int64
	tooMany          bool
}

func newComparison(only []string) *comparison {
	return &comparison{only: only, fields: map[string]*comparedField{}}
}

func (c *comparison) bytes() int64 {
	sum := int64(0)
	for _, f := range c.fields {
		sum += f.values.bytes + 16*int64(len(f.selected))
	}
	return sum
}

func (c *comparison) field(name string) *comparedField {
	f := c.fields[name]
	if f == nil {
		f = &comparedField{}
		c.fields[name] = f
	}
	return f
}

func (c *comparison) add(l *looking, s *chosen, selection bitset) error {
	in := make([]bool, s.n)
	n := int64(0)
	for i := range s.n {
		if in[i] = selection.has(s.row(i)); in[i] {
			n++
		}
	}
	c.selected += n
	c.others += int64(s.n) - n
	names := c.only
	if len(names) == 0 {
		names = l.names()
	}
	for _, name := range names {
		col, err := l.column(name)
		if err != nil {
			return err
		}
		if col != nil {
			c.field(name).add(col, s, in)
		}
	}
	return nil
}

func (f *comparedField) add(col *column, s *chosen, in []bool) {
	if f.tooMany {
		return
	}
	ids := f.values.column(col, s.rows, s.n, true)
	f.grow()
	count := func(i int, id uint32) {
		if in[i] {
			f.selected[id]++
		} else {
			f.others[id]++
		}
	}
	for i := range s.n {
		side := 1
		if in[i] {
			side = 0
		}
		switch {
		case ids.lists != nil:
			for _, id := range ids.lists[i] {
				count(i, id)
			}
			if len(ids.lists[i]) > 0 {
				f.present[side]++
			}
		case ids.ids != nil:
			if ids.ids[i] != noValue {
				count(i, ids.ids[i])
				f.present[side]++
			}
		case ids.one != noValue:
			count(i, ids.one)
			f.present[side]++
		}
	}
	f.check()
}

func (f *comparedField) grow() {
	f.selected = grown(f.selected, f.values.len())
	f.others = grown(f.others, f.values.len())
}

// check gives fields with too many values up.
func (f *comparedField) check() {
	if f.values.len() > event.MaxCompared {
		*f = comparedField{tooMany: true}
	}
}

func (c *comparison) merge(o *comparison) {
	c.selected += o.selected
	c.others += o.others
	for name, from := range o.fields {
		to := c.field(name)
		if to.tooMany || from.tooMany {
			*to = comparedField{tooMany: true}
			continue
		}
		ids := to.values.merge(&from.values)
		to.grow()
		for id := range from.selected {
			to.selected[ids[id]] += from.selected[id]
			to.others[ids[id]] += from.others[id]
		}
		to.present[0] += from.present[0]
		to.present[1] += from.present[1]
		to.check()
	}
}

func (c *comparison) result(limit int) []event.Difference {
	names := c.only
	if len(names) == 0 {
		maps.DeleteFunc(c.fields, func(_ string, f *comparedField) bool { return f.present[0]+f.present[1] == 0 && !f.tooMany })
		names = slices.Sorted(maps.Keys(c.fields))
	}
	out := make([]event.Difference, 0, len(names))
	for _, name := range names {
		out = append(out, c.difference(name, limit))
	}
	slices.SortStableFunc(out, func(a, b event.Difference) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Field, b.Field))
	})
	return out
}

func (c *comparison) difference(name string, limit int) event.Difference {
	f := c.field(name)
	d := event.Difference{Field: name}
	var list []event.ValueCompare
	for id := range f.selected {
		list = append(list, event.ValueCompare{Value: f.values.value(uint32(id)), Selected: f.selected[id], Others: f.others[id]})
	}
	if missing := (event.ValueCompare{Selected: c.selected - f.present[0], Others: c.others - f.present[1]}); missing.Selected+missing.Others > 0 {
		list = append(list, missing)
	}
	if f.tooMany || len(list) > event.MaxCompared {
		d.TooMany = true
		return d
	}
	share := func(v event.ValueCompare) float64 {
		a, b := 0.0, 0.0
		if c.selected > 0 {
			a = float64(v.Selected) / float64(c.selected)
		}
		if c.others > 0 {
			b = float64(v.Others) / float64(c.others)
		}
		return max(a-b, b-a)
	}
	slices.SortFunc(list, func(a, b event.ValueCompare) int {
		return cmp.Or(cmp.Compare(share(b), share(a)), a.Value.Compare(b.Value))
	})
	for _, v := range list {
		d.Score += share(v) / 2
	}
	d.Score = min(1, d.Score)
	d.Values = list[:min(limit, len(list))]
	return d
}
