package eventdb

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Bounds of following.
const (
	maxTails   = 200 // at once
	tailBuffer = 64  // batches that may wait for a reader; more are dropped and counted
)

// tails are those who follow.
type tails struct {
	mu     sync.Mutex
	list   []*Tail
	closed bool
}

// Tail follows events as they are appended.
type Tail struct {
	of      *tails
	match   *event.Matcher
	batches chan []event.Event
	dropped atomic.Int64
}

// Tail follows the events that match from now on. Close it.
func (db *DB) Tail(_ context.Context, filter event.Filter) (*Tail, error) {
	m, err := event.NewMatcher(filter)
	if err != nil {
		return nil, err
	}
	t := &Tail{of: &db.tails, match: m, batches: make(chan []event.Event, tailBuffer)}
	db.tails.mu.Lock()
	defer db.tails.mu.Unlock()
	switch {
	case db.tails.closed:
		return nil, errClosed
	case len(db.tails.list) >= maxTails:
		return nil, problem.New(problem.Exhausted, "%d readers already follow events", maxTails).WithMend("close some")
	}
	db.tails.list = append(db.tails.list, t)
	return t, nil
}

// Next waits for events that match, and returns them with the number of events
// that were passed over since the last call because the reader was too slow
// (matching or not). The error is ctx's, or that the store was closed.
func (t *Tail) Next(ctx context.Context) (events []event.Event, dropped int64, err error) {
	for {
		select {
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		case batch, ok := <-t.batches:
			if !ok {
				return nil, 0, errClosed
			}
			for i := range batch {
				if t.match.Match(&batch[i]) {
					events = append(events, batch[i])
				}
			}
			if dropped = t.dropped.Swap(0); len(events) > 0 || dropped > 0 {
				return events, dropped, nil
			}
		}
	}
}

// Close ends following.
func (t *Tail) Close() {
	t.of.mu.Lock()
	defer t.of.mu.Unlock()
	t.of.list = slices.DeleteFunc(t.of.list, func(other *Tail) bool { return other == t })
}

// publish hands events, with IDs from first on, to everybody who follows; it
// never waits.
func (ts *tails) publish(events []event.Event, first uint64) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if len(ts.list) == 0 {
		return
	}
	events = slices.Clone(events)
	for i := range events {
		events[i].ID = first + uint64(i)
	}
	for _, t := range ts.list {
		select {
		case t.batches <- events:
		default:
			t.dropped.Add(int64(len(events)))
		}
	}
}

func (ts *tails) close() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.closed = true
	for _, t := range ts.list {
		close(t.batches)
	}
	ts.list = nil
}
