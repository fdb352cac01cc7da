package eventdb

import (
	"cmp"
	"maps"
	"slices"

	"github.com/daytwo-dev/daytwo/internal/event"
)

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
	sum := int64(len(c.fields)) * countedCost
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
	for i := range d.Values {
		d.Values[i].Value = ownText(d.Values[i].Value)
	}
	return d
}
