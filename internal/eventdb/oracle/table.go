package oracle

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// counter counts values by their key, and remembers how to show each.
type counter map[event.Value]event.ValueCount

func (c counter) add(v event.Value, n int64) {
	key := v.Key()
	have, ok := c[key]
	if !ok || v.Type() < have.Value.Type() {
		have.Value = v
	}
	have.Count += n
	c[key] = have
}

func (c counter) count(key event.Value) int64 { return c[key].Count }

func (c counter) top(k int, contains string) []event.ValueCount {
	list := []event.ValueCount{}
	for _, v := range c {
		if strings.Contains(strings.ToLower(v.Value.String()), strings.ToLower(contains)) {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b event.ValueCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), a.Value.Compare(b.Value))
	})
	return list[:min(k, len(list))]
}

// items are what a value counts as: the different elements of a List, or itself.
func items(v event.Value) []event.Value {
	switch v.Type() {
	case event.TypeNull:
		return nil
	case event.TypeList:
		var out []event.Value
		for _, s := range v.Strings() {
			if item := event.String(s); !slices.Contains(out, item) {
				out = append(out, item)
			}
		}
		return out
	}
	return []event.Value{v}
}

type group struct {
	keys   []event.Value
	events []*event.Event
}

func table(matched []*event.Event, t *event.Table) (*event.TableResult, error) {
	calculations := t.Calculate
	if len(calculations) == 0 {
		calculations = []event.Calculation{{Op: event.CalcCount}}
	}
	groups, err := split(matched, t.By)
	if err != nil {
		return nil, err
	}
	r := &event.TableResult{Groups: []event.Group{}}
	for i := range t.By {
		r.Keys = append(r.Keys, t.By[i].Column())
	}
	for i := range calculations {
		r.Calculations = append(r.Calculations, calculations[i].Column())
	}
	if t.Total {
		if r.Total, err = calculate(matched, calculations); err != nil {
			return nil, err
		}
	}
	for _, g := range groups {
		cells, err := calculate(g.events, calculations)
		if err != nil {
			return nil, err
		}
		r.Groups = append(r.Groups, event.Group{Keys: g.keys, Cells: cells})
	}
	finish(r, t)
	return r, nil
}

// finish applies having, order and limit.
func finish(r *event.TableResult, t *event.Table) {
	column := func(g event.Group, name string) event.Value {
		if i := slices.Index(r.Keys, name); i >= 0 {
			return g.Keys[i]
		}
		return g.Cells[slices.Index(r.Calculations, name)].Value
	}
	r.Groups = slices.DeleteFunc(r.Groups, func(g event.Group) bool {
		return slices.ContainsFunc(t.Having, func(h event.Having) bool { return !h.Holds(column(g, h.Column)) })
	})
	slices.SortFunc(r.Groups, func(a, b event.Group) int {
		for _, o := range t.Order {
			c := column(a, o.By).Compare(column(b, o.By))
			if o.Desc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return slices.CompareFunc(a.Keys, b.Keys, event.Value.Compare)
	})
	if limit := cmp.Or(t.Limit, 1000); len(r.Groups) > limit {
		r.More = len(r.Groups) - limit
		r.Groups = r.Groups[:limit]
	}
}

func split(matched []*event.Event, by []event.Key) ([]*group, error) {
	groups := map[string]*group{}
	if len(by) == 0 {
		groups[""] = &group{keys: []event.Value{}}
	}
	for _, e := range matched {
		tuples := [][]event.Value{{}}
		for i := range by {
			values, err := keyValues(&by[i], e)
			if err != nil {
				return nil, err
			}
			var longer [][]event.Value
			for _, t := range tuples {
				for _, v := range values {
					longer = append(longer, append(slices.Clone(t), v))
				}
			}
			tuples = longer
		}
		for _, t := range tuples {
			id := ""
			for _, v := range t {
				k := v.Key()
				id += fmt.Sprintf("%d %q,", k.Type(), k.String())
			}
			g := groups[id]
			if g == nil {
				g = &group{keys: slices.Clone(t)}
				groups[id] = g
			}
			for i, v := range t {
				if v.Type() < g.keys[i].Type() {
					g.keys[i] = v
				}
			}
			g.events = append(g.events, e)
		}
	}
	var list []*group
	for _, g := range groups {
		list = append(list, g)
	}
	return list, nil
}

// keyValues are the groups of one key that an event belongs to.
func keyValues(k *event.Key, e *event.Event) ([]event.Value, error) {
	var out []event.Value
	v := e.Get(k.Source())
	n, isNumber := v.Number()
	switch {
	case len(k.Filters) > 0:
		for _, f := range k.Filters {
			m, err := event.NewMatcher(f.Filter)
			if err != nil {
				return nil, err
			}
			if m.Match(e) {
				out = append(out, event.String(f.Name))
			}
		}
	case k.IsTime():
		buckets, err := k.TimeBuckets()
		if err != nil {
			return nil, err
		}
		if ns, ok := event.Nanos(v); ok {
			from, _ := buckets.Bounds(ns)
			out = append(out, event.Time(from))
		}
	case k.Step > 0:
		if isNumber {
			out = append(out, event.Float(k.NumberBucket(n)))
		}
	case len(k.Bands) > 0:
		for _, b := range k.Bands {
			if isNumber && b.Contains(n) {
				out = append(out, event.String(b.Name))
			}
		}
	default:
		out = items(v)
	}
	if len(out) == 0 && !k.Present {
		out = []event.Value{{}}
	}
	return out, nil
}

func addStats(s *event.Stats, n float64) {
	if s.Count == 0 {
		s.Min, s.Max = n, n
	}
	s.Count++
	s.Sum += n
	s.Squares += n * n
	s.Min, s.Max = min(s.Min, n), max(s.Max, n)
}

func calculate(events []*event.Event, calculations []event.Calculation) ([]event.Cell, error) {
	var cells []event.Cell
	for _, c := range calculations {
		over := events
		if c.Filter != nil {
			m, err := event.NewMatcher(*c.Filter)
			if err != nil {
				return nil, err
			}
			over = slices.DeleteFunc(slices.Clone(events), func(e *event.Event) bool { return !m.Match(e) })
		}
		cells = append(cells, cell(over, c))
	}
	return cells, nil
}

func cell(events []*event.Event, c event.Calculation) event.Cell {
	if c.Field == "" {
		return event.Cell{Value: event.Int(int64(len(events)))}
	}
	var present int64
	var stats event.Stats
	var numbers []float64
	counts := counter{}
	for _, e := range events {
		v := e.Get(c.Field)
		if v.IsNull() {
			continue
		}
		present++
		if n, ok := v.Number(); ok {
			addStats(&stats, n)
			numbers = append(numbers, n)
		}
		for _, item := range items(v) {
			counts.add(item, 1)
		}
	}
	switch c.Op {
	case event.CalcCount:
		return event.Cell{Value: event.Int(present)}
	case event.CalcSum:
		return event.Cell{Value: event.Float(stats.Sum)}
	case event.CalcDistinct:
		return event.Cell{Value: event.Int(int64(len(counts)))}
	case event.CalcStats:
		return event.Cell{Value: event.Int(stats.Count), Stats: &stats}
	case event.CalcTop:
		top := counts.top(cmp.Or(c.K, 10), "")
		return event.Cell{Value: event.Int(int64(len(top))), Top: top}
	}
	if stats.Count == 0 {
		return event.Cell{}
	}
	switch c.Op {
	case event.CalcAvg:
		return event.Cell{Value: event.Float(stats.Avg())}
	case event.CalcMin:
		return event.Cell{Value: event.Float(stats.Min)}
	case event.CalcMax:
		return event.Cell{Value: event.Float(stats.Max)}
	}
	slices.Sort(numbers)
	rank := int(math.Ceil(c.Quantile * float64(len(numbers))))
	return event.Cell{Value: event.Float(numbers[max(rank, 1)-1])}
}
