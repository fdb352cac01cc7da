package eventdb

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// topRows gathers the first rows of an order.
type topRows struct {
	q     *event.Rows
	list  []rowPlace
	floor *event.Cursor // nothing after it is wanted, once there are enough
}

type rowPlace struct {
	event.Cursor
	block *block
	row   int32
}

// beyond tells whether a block has no row that could be wanted.
func (t *topRows) beyond(b *block) bool {
	if len(t.q.Order) > 1 || len(t.q.Order) == 1 && t.q.Order[0].By != event.TimeField {
		return false
	}
	if t.q.Oldest() {
		return t.floor != nil && b.minTime > t.floor.Time || t.q.After != nil && b.maxTime < t.q.After.Time
	}
	return t.floor != nil && b.maxTime < t.floor.Time || t.q.After != nil && b.minTime > t.q.After.Time
}

func (t *topRows) add(l *looking, s *chosen) error {
	if t.beyond(l.block) {
		return nil
	}
	times, err := l.getTimes()
	if err != nil {
		return err
	}
	ids, err := l.getIDs()
	if err != nil {
		return err
	}
	columns := make([]*column, len(t.q.Order))
	for i, o := range t.q.Order {
		if columns[i], err = l.column(o.By); err != nil {
			return err
		}
	}
	for i := range s.n {
		row := s.row(i)
		place := rowPlace{Cursor: event.Cursor{Time: times[row], ID: uint64(ids[row])}, block: l.block, row: int32(row)}
		if len(columns) > 0 {
			place.Values = make([]event.Value, len(columns))
			for j, c := range columns {
				if c != nil {
					place.Values[j] = ownText(c.value(row))
				}
			}
		}
		if t.floor != nil && !t.q.Before(&place.Cursor, t.floor) || t.q.After != nil && !t.q.Before(t.q.After, &place.Cursor) {
			continue
		}
		if t.list = append(t.list, place); len(t.list) > 4*t.q.Limit+1024 {
			t.cut()
		}
	}
	if len(t.list) > t.q.Limit {
		t.cut()
	}
	return nil
}

// cut keeps one row more than wanted: it tells that there are more.
func (t *topRows) cut() {
	slices.SortFunc(t.list, func(a, b rowPlace) int {
		switch {
		case t.q.Before(&a.Cursor, &b.Cursor):
			return -1
		case t.q.Before(&b.Cursor, &a.Cursor):
			return 1
		}
		return 0
	})
	if len(t.list) > t.q.Limit {
		t.list = t.list[:t.q.Limit+1]
		t.floor = &event.Cursor{}
		*t.floor = t.list[t.q.Limit].Cursor
	}
}

// result reads the rows themselves, block by block.
func (t *topRows) result(ctx context.Context, w *worker, r *event.Result) error {
	t.cut()
	if len(t.list) > t.q.Limit {
		t.list = t.list[:t.q.Limit]
		c := t.list[t.q.Limit-1].Cursor
		r.Next = &c
	}
	f := fetching{w: w, list: t.list, fields: t.q.Fields, events: make([]event.Event, len(t.list)), good: make([]bool, len(t.list))}
	if err := f.run(ctx); err != nil {
		return w.x.limitError(err)
	}
	for i, ok := range f.good {
		if ok {
			r.Rows = append(r.Rows, f.events[i])
		}
	}
	return nil
}

// fetching reads rows, block by block on several cores.
type fetching struct {
	w      *worker
	list   []rowPlace
	fields []string
	events []event.Event
	good   []bool
	next   atomic.Int64 // block
	size   atomic.Int64 // of events

	mu sync.Mutex // guards w
}

func (f *fetching) run(ctx context.Context) error {
	places := map[*block][]int{}
	var blocks []*block
	for i := range f.list {
		b := f.list[i].block
		if places[b] == nil {
			blocks = append(blocks, b)
		}
		places[b] = append(places[b], i)
	}
	errs := make([]error, min(runtime.GOMAXPROCS(0), len(blocks)))
	together(len(errs), func(worker int) {
		buf := takeBuffers()
		defer buf.give()
		for errs[worker] == nil {
			i := f.next.Add(1) - 1
			if i >= int64(len(blocks)) {
				return
			}
			errs[worker] = f.block(ctx, buf, blocks[i], places[blocks[i]])
		}
	})
	return firstError(ctx, errs)
}

// block reads rows of one block; of a damaged one those that it can.
func (f *fetching) block(ctx context.Context, buf *buffers, b *block, places []int) error {
	var cost event.Cost
	buf.reset()
	l := &looking{block: b, cost: &cost, buf: buf}
	sections := make([]*section, b.columns())
	var failed error
	for _, i := range places {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		place := &f.list[i]
		e, err := l.event(int(place.row), place.Time, place.ID, f.fields, sections)
		if err != nil {
			f.w.x.noteBad(b, err)
			failed = err
			break
		}
		f.events[i], f.good[i] = e, true
		if f.size.Add(eventSize(&e)) > f.w.x.limits.Memory {
			return errMemory
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.w.cost.Bytes += cost.Bytes
	if failed != nil {
		f.w.warnings = append(f.w.warnings, failed.Error())
	}
	return nil
}

// eventSize is about what an event takes in memory.
func eventSize(e *event.Event) int64 {
	size := int64(64)
	for i := range e.Fields {
		_, text := e.Fields[i].Value.Raw()
		size += 48 + int64(len(text))
	}
	return size
}
