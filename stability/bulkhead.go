package stability

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Bulkhead bounds how many calls are on their way at once, so that one slow
// dependency cannot take all of a caller's resources. Calls beyond the bound
// wait, few and not long, the more important first (see [WithPriority]); the
// rest are refused with [ErrFull].
//
// Around an HTTP exchange the place is held until the body has been read.
//
// Counts: calls, waited, rejected, ignored (gave up waiting).
// Levels: in_flight, waiting, places.
type Bulkhead struct {
	reporter
	name      string
	gate      gate
	maxWait   atomic.Int64
	maxQueue  atomic.Int64
	rejection error
	counts    stripes
}

const (
	bulkheadCalls = iota
	bulkheadWaited
	bulkheadRejected
	bulkheadIgnored
)

// BulkheadOption changes a default of [NewBulkhead].
type BulkheadOption func(*Bulkhead)

// MaxWait is how long a call waits for a place. Default 0: it does not wait.
func MaxWait(d time.Duration) BulkheadOption {
	return func(b *Bulkhead) { b.maxWait.Store(int64(d)) }
}

// MaxQueue is how many calls may wait at once. Default: as many as there are
// places.
func MaxQueue(n int) BulkheadOption { return func(b *Bulkhead) { b.maxQueue.Store(int64(n)) } }

// NewBulkhead makes a bulkhead with places for that many calls, at least one.
func NewBulkhead(name string, places int, opts ...BulkheadOption) *Bulkhead {
	b := &Bulkhead{
		name: name, counts: newStripes(),
		rejection: &RejectedError{Policy: "bulkhead", Name: name, Reason: ErrFull},
	}
	b.maxQueue.Store(int64(max(1, places)))
	b.Configure(places, opts...)
	return b
}

// Configure changes the number of places, and options, of a living bulkhead.
func (b *Bulkhead) Configure(places int, opts ...BulkheadOption) {
	for _, o := range opts {
		o(b)
	}
	b.gate.setLimit(int64(max(1, places)))
}

// Do makes the call when there is a place for it.
func (b *Bulkhead) Do(ctx context.Context, call func(context.Context) error) error {
	if err := b.enter(ctx); err != nil {
		return err
	}
	defer b.gate.leave()
	return call(ctx)
}

func (b *Bulkhead) around(ctx context.Context, n next) error {
	if err := b.enter(ctx); err != nil {
		return err
	}
	if n.target == nil {
		defer b.gate.leave()
		return n.do(ctx)
	}
	defer n.target.whenConsumed(b.gate.leave)
	return n.do(ctx)
}

func (b *Bulkhead) enter(ctx context.Context) error {
	if !b.gate.tryEnter(b.gate.limit.Load()) {
		if err := b.wait(ctx); err != nil {
			return err
		}
	}
	b.counts.add(bulkheadCalls)
	return nil
}

func (b *Bulkhead) wait(ctx context.Context) error {
	queued, err := b.gate.wait(ctx, int(b.maxQueue.Load()), time.Duration(b.maxWait.Load()))
	if queued {
		b.counts.add(bulkheadWaited)
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrFull):
		b.counts.add(bulkheadRejected)
		b.report(Event{Policy: "bulkhead", Name: b.name, Decision: "rejected", Err: b.rejection})
		return b.rejection
	default:
		b.counts.add(bulkheadIgnored)
		return err
	}
}

// InFlight tells how many calls are on their way.
func (b *Bulkhead) InFlight() int { return int(b.gate.inFlight.Load()) }

// Snapshot tells the counts so far and how full it is.
func (b *Bulkhead) Snapshot() Snapshot {
	return Snapshot{Policy: "bulkhead", Name: b.name, Counts: map[string]uint64{
		"calls": b.counts.sum(bulkheadCalls), "waited": b.counts.sum(bulkheadWaited),
		"rejected": b.counts.sum(bulkheadRejected), "ignored": b.counts.sum(bulkheadIgnored),
	}, Levels: map[string]float64{
		"in_flight": float64(b.gate.inFlight.Load()), "waiting": float64(b.gate.waiting.Load()), "places": float64(b.gate.limit.Load()),
	}}
}
