package eventdb

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// Query answers q.
func (db *DB) Query(ctx context.Context, q event.Query) (*event.Result, error) {
	start := time.Now()
	r, err := db.answer(ctx, q)
	outcome := "ok"
	if err != nil {
		outcome = "failed"
	} else {
		r.Cost.Elapsed = time.Since(start)
	}
	db.metrics.queries.WithLabelValues(outcome).Observe(time.Since(start).Seconds())
	return r, err
}

func (db *DB) answer(ctx context.Context, q event.Query) (*event.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := q.Validate(); err != nil {
		return nil, err
	}
	v, err := db.moment()
	if err != nil {
		return nil, err
	}
	defer v.release()
	x := newExecution(&q, db.limits(q.Limits), v.blocks())
	x.noteBad = func(b *block, err error) {
		if b.part != nil {
			db.noteBad(b.part, err)
		}
	}
	r, err := x.run(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range v.parts {
		if p.broken != nil {
			r.Warnings = append(r.Warnings, fmt.Sprintf("%d events cannot be read: %v", p.Rows, p.broken))
		}
	}
	return r, nil
}

// limits are what a query may take: what it names, within the store's.
func (db *DB) limits(of event.Limits) event.Limits {
	l := db.cfg.Limits
	if of.Time > 0 {
		l.Time = min(l.Time, of.Time)
	}
	if of.Rows > 0 {
		l.Rows = min(l.Rows, of.Rows)
	}
	if of.Memory > 0 {
		l.Memory = min(l.Memory, of.Memory)
	}
	return l
}

// moment is everything that is stored at one.
type moment struct {
	parts   []*part
	heads   []*head
	batches [][]*batch // of each head
}

func (db *DB) moment() (*moment, error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.closed {
		return nil, errClosed
	}
	v := &moment{parts: slices.Clone(db.parts), heads: append(slices.Clone(db.sealed), db.head)}
	for _, p := range v.parts {
		p.acquire()
	}
	for _, h := range v.heads {
		v.batches = append(v.batches, h.batches)
	}
	return v, nil
}

func (v *moment) release() {
	for _, p := range v.parts {
		p.release()
	}
}

func (v *moment) blocks() []*block {
	var out []*block
	for i, h := range v.heads {
		out = append(out, h.blocks(v.batches[i])...)
	}
	n := len(out)
	for _, p := range v.parts {
		n += len(p.pages)
	}
	out = slices.Grow(out, n-len(out))
	for _, p := range v.parts {
		if p.broken != nil {
			continue
		}
		for i := range p.pages {
			out = append(out, p.block(i))
		}
	}
	return out
}

// Scan calls yield with all events that q asks for, in the order of q.Rows, a
// batch at a time: for exports. Its Limit is that of a batch.
func (db *DB) Scan(ctx context.Context, q event.Query, yield func([]event.Event) error) (event.Cost, error) {
	var cost event.Cost
	rows := event.Rows{Limit: event.MaxRows}
	if q.Rows != nil {
		rows = *q.Rows
	}
	q = event.Query{Range: q.Range, Filter: q.Filter, Limits: q.Limits, Rows: &rows}
	for {
		r, err := db.Query(ctx, q)
		if err != nil {
			return cost, err
		}
		cost.Rows += r.Cost.Rows
		cost.Bytes += r.Cost.Bytes
		cost.Blocks += r.Cost.Blocks
		cost.Skipped += r.Cost.Skipped
		cost.Elapsed += r.Cost.Elapsed
		if len(r.Rows) > 0 {
			if err := yield(r.Rows); err != nil {
				return cost, err
			}
		}
		if r.Next == nil {
			return cost, nil
		}
		rows.After = r.Next
	}
}

// Fields lists the fields of the events of a time range that match a filter.
func (db *DB) Fields(ctx context.Context, within event.Range, filter event.Filter) ([]event.FieldInfo, error) {
	r, err := db.Query(ctx, event.Query{Range: within, Filter: filter, Fields: &event.Fields{}})
	if err != nil {
		return nil, err
	}
	return r.Fields, nil
}
