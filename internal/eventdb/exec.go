package eventdb

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// execution is one query over the blocks of a view.
type execution struct {
	q           *event.Query
	limits      event.Limits
	first, last int64
	blocks      []*block
	rowsOnly    bool     // nothing but rows is asked, uncounted: old blocks need not be looked at
	fields      []string // that the parts look at: read before anything is counted
	allFields   bool

	next    atomic.Int64 // block
	looked  atomic.Int64 // rows
	memory  []atomic.Int64
	noteBad func(*block, error)
}

// worker is what one goroutine has of the answer.
type worker struct {
	x         *execution
	filter    *filter
	selection *filter // of compare
	cost      event.Cost
	matched   int64
	tables    []*grouper
	rows      *topRows
	heat      *heat
	facets    *facetCounter
	fields    map[string]*fieldCount
	compare   *comparison
	warnings  []string
	scratch   []int32
	buffers   *buffers
}

func newExecution(q *event.Query, limits event.Limits, blocks []*block) *execution {
	x := &execution{q: q, limits: limits, blocks: blocks}
	first, last, ok := q.Range.Bounds()
	if !ok {
		x.blocks = nil
	}
	x.first, x.last = first, last
	x.rowsOnly = q.Rows != nil && !q.Rows.Count && len(q.Tables) == 0 && q.Fields == nil && q.Facets == nil && q.Heatmap == nil && q.Compare == nil
	x.gatherFields()
	if q.Rows != nil && q.Rows.Oldest() && len(q.Rows.Order) == 1 {
		slices.SortStableFunc(x.blocks, func(a, b *block) int { return cmp.Compare(a.minTime, b.minTime) })
	} else if q.Rows != nil {
		slices.SortStableFunc(x.blocks, func(a, b *block) int { return cmp.Compare(b.maxTime, a.maxTime) })
	}
	return x
}

// gatherFields lists what the parts of the query read.
func (x *execution) gatherFields() {
	add := func(names ...string) {
		for _, name := range names {
			switch {
			case name == "" || name == event.TimeField || name == event.IDField:
			case event.IsFieldPattern(name):
				x.allFields = true
			default:
				x.fields = append(x.fields, name)
			}
		}
	}
	of := func(f event.Filter) {
		for name := range f.Fields {
			add(name)
		}
	}
	for i := range x.q.Tables {
		for j := range x.q.Tables[i].By {
			k := &x.q.Tables[i].By[j]
			add(k.Source())
			for _, named := range k.Filters {
				of(named.Filter)
			}
		}
		for j := range x.q.Tables[i].Calculate {
			c := &x.q.Tables[i].Calculate[j]
			add(c.Field)
			if c.Filter != nil {
				of(*c.Filter)
			}
		}
	}
	if x.q.Rows != nil {
		for _, o := range x.q.Rows.Order {
			add(o.By)
		}
	}
	if x.q.Heatmap != nil {
		add(x.q.Heatmap.Field)
	}
	if f := x.q.Facets; f != nil {
		add(f.Fields...)
		x.allFields = x.allFields || len(f.Fields) == 0
	}
	if c := x.q.Compare; c != nil {
		of(c.Selection)
		add(c.Fields...)
		x.allFields = x.allFields || len(c.Fields) == 0
	}
	slices.Sort(x.fields)
	x.fields = slices.Compact(x.fields)
}

func (x *execution) newWorker() (*worker, error) {
	w := &worker{x: x}
	var err error
	if w.filter, err = newFilter(x.q.Filter); err != nil {
		return nil, err
	}
	for i := range x.q.Tables {
		g, err := newGrouper(&x.q.Tables[i])
		if err != nil {
			return nil, err
		}
		w.tables = append(w.tables, g)
	}
	if x.q.Rows != nil {
		w.rows = &topRows{q: x.q.Rows}
	}
	if x.q.Heatmap != nil {
		if w.heat, err = newHeat(x.q.Heatmap); err != nil {
			return nil, err
		}
	}
	if x.q.Facets != nil {
		w.facets = newFacetCounter(x.q.Facets.Fields)
	}
	if x.q.Fields != nil {
		w.fields = map[string]*fieldCount{}
	}
	if x.q.Compare != nil {
		w.compare = newComparison(x.q.Compare.Fields)
		w.selection, err = newFilter(x.q.Compare.Selection)
	}
	return w, err
}

// run answers on several cores.
func (x *execution) run(ctx context.Context) (*event.Result, error) {
	n := max(1, min(runtime.GOMAXPROCS(0), len(x.blocks)))
	x.memory = make([]atomic.Int64, n)
	workers := make([]*worker, n)
	errs := make([]error, n)
	ctx, cancel := context.WithTimeoutCause(ctx, x.limits.Time, errTime)
	defer cancel()
	for i := range n {
		w, err := x.newWorker()
		if err != nil {
			return nil, err
		}
		workers[i] = w
	}
	together(n, func(i int) {
		w := workers[i]
		w.buffers = takeBuffers()
		defer w.buffers.give()
		if errs[i] = w.work(ctx, i); errs[i] != nil {
			cancel()
		}
	})
	if err := firstError(ctx, errs); err != nil {
		return nil, x.limitError(err)
	}
	for _, o := range workers[1:] {
		workers[0].merge(o)
	}
	return workers[0].result(ctx)
}

func (w *worker) work(ctx context.Context, slot int) error {
	for {
		i := w.x.next.Add(1) - 1
		if i >= int64(len(w.x.blocks)) {
			return nil
		}
		if err := ended(ctx); err != nil {
			return err
		}
		b := w.x.blocks[i]
		if err := w.block(ctx, b); err != nil {
			if errors.Is(err, errRows) || ctx.Err() != nil {
				return cmp.Or(ended(ctx), err)
			}
			w.x.noteBad(b, err)
			w.warnings = append(w.warnings, err.Error())
		}
		w.x.memory[slot].Store(w.bytes())
		sum := int64(0)
		for i := range w.x.memory {
			sum += w.x.memory[i].Load()
		}
		if sum > w.x.limits.Memory {
			return errMemory
		}
	}
}

func (w *worker) bytes() int64 {
	sum := int64(len(w.fields)) * fieldCost
	for _, g := range w.tables {
		sum += g.bytes()
	}
	if w.rows != nil {
		sum += int64(len(w.rows.list)) * 160
	}
	if w.facets != nil {
		sum += w.facets.bytes()
	}
	if w.compare != nil {
		sum += w.compare.bytes()
	}
	if w.heat != nil {
		sum += w.heat.bytes()
	}
	return sum
}

// block looks into one block. An error other than a limit means that the block is
// damaged and that nothing of it was counted.
func (w *worker) block(ctx context.Context, b *block) error {
	if b.maxTime < w.x.first || b.minTime > w.x.last || w.x.rowsOnly && w.rows.beyond(b) {
		w.cost.Skipped++
		return nil
	}
	v, err := w.filter.rule(b)
	if err != nil {
		return err
	}
	if v == none {
		w.cost.Skipped++
		return nil
	}
	w.cost.Blocks++
	w.cost.Rows += int64(b.n)
	if w.x.looked.Add(int64(b.n)) > w.x.limits.Rows {
		return errRows
	}
	w.buffers.reset()
	l := &looking{block: b, cost: &w.cost, buf: w.buffers, ended: func() error { return ended(ctx) }}
	selected, err := w.choose(l, v)
	if err != nil {
		return err
	}
	s := &chosen{n: b.n}
	if selected != nil {
		w.scratch = selected.rows(w.scratch[:0])
		s.rows, s.n = w.scratch, len(w.scratch)
	}
	if s.n == 0 {
		return nil
	}
	if err := w.preload(l); err != nil {
		return err
	}
	var names []fieldCount // read before anything is counted, too
	if w.fields != nil {
		if names, err = w.fieldsOf(l, s, selected); err != nil {
			return err
		}
	}
	w.matched += int64(s.n)
	for i := range names {
		w.addField(&names[i])
	}
	return w.count(l, s)
}

// choose are the rows that match; nil: all.
func (w *worker) choose(l *looking, v verdict) (bitset, error) {
	selected, err := l.timeBits(w.x.first, w.x.last)
	if err != nil || v == all {
		return selected, err
	}
	b, err := w.filter.bits(l)
	if err != nil {
		return nil, err
	}
	if selected != nil {
		b.and(selected)
	}
	if b.count() == l.n {
		return nil, nil
	}
	return b, nil
}

func (w *worker) preload(l *looking) error {
	names := w.x.fields
	if w.x.allFields {
		names = l.names()
	}
	for _, name := range names {
		if _, err := l.column(name); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) count(l *looking, s *chosen) error {
	for _, g := range w.tables {
		if err := g.add(l, s); err != nil {
			return err
		}
	}
	if w.rows != nil {
		if err := w.rows.add(l, s); err != nil {
			return err
		}
	}
	if w.heat != nil {
		if err := w.heat.add(l, s); err != nil {
			return err
		}
	}
	if w.facets != nil {
		if err := w.facets.add(l, s); err != nil {
			return err
		}
	}
	if w.compare != nil {
		b, err := w.selection.bits(l)
		if err != nil {
			return err
		}
		return w.compare.add(l, s, b)
	}
	return nil
}

func (w *worker) merge(o *worker) {
	w.matched += o.matched
	w.cost.Rows += o.cost.Rows
	w.cost.Bytes += o.cost.Bytes
	w.cost.Blocks += o.cost.Blocks
	w.cost.Skipped += o.cost.Skipped
	w.warnings = append(w.warnings, o.warnings...)
	for i, g := range w.tables {
		g.merge(o.tables[i])
	}
	if w.rows != nil {
		w.rows.list = append(w.rows.list, o.rows.list...)
		w.rows.cut()
	}
	if w.heat != nil {
		w.heat.merge(o.heat)
	}
	if w.facets != nil {
		w.facets.merge(o.facets)
	}
	for _, f := range o.fields {
		w.addField(f)
	}
	if w.compare != nil {
		w.compare.merge(o.compare)
	}
}

func (w *worker) result(ctx context.Context) (*event.Result, error) {
	r := &event.Result{Matched: w.matched}
	for _, g := range w.tables {
		r.Tables = append(r.Tables, g.result())
	}
	if w.rows != nil {
		if err := w.rows.result(ctx, w, r); err != nil {
			return nil, err
		}
		r.AtLeast = w.x.rowsOnly && r.Next != nil
	}
	if w.heat != nil {
		r.Heatmap = w.heat.result()
	}
	if w.facets != nil {
		r.Facets = w.facets.result(w.x.q.Facets)
	}
	if w.fields != nil {
		r.Fields, r.MoreFields = w.fieldInfos()
	}
	if w.compare != nil {
		r.Compare = w.compare.result(cmp.Or(w.x.q.Compare.Limit, 10))
	}
	slices.Sort(w.warnings)
	r.Warnings = slices.Compact(w.warnings)
	r.Cost = w.cost
	return r, nil
}
