package elasticsearch

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/match"
)

// evaluation answers the aggregations of one search. Each level of buckets is one
// question to the store for all buckets of the level above: grouped by the keys
// on the way down, narrowed to the buckets that are shown.
type evaluation struct {
	door    *Door
	ctx     context.Context
	request *request
	typed   bool
	buckets int
}

// place is one bucket of some level on the way down.
type place struct {
	keys   []event.Value // of the levels above
	filter []event.Filter
	count  int64
	out    map[string]any // where its aggregations are answered
	cells  []event.Cell
}

func (d *Door) aggregate(ctx context.Context, s *request, typed bool) (map[string]any, error) {
	if err := d.refuseLists(ctx, s); err != nil {
		return nil, err
	}
	e := &evaluation{door: d, ctx: ctx, request: s, typed: typed}
	root := &place{out: map[string]any{}}
	if err := e.level([]*place{root}, nil, s.aggs, s.filter); err != nil {
		return nil, err
	}
	return root.out, nil
}

// level answers aggregations in every one of the places, which share their keys.
func (e *evaluation) level(places []*place, by []event.Key, aggs []aggregation, filter event.Filter) error {
	if len(places) == 0 {
		return nil
	}
	if err := e.metrics(places, by, aggs, filter); err != nil {
		return err
	}
	for i := range aggs {
		a := &aggs[i]
		var err error
		switch {
		case a.kind == "top_hits":
			err = e.topHits(places, a)
		case a.kind == "composite":
			err = e.composite(places, by, a, filter)
		case a.filters != nil:
			err = e.filtered(places, by, a, filter)
		case a.key != nil:
			err = e.grouped(places, by, a, filter)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// label is the name of an aggregation in the answer.
func (e *evaluation) label(a *aggregation, kind string) string {
	if e.typed {
		return kind + "#" + a.name
	}
	return a.name
}

func (e *evaluation) put(p *place, a *aggregation, kind string, body map[string]any) {
	if a.meta != nil {
		body["meta"] = a.meta
	}
	p.out[e.label(a, kind)] = body
}

// metrics answers the aggregations without buckets with one question.
func (e *evaluation) metrics(places []*place, by []event.Key, aggs []aggregation, filter event.Filter) error {
	var calc []event.Calculation
	at := map[string][2]int{}
	for i := range aggs {
		c := aggs[i].calculations()
		if len(c) > 0 {
			at[aggs[i].name] = [2]int{len(calc), len(calc) + len(c)}
			calc = append(calc, c...)
		}
	}
	if len(calc) == 0 {
		return nil
	}
	if len(calc) > 64 {
		return illegal("more than 64 metrics side by side")
	}
	for i := range calc {
		calc[i].Name = "c" + strconv.Itoa(i)
	}
	groups, err := e.ask(by, calc, filter, nil, 0)
	if err != nil {
		return err
	}
	found := map[string]event.Group{}
	for _, g := range groups.Groups {
		found[keyOf(g.Keys)] = g
	}
	for _, p := range places {
		g, ok := found[keyOf(p.keys)]
		for i := range aggs {
			span, is := at[aggs[i].name]
			if !is {
				continue
			}
			var cells []event.Cell
			if ok {
				cells = g.Cells[span[0]:span[1]]
			}
			kind, body := aggs[i].metric(cells)
			e.put(p, &aggs[i], kind, body)
		}
	}
	return nil
}

func keyOf(keys []event.Value) string {
	var b strings.Builder
	for _, k := range keys {
		k = k.Key()
		s := k.String()
		fmt.Fprintf(&b, "%d:%d:%s|", k.Type(), len(s), s)
	}
	return b.String()
}

// ask groups what matches.
func (e *evaluation) ask(by []event.Key, calc []event.Calculation, filter event.Filter, order []event.Order, limit int) (*event.TableResult, error) {
	t := event.Table{By: by, Calculate: calc, Order: order, Limit: cmp.Or(limit, event.MaxGroups), Total: limit > 0}
	res, err := e.door.cfg.Events.Query(e.ctx, event.Query{Range: bounds(filter), Filter: filter, Tables: []event.Table{t}})
	if err != nil {
		return nil, err
	}
	r := &res.Tables[0]
	if limit == 0 && r.More > 0 {
		return nil, tooMany()
	}
	return r, nil
}

func tooMany() error {
	return faultf(http.StatusBadRequest, "too_many_buckets_exception", "Trying to create too many buckets. Must be less than or equal to: [%d]", maxBuckets)
}

func (e *evaluation) spend(n int) error {
	if e.buckets += n; e.buckets > maxBuckets {
		return tooMany()
	}
	return nil
}

var count = event.Calculation{Name: "n", Op: event.CalcCount}

// grouped answers terms, histogram and date_histogram.
func (e *evaluation) grouped(places []*place, by []event.Key, a *aggregation, filter event.Filter) error {
	key := *a.key
	key.Name = "k" + strconv.Itoa(len(by))
	keys := append(slices.Clone(by), key)
	calc := []event.Calculation{count}
	order, err := e.orderOf(a, &calc)
	if err != nil {
		return err
	}
	limit, size := 0, 0
	var tableOrder []event.Order
	if a.kind == "terms" {
		size, _ = integer(a.options["size"], 10)
		if len(by) == 0 && a.options["include"] == nil && a.options["exclude"] == nil {
			limit, tableOrder = min(size, event.MaxGroups), order.table(key.Name)
			has := event.Exists(a.field)
			calc = append(calc, event.Calculation{Name: "has", Op: event.CalcCount, Filter: &has})
		}
	}
	groups, err := e.ask(keys, calc, filter, tableOrder, limit)
	if err != nil {
		return err
	}
	children := map[string][]*place{}
	rest := map[string]int64{}
	for _, g := range groups.Groups {
		if len(g.Keys) == 0 || g.Keys[len(g.Keys)-1].IsNull() && a.key.Present {
			continue
		}
		n := g.Cells[0].Value.Int64()
		above := keyOf(g.Keys[:len(by)])
		children[above] = append(children[above], &place{keys: g.Keys, count: n, out: map[string]any{}, cells: g.Cells})
	}
	if limit > 0 && len(groups.Total) == len(calc) {
		rest[""] = groups.Total[len(calc)-1].Value.Int64()
	}
	var shown []*place
	for _, p := range places {
		mine := children[keyOf(p.keys)]
		var others int64
		switch a.kind {
		case "terms":
			mine, others, err = a.chooseTerms(mine, order, size, limit > 0)
		default:
			mine, err = a.fillGaps(mine, p.keys)
		}
		if err != nil {
			return err
		}
		if err := e.spend(len(mine)); err != nil {
			return err
		}
		if limit > 0 { // what was not asked for
			others = rest[""]
			for _, c := range mine {
				others -= c.count
			}
			others = max(0, others)
		}
		body, list := map[string]any{}, make([]map[string]any, len(mine))
		for i, c := range mine {
			list[i] = a.bucket(c)
			list[i]["doc_count"] = c.count
			c.out = list[i]
		}
		shown = append(shown, mine...)
		body["buckets"] = list
		kind := a.kind
		if a.kind == "terms" {
			body["doc_count_error_upper_bound"], body["sum_other_doc_count"] = 0, others
			kind = termsKind(mine)
		}
		if a.options["keyed"] == true {
			body["buckets"] = keyedBuckets(list)
		}
		e.put(p, a, kind, body)
	}
	if len(a.subs) == 0 {
		return nil
	}
	down := filter
	if a.kind == "terms" {
		down = event.And(filter, shownTerms(a, shown))
	}
	for _, c := range shown {
		parent := placeFilter(places, c, len(by))
		c.filter = append(slices.Clone(parent), a.only(c.keys[len(by)]))
	}
	return e.level(shown, keys, a.subs, down)
}

func placeFilter(places []*place, c *place, n int) []event.Filter {
	for _, p := range places {
		if keyOf(p.keys) == keyOf(c.keys[:n]) {
			return p.filter
		}
	}
	return nil
}

func termsKind(places []*place) string {
	if len(places) == 0 {
		return "sterms"
	}
	keys := places[0].keys
	switch keys[len(keys)-1].Type() {
	case event.TypeInt, event.TypeBool, event.TypeDuration:
		return "lterms"
	case event.TypeFloat:
		return "dterms"
	}
	return "sterms"
}

// shownTerms narrows to the terms that are shown somewhere.
func shownTerms(a *aggregation, shown []*place) event.Filter {
	var values []event.Value
	missing := false
	seen := map[string]bool{}
	for _, p := range shown {
		v := p.keys[len(p.keys)-1]
		if v.IsNull() {
			missing = true
			continue
		}
		if k := keyOf([]event.Value{v}); !seen[k] {
			seen[k] = true
			values = append(values, v)
		}
	}
	f := event.In(a.field, values...)
	if missing {
		f = event.Or(f, event.Not(event.Exists(a.field)))
	}
	return f
}

// only is the filter of one bucket.
func (a *aggregation) only(v event.Value) event.Filter {
	switch {
	case a.kind == "terms" && v.IsNull():
		return event.Not(event.Exists(a.field))
	case a.kind == "terms":
		return event.Equals(a.field, v)
	case a.kind == "histogram":
		f, _ := v.Number()
		return event.And(event.AtLeast(a.field, v), event.LessThan(a.field, event.Float(f+a.key.Step)))
	}
	buckets, err := a.key.TimeBuckets()
	if err != nil {
		return match.Nothing()
	}
	from, to := buckets.Bounds(v.Int64())
	return event.And(event.AtLeast(event.TimeField, event.Time(from)), event.LessThan(event.TimeField, event.Time(to)))
}

// bucket is how one bucket is named in the answer.
func (a *aggregation) bucket(p *place) map[string]any {
	v := p.keys[len(p.keys)-1]
	switch {
	case a.kind == "date_histogram":
		return map[string]any{"key": v.Int64() / 1e6, "key_as_string": a.forms[0].write(v.Int64(), a.zone)}
	case a.kind == "histogram":
		f, _ := v.Number()
		return map[string]any{"key": f}
	case v.IsNull():
		return map[string]any{"key": a.options["missing"]}
	case v.Type() == event.TypeBool:
		n, _ := v.Number()
		return map[string]any{"key": n, "key_as_string": v.String()}
	case v.Type() == event.TypeTime:
		return map[string]any{"key": v.Int64() / 1e6, "key_as_string": v.String()}
	case v.Type() == event.TypeDuration:
		return map[string]any{"key": v.Int64()}
	}
	return map[string]any{"key": v}
}

func keyedBuckets(list []map[string]any) map[string]any {
	out := map[string]any{}
	for _, b := range list {
		name := fmt.Sprint(b["key"])
		if s, ok := b["key_as_string"].(string); ok {
			name = s
		}
		out[name] = b
	}
	return out
}

// ordering is how the buckets of terms come.
type ordering []struct {
	by   int // of the cells; -1: the key
	desc bool
}

// orderOf reads the order and adds what it needs calculated.
func (e *evaluation) orderOf(a *aggregation, calc *[]event.Calculation) (o ordering, err error) {
	add := func(by int, desc bool) {
		o = append(o, struct {
			by   int
			desc bool
		}{by, desc})
	}
	if a.kind != "terms" {
		return nil, nil
	}
	items, ok := a.options["order"].([]any)
	if !ok && a.options["order"] != nil {
		items = []any{a.options["order"]}
	}
	for _, item := range items {
		m, ok := item.(map[string]any)
		if !ok || len(m) != 1 {
			return nil, parsing("[order] of [%s] is an object with one name", a.name)
		}
		name := names(m)[0]
		desc := m[name] == "desc"
		switch name {
		case "_count":
			add(0, desc)
		case "_key", "_term":
			add(-1, desc)
		default:
			c, ok := a.orderMetric(name)
			if !ok {
				return nil, illegal("Invalid aggregation order path [%.60s]. Unknown aggregation or one that cannot order", name)
			}
			c.Name = "o" + strconv.Itoa(len(*calc))
			add(len(*calc), desc)
			*calc = append(*calc, c)
		}
	}
	if len(items) == 0 {
		add(0, true)
	}
	add(-1, false)
	return o, nil
}

// orderMetric is the metric of a sub-aggregation that buckets are ordered by.
func (a *aggregation) orderMetric(name string) (event.Calculation, bool) {
	name, part, _ := strings.Cut(strings.ReplaceAll(name, ">", "."), ".")
	for i := range a.subs {
		s := &a.subs[i]
		if s.name != name {
			continue
		}
		kind := s.kind
		if (kind == "stats" || kind == "extended_stats") && part != "" {
			kind = part
		}
		switch kind {
		case "avg", "min", "max", "sum":
			return event.Calculation{Op: kind, Field: s.field}, true
		case "cardinality":
			return event.Calculation{Op: event.CalcDistinct, Field: s.field}, true
		case "value_count", "count":
			f := event.Exists(s.field)
			return event.Calculation{Op: event.CalcCount, Filter: &f}, true
		case "percentiles":
			if q, err := strconv.ParseFloat(part, 64); err == nil && q >= 0 && q <= 100 {
				return event.Calculation{Op: event.CalcQuantile, Field: s.field, Quantile: q / 100}, true
			}
		}
	}
	return event.Calculation{}, false
}

// table is the order in the words of a table whose calculations are n, o1, o2 …
func (o ordering) table(key string) (out []event.Order) {
	for _, one := range o {
		name := key
		switch {
		case one.by == 0:
			name = count.Name
		case one.by > 0:
			name = "o" + strconv.Itoa(one.by)
		}
		out = append(out, event.Order{By: name, Desc: one.desc})
	}
	return out
}

// chooseTerms orders and cuts the buckets of one place; others counts what is
// not shown.
func (a *aggregation) chooseTerms(all []*place, o ordering, size int, done bool) (shown []*place, others int64, err error) {
	least, err := integer(a.options["min_doc_count"], 1)
	if err != nil {
		return nil, 0, err
	}
	take, err := a.includes()
	if err != nil {
		return nil, 0, err
	}
	for _, p := range all {
		v := p.keys[len(p.keys)-1]
		if v.IsNull() && a.options["missing"] == nil || p.count < int64(least) || !take(v.String()) {
			continue
		}
		shown = append(shown, p)
	}
	if !done {
		slices.SortStableFunc(shown, func(x, y *place) int {
			for _, one := range o {
				a, b := x.keys[len(x.keys)-1], y.keys[len(y.keys)-1]
				if one.by >= 0 {
					a, b = x.cells[one.by].Value, y.cells[one.by].Value
				}
				c := a.Compare(b)
				if one.desc {
					c = -c
				}
				if c != 0 {
					return c
				}
			}
			return 0
		})
	}
	if len(shown) > size {
		for _, p := range shown[size:] {
			others += p.count
		}
		shown = shown[:size]
	}
	return shown, others, nil
}

// includes reads include and exclude: lists of values or a regular expression.
func (a *aggregation) includes() (func(string) bool, error) {
	test := func(v any) (func(string) bool, error) {
		switch v := v.(type) {
		case []any:
			list := stringList(v)
			return func(s string) bool { return slices.Contains(list, s) }, nil
		case string:
			re, err := regexp.Compile("^(?:" + v + ")$")
			if err != nil {
				return nil, illegal("[%.60s] is no regular expression: %v", v, err)
			}
			return re.MatchString, nil
		}
		return nil, nil
	}
	in, err := test(a.options["include"])
	if err != nil {
		return nil, err
	}
	out, err := test(a.options["exclude"])
	return func(s string) bool { return (in == nil || in(s)) && (out == nil || !out(s)) }, err
}

// fillGaps orders the buckets of a histogram and puts empty ones between them,
// and up to the bounds that were asked for.
func (a *aggregation) fillGaps(all []*place, above []event.Value) ([]*place, error) {
	slices.SortFunc(all, func(x, y *place) int { return x.keys[len(x.keys)-1].Compare(y.keys[len(y.keys)-1]) })
	least, err := integer(a.options["min_doc_count"], 0)
	if err != nil {
		return nil, err
	}
	if least > 0 {
		return slices.DeleteFunc(all, func(p *place) bool { return p.count < int64(least) }), nil
	}
	next, floor, err := a.steps()
	if err != nil {
		return nil, err
	}
	var from, to event.Value
	if len(all) > 0 {
		from, to = all[0].keys[len(all[0].keys)-1], all[len(all)-1].keys[len(above)]
	}
	if b, ok := a.options["extended_bounds"].(map[string]any); ok {
		low, high, err := a.boundsOf(b)
		if err != nil {
			return nil, err
		}
		if v := floor(low); !low.IsNull() && (from.IsNull() || v.Compare(from) < 0) {
			from = v
		}
		if v := floor(high); !high.IsNull() && (to.IsNull() || v.Compare(to) > 0) {
			to = v
		}
	}
	if from.IsNull() || to.IsNull() {
		return all, nil
	}
	var filled []*place
	i := 0
	for at := from; at.Compare(to) <= 0; at = next(at) {
		if len(filled) > maxBuckets {
			return nil, tooMany()
		}
		if i < len(all) && all[i].keys[len(above)].Compare(at) <= 0 {
			filled = append(filled, all[i])
			i++
			continue
		}
		filled = append(filled, &place{keys: append(slices.Clone(above), at), out: map[string]any{}})
	}
	return append(filled, all[i:]...), nil
}

// steps are how one goes to the next bucket and to the beginning of one.
func (a *aggregation) steps() (next, floor func(event.Value) event.Value, err error) {
	if a.kind == "histogram" {
		number := func(v event.Value) float64 { f, _ := v.Number(); return f }
		n := 0
		var first float64
		next = func(v event.Value) event.Value {
			if n == 0 {
				first = number(v)
			}
			n++
			return event.Float(first + float64(n)*a.key.Step)
		}
		return next, func(v event.Value) event.Value { return event.Float(a.key.NumberBucket(number(v))) }, nil
	}
	buckets, err := a.key.TimeBuckets()
	if err != nil {
		return nil, nil, illegal("%v", err)
	}
	next = func(v event.Value) event.Value { _, to := buckets.Bounds(v.Int64()); return event.Time(to) }
	return next, func(v event.Value) event.Value { from, _ := buckets.Bounds(v.Int64()); return event.Time(from) }, nil
}

func (a *aggregation) boundsOf(b map[string]any) (low, high event.Value, err error) {
	read := func(v any) (event.Value, error) {
		if v == nil {
			return event.Value{}, nil
		}
		if a.kind == "histogram" {
			f, ok := number(v)
			if !ok {
				return event.Value{}, illegal("[extended_bounds] needs numbers")
			}
			return event.Float(f), nil
		}
		t, err := parseDate(fmt.Sprint(v), a.forms, a.now, false, a.zone)
		if err != nil {
			return event.Value{}, err
		}
		return event.Time(t.UnixNano()), nil
	}
	if low, err = read(b["min"]); err != nil {
		return low, high, err
	}
	high, err = read(b["max"])
	return low, high, err
}

// filtered answers filter, filters, missing, range and date_range: each bucket
// is a place of its own, with the filter added.
func (e *evaluation) filtered(places []*place, by []event.Key, a *aggregation, filter event.Filter) error {
	if err := e.spend(len(a.filters) * len(places)); err != nil {
		return err
	}
	counts := make([]event.Calculation, len(a.filters))
	for i := range a.filters {
		counts[i] = event.Calculation{Name: "f" + strconv.Itoa(i), Op: event.CalcCount, Filter: &a.filters[i].Filter}
	}
	found := map[string][]event.Cell{}
	for at := 0; at < len(counts); at += 64 {
		groups, err := e.ask(by, counts[at:min(at+64, len(counts))], filter, nil, 0)
		if err != nil {
			return err
		}
		for _, g := range groups.Groups {
			k := keyOf(g.Keys)
			found[k] = append(found[k], g.Cells...)
		}
	}
	below := make([][]*place, len(a.filters))
	for _, p := range places {
		cells := found[keyOf(p.keys)]
		list := make([]map[string]any, len(a.filters))
		for i, f := range a.filters {
			c := &place{keys: p.keys, filter: append(slices.Clone(p.filter), f.Filter), out: map[string]any{}}
			if i < len(cells) {
				c.count = cells[i].Value.Int64()
			}
			c.out["doc_count"] = c.count
			list[i] = c.out
			below[i] = append(below[i], c)
		}
		e.put(p, a, a.kind, a.filterBody(list))
	}
	if len(a.subs) == 0 {
		return nil
	}
	for i, f := range a.filters {
		if err := e.level(below[i], by, a.subs, event.And(filter, f.Filter)); err != nil {
			return err
		}
	}
	return nil
}

// filterBody arranges the buckets of filters as their kind does.
func (a *aggregation) filterBody(list []map[string]any) map[string]any {
	switch a.kind {
	case "filter", "missing":
		return list[0]
	}
	ranges, _ := a.options["ranges"].([]any)
	if a.keyed {
		named := map[string]any{}
		for i, b := range list {
			a.edges(b, ranges, i)
			named[a.filters[i].Name] = b
		}
		return map[string]any{"buckets": named}
	}
	for i, b := range list {
		if a.kind != "filters" {
			b["key"] = a.filters[i].Name
		}
		a.edges(b, ranges, i)
	}
	return map[string]any{"buckets": list}
}

func (a *aggregation) edges(b map[string]any, ranges []any, i int) {
	if i >= len(ranges) {
		return
	}
	m, _ := ranges[i].(map[string]any)
	for _, end := range []string{"from", "to"} {
		switch v := m[end]; {
		case v == nil:
		case a.kind == "date_range":
			if t, err := parseDate(fmt.Sprint(v), a.forms, a.now, false, a.zone); err == nil {
				b[end], b[end+"_as_string"] = t.UnixMilli(), a.forms[0].write(t.UnixNano(), a.zone)
			}
		default:
			b[end] = v
		}
	}
}

// composite pages through all groups in the order of their keys.
func (e *evaluation) composite(places []*place, by []event.Key, a *aggregation, filter event.Filter) error {
	if len(by) > 0 {
		return illegal("[composite] aggregation cannot be used within another one")
	}
	size, err := integer(a.options["size"], 10)
	if err != nil || size < 1 || size > 10_000 {
		return illegal("[size] of [%s] must be between 1 and 10000", a.name)
	}
	groups, err := e.ask(a.keys, []event.Calculation{count}, filter, nil, 0)
	if err != nil {
		return err
	}
	slices.SortFunc(groups.Groups, func(x, y event.Group) int { return slices.CompareFunc(x.Keys, y.Keys, event.Value.Compare) })
	list := groups.Groups
	if after, ok := a.options["after"].(map[string]any); ok {
		mark := make([]event.Value, len(a.keys))
		for i := range a.keys {
			mark[i] = value(after[a.keys[i].Name])
			if a.keys[i].IsTime() {
				ms, _ := number(after[a.keys[i].Name])
				mark[i] = event.Time(int64(ms) * 1e6)
			}
		}
		at, _ := slices.BinarySearchFunc(list, mark, func(g event.Group, m []event.Value) int {
			if slices.CompareFunc(g.Keys, m, event.Value.Compare) <= 0 {
				return -1
			}
			return 1
		})
		list = list[at:]
	}
	list = list[:min(size, len(list))]
	if err := e.spend(len(list)); err != nil {
		return err
	}
	buckets := make([]map[string]any, len(list))
	shown := make([]*place, len(list))
	body := map[string]any{"buckets": buckets}
	for i, g := range list {
		key := map[string]any{}
		for j, v := range g.Keys {
			key[a.keys[j].Name] = v
			if a.keys[j].IsTime() {
				key[a.keys[j].Name] = v.Int64() / 1e6
			}
		}
		buckets[i] = map[string]any{"key": key, "doc_count": g.Cells[0].Value.Int64()}
		shown[i] = &place{keys: g.Keys, count: g.Cells[0].Value.Int64(), out: buckets[i]}
		body["after_key"] = key
	}
	e.put(places[0], a, "composite", body)
	return e.level(shown, a.keys, a.subs, filter)
}

// topHits asks for the rows of each bucket.
func (e *evaluation) topHits(places []*place, a *aggregation) error {
	if len(places) > maxHitBuckets {
		return illegal("[top_hits] is answered for at most %d buckets, found %d", maxHitBuckets, len(places))
	}
	s := &request{size: 3, now: e.request.now, total: true}
	for _, name := range names(a.options) {
		switch name {
		case "from", "size", "sort", "_source", "fields", "highlight", "docvalue_fields", "version", "explain", "seq_no_primary_term", "stored_fields", "track_scores":
		default:
			return uncovered("option of the aggregation top_hits", name)
		}
		if err := s.member(name, a.options[name]); err != nil {
			return err
		}
	}
	if s.size > 100 {
		return illegal("Top hits result window is too large, the top hits aggregator [%s]'s from + size must be less than or equal to: [100]", a.name)
	}
	for _, p := range places {
		one := *s
		one.filter = event.And(append([]event.Filter{e.request.filter}, p.filter...)...)
		one.rows.Limit, one.rows.Count = max(1, one.from+one.size), true
		answer, _, err := e.door.run(e.ctx, &one, false, e.typed)
		if err != nil {
			return err
		}
		e.put(p, a, "top_hits", map[string]any{"hits": answer["hits"]})
	}
	return nil
}

// calculations are what a metric needs of the store.
func (a *aggregation) calculations() []event.Calculation {
	switch a.kind {
	case "avg", "min", "max", "sum", "stats", "extended_stats":
		return []event.Calculation{{Op: event.CalcStats, Field: a.field}}
	case "value_count":
		f := event.Exists(a.field)
		return []event.Calculation{{Op: event.CalcCount, Filter: &f}}
	case "cardinality":
		return []event.Calculation{{Op: event.CalcDistinct, Field: a.field}}
	case "percentiles":
		var all []event.Calculation
		for _, p := range a.percents() {
			all = append(all, event.Calculation{Op: event.CalcQuantile, Field: a.field, Quantile: p / 100})
		}
		return append(all, event.Calculation{Op: event.CalcStats, Field: a.field})
	}
	return nil
}

func (a *aggregation) percents() (all []float64) {
	list, ok := a.options["percents"].([]any)
	if !ok {
		return []float64{1, 5, 25, 50, 75, 95, 99}
	}
	for _, v := range list {
		if f, ok := number(v); ok && f >= 0 && f <= 100 {
			all = append(all, f)
		}
	}
	return all
}

// metric is the answer of a metric; cells are nil where nothing matched.
func (a *aggregation) metric(cells []event.Cell) (kind string, body map[string]any) {
	var stats event.Stats
	if len(cells) > 0 && cells[0].Stats != nil {
		stats = *cells[0].Stats
	}
	if a.field == event.TimeField { // times are milliseconds in answers
		stats.Sum, stats.Min, stats.Max, stats.Squares = stats.Sum/1e6, millis(stats.Min), millis(stats.Max), stats.Squares/1e12
	}
	some := func(v float64) any {
		if stats.Count == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return v
	}
	switch a.kind {
	case "avg":
		return a.kind, map[string]any{"value": some(stats.Avg())}
	case "min":
		return a.kind, a.withDate(map[string]any{"value": some(stats.Min)}, stats.Min, stats.Count)
	case "max":
		return a.kind, a.withDate(map[string]any{"value": some(stats.Max)}, stats.Max, stats.Count)
	case "sum":
		return a.kind, map[string]any{"value": stats.Sum}
	case "stats", "extended_stats":
		body = map[string]any{"count": stats.Count, "min": some(stats.Min), "max": some(stats.Max), "avg": some(stats.Avg()), "sum": stats.Sum}
		if a.kind == "extended_stats" {
			variance := stats.Variance()
			sampled := variance * float64(stats.Count) / float64(stats.Count-1)
			body["sum_of_squares"], body["variance"], body["variance_population"] = some(stats.Squares), some(variance), some(variance)
			body["std_deviation"], body["std_deviation_population"] = some(math.Sqrt(variance)), some(math.Sqrt(variance))
			body["variance_sampling"], body["std_deviation_sampling"] = some(sampled), some(math.Sqrt(sampled))
			sigma, given := number(a.options["sigma"])
			if !given {
				sigma = 2
			}
			body["std_deviation_bounds"] = map[string]any{"upper": some(stats.Avg() + sigma*math.Sqrt(variance)), "lower": some(stats.Avg() - sigma*math.Sqrt(variance))}
		}
		return a.kind, body
	case "percentiles":
		return "tdigest_percentiles", a.percentiles(cells)
	}
	n := int64(0)
	if len(cells) > 0 {
		n = cells[0].Value.Int64()
	}
	return a.kind, map[string]any{"value": n}
}

// millis are whole milliseconds of nanoseconds that a float64 holds to 256 of them.
func millis(ns float64) float64 { return math.Floor((ns + 256) / 1e6) }

func (a *aggregation) withDate(body map[string]any, v float64, n int64) map[string]any {
	if a.field == event.TimeField && n > 0 {
		body["value_as_string"] = a.forms[0].write(int64(v)*1e6, a.zone)
	}
	return body
}

func (a *aggregation) percentiles(cells []event.Cell) map[string]any {
	values := map[string]any{}
	var list []map[string]any
	var ends event.Stats // no quantile lies outside, however rough it is
	if n := len(cells); n > 0 && cells[n-1].Stats != nil {
		ends = *cells[n-1].Stats
	}
	for i, p := range a.percents() {
		var v any
		if i < len(cells) {
			if f, ok := cells[i].Value.Number(); ok {
				switch rank := math.Ceil(p / 100 * float64(ends.Count)); {
				case rank <= 1:
					f = ends.Min
				case rank >= float64(ends.Count):
					f = ends.Max
				default:
					f = min(max(f, ends.Min), ends.Max)
				}
				if v = f; a.field == event.TimeField {
					v = f / 1e6
				}
			}
		}
		values[esFloat(p)] = v
		list = append(list, map[string]any{"key": p, "value": v})
	}
	if a.options["keyed"] == false {
		return map[string]any{"values": list}
	}
	return map[string]any{"values": values}
}
