package eventdb

import (
	"context"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/eventdb/oracle"
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
	db.mu.RLock()
	events, closed := db.head.events, db.closed
	db.mu.RUnlock()
	if closed {
		return nil, errClosed
	}
	return oracle.Answer(events, q)
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
