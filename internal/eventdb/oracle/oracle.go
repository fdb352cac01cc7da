// Package oracle answers queries about events in the slowest and most obvious
// way: it looks at every event, one after the other. It is what the engines are
// compared with.
package oracle

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// Answer answers q over events. Everything is exact; Cost is not filled.
func Answer(events []event.Event, q event.Query) (*event.Result, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	matched, err := match(events, q)
	if err != nil {
		return nil, err
	}
	r := &event.Result{Matched: int64(len(matched))}
	if q.Rows != nil {
		rows(r, matched, q.Rows)
	}
	for i := range q.Tables {
		t, err := table(matched, &q.Tables[i])
		if err != nil {
			return nil, err
		}
		r.Tables = append(r.Tables, *t)
	}
	if q.Fields != nil {
		r.Fields, r.MoreFields = fields(matched, q.Fields)
	}
	if q.Facets != nil {
		r.Facets = facets(matched, q.Facets)
	}
	if q.Heatmap != nil {
		if r.Heatmap, err = heatmap(matched, q.Heatmap); err != nil {
			return nil, err
		}
	}
	if q.Compare != nil {
		r.Compare, err = compare(matched, q.Compare)
	}
	return r, err
}

func match(events []event.Event, q event.Query) ([]*event.Event, error) {
	m, err := event.NewMatcher(q.Filter)
	if err != nil {
		return nil, err
	}
	first, last, ok := q.Range.Bounds()
	var matched []*event.Event
	for i := range events {
		if e := &events[i]; ok && e.Time >= first && e.Time <= last && m.Match(e) {
			matched = append(matched, e)
		}
	}
	return matched, nil
}

func rows(r *event.Result, matched []*event.Event, q *event.Rows) {
	type placed struct {
		event.Cursor
		e *event.Event
	}
	all := make([]placed, 0, len(matched))
	for _, e := range matched {
		p := placed{q.CursorOf(e), e}
		if q.After == nil || q.Before(q.After, &p.Cursor) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b placed) int {
		switch {
		case q.Before(&a.Cursor, &b.Cursor):
			return -1
		case q.Before(&b.Cursor, &a.Cursor):
			return 1
		}
		return 0
	})
	if len(all) > q.Limit {
		all = all[:q.Limit]
		r.Next = &all[q.Limit-1].Cursor
	}
	for _, p := range all {
		e := event.Event{Time: p.e.Time, ID: p.e.ID, Stream: p.e.Stream}
		for name, v := range p.e.All {
			_, label := p.e.Stream.Get(name)
			if !label && (len(q.Fields) == 0 || slices.Contains(q.Fields, name)) {
				e.Fields = append(e.Fields, event.Field{Name: name, Value: v})
			}
		}
		slices.SortFunc(e.Fields, func(a, b event.Field) int { return cmp.Compare(a.Name, b.Name) })
		r.Rows = append(r.Rows, e)
	}
}

func fields(matched []*event.Event, q *event.Fields) (infos []event.FieldInfo, more int) {
	type seen struct {
		event.FieldInfo
		types map[event.Type]bool
	}
	all := map[string]*seen{}
	for _, e := range matched {
		for name, v := range e.All {
			if !strings.HasPrefix(name, q.Prefix) {
				continue
			}
			s := all[name]
			if s == nil {
				s = &seen{event.FieldInfo{Name: name}, map[event.Type]bool{}}
				all[name] = s
			}
			s.Count++
			s.types[v.Type()] = true
			if _, label := e.Stream.Get(name); label {
				s.Stream = true
			}
		}
	}
	names := slices.Sorted(maps.Keys(all))
	if limit := cmp.Or(q.Limit, event.MaxListed); len(names) > limit {
		slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(all[b].Count, all[a].Count) })
		names, more = names[:limit], len(names)-limit
		slices.Sort(names)
	}
	for _, name := range names {
		s := all[name]
		for _, t := range slices.Sorted(maps.Keys(s.types)) {
			s.Types = append(s.Types, t.String())
		}
		infos = append(infos, s.FieldInfo)
	}
	return infos, more
}

// names are the fields of any event.
func names(matched []*event.Event) []string {
	all := map[string]bool{}
	for _, e := range matched {
		for name := range e.All {
			all[name] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func facets(matched []*event.Event, q *event.Facets) []event.Facet {
	want := q.Fields
	if len(want) == 0 {
		want = names(matched)
	}
	var out []event.Facet
	for _, name := range want {
		f := event.Facet{Field: name}
		counts := counter{}
		var stats event.Stats
		for _, e := range matched {
			v := e.Get(name)
			if v.IsNull() {
				continue
			}
			f.Count++
			if n, ok := v.Number(); ok && v.Type().IsNumber() {
				addStats(&stats, n)
			}
			for _, item := range items(v) {
				counts.add(item, 1)
			}
		}
		f.Distinct = int64(len(counts))
		f.Top = counts.top(cmp.Or(q.Limit, 10), q.Contains)
		if stats.Count > 0 {
			f.Numbers = &stats
		}
		out = append(out, f)
	}
	return out
}

func heatmap(matched []*event.Event, q *event.Heatmap) (*event.HeatmapResult, error) {
	buckets, err := (&event.Key{Every: q.Every}).TimeBuckets()
	if err != nil {
		return nil, err
	}
	type place struct {
		time      int64
		low, high float64
	}
	counts := map[place]int64{}
	for _, e := range matched {
		n, ok := e.Get(q.Field).Number()
		if !ok {
			continue
		}
		low, high, ok := q.HeatRow(n)
		if !ok {
			continue
		}
		from, _ := buckets.Bounds(e.Time)
		counts[place{from, low, high}]++
	}
	r := &event.HeatmapResult{Every: q.Every}
	for p, n := range counts {
		r.Cells = append(r.Cells, event.HeatCell{Time: p.time, Low: p.low, High: p.high, Count: n})
	}
	slices.SortFunc(r.Cells, func(a, b event.HeatCell) int { return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.Low, b.Low)) })
	return r, nil
}

func compare(matched []*event.Event, q *event.Compare) ([]event.Difference, error) {
	m, err := event.NewMatcher(q.Selection)
	if err != nil {
		return nil, err
	}
	want := q.Fields
	if len(want) == 0 {
		want = names(matched)
	}
	out := []event.Difference{}
	for _, name := range want {
		selected, others, all := counter{}, counter{}, counter{}
		var nSelected, nOthers int64
		for _, e := range matched {
			in := others
			if m.Match(e) {
				in = selected
				nSelected++
			} else {
				nOthers++
			}
			list := items(e.Get(name))
			if len(list) == 0 {
				list = []event.Value{{}}
			}
			for _, item := range list {
				in.add(item, 1)
				all.add(item, 1)
			}
		}
		out = append(out, difference(name, selected, others, all, nSelected, nOthers, cmp.Or(q.Limit, 10)))
	}
	slices.SortStableFunc(out, func(a, b event.Difference) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Field, b.Field))
	})
	return out, nil
}

func difference(name string, selected, others, all counter, nSelected, nOthers int64, limit int) event.Difference {
	d := event.Difference{Field: name}
	if len(all) > event.MaxCompared {
		d.TooMany = true
		return d
	}
	for key, v := range all {
		d.Values = append(d.Values, event.ValueCompare{Value: v.Value, Selected: selected.count(key), Others: others.count(key)})
	}
	share := func(v event.ValueCompare) float64 {
		a, b := 0.0, 0.0
		if nSelected > 0 {
			a = float64(v.Selected) / float64(nSelected)
		}
		if nOthers > 0 {
			b = float64(v.Others) / float64(nOthers)
		}
		return max(a-b, b-a)
	}
	slices.SortFunc(d.Values, func(a, b event.ValueCompare) int {
		return cmp.Or(cmp.Compare(share(b), share(a)), a.Value.Compare(b.Value))
	})
	for _, v := range d.Values {
		d.Score += share(v) / 2
	}
	d.Score = min(1, d.Score)
	if len(d.Values) > limit {
		d.Values = d.Values[:limit]
	}
	return d
}
