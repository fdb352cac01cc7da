package stability

import (
	"context"
	"sync/atomic"
	"time"
)

// Bulkhead bounds how many calls are on their way at once, so that one slow
// dependency cannot take all of a caller's resources. Calls beyond the bound
// wait, few and not long; the rest are refused with [ErrFull].
//
// Around an HTTP exchange the place is held until the body has been read.
//
// Counts: calls, waited, rejected, ignored (gave up waiting).
type Bulkhead struct {
	name      string
	places    chan struct{}
	maxWait   time.Duration
	maxQueue  int64
	rejection error

	queue                            atomic.Int64
	calls, waited, rejected, ignored atomic.Uint64
}

// BulkheadOption changes a default of [NewBulkhead].
type BulkheadOption func(*Bulkhead)

// MaxWait is how long a call waits for a place. Default 0: it does not wait.
func MaxWait(d time.Duration) BulkheadOption { return func(b *Bulkhead) { b.maxWait = d } }

// MaxQueue is how many calls may wait at once. Default: as many as there are
// places.
func MaxQueue(n int) BulkheadOption { return func(b *Bulkhead) { b.maxQueue = int64(n) } }

// NewBulkhead makes a bulkhead with places for that many calls, at least one.
func NewBulkhead(name string, places int, opts ...BulkheadOption) *Bulkhead {
	places = max(1, places)
	b := &Bulkhead{
		name: name, places: make(chan struct{}, places), maxQueue: int64(places),
		rejection: &RejectedError{Policy: "bulkhead", Name: name, Reason: ErrFull},
	}
	for _, o := range opts {
		o(b)
	}
	return b
}

// Do makes the call when there is a place for it.
func (b *Bulkhead) Do(ctx context.Context, call func(context.Context) error) error {
	select {
	case b.places <- struct{}{}:
	default:
		if err := b.wait(ctx); err != nil {
			return err
		}
	}
	b.calls.Add(1)
	defer whenConsumed(ctx, func() { <-b.places })
	return call(ctx)
}

func (b *Bulkhead) wait(ctx context.Context) error {
	defer b.queue.Add(-1)
	if b.queue.Add(1) > b.maxQueue || b.maxWait <= 0 {
		b.rejected.Add(1)
		return b.rejection
	}
	b.waited.Add(1)
	timer := time.NewTimer(b.maxWait)
	defer timer.Stop()
	select {
	case b.places <- struct{}{}:
		return nil
	case <-timer.C:
		b.rejected.Add(1)
		return b.rejection
	case <-ctx.Done():
		b.ignored.Add(1)
		return ctx.Err()
	}
}

// InFlight tells how many calls are on their way.
func (b *Bulkhead) InFlight() int { return len(b.places) }

// Snapshot tells the counts so far.
func (b *Bulkhead) Snapshot() Snapshot {
	return Snapshot{Policy: "bulkhead", Name: b.name, Counts: map[string]uint64{
		"calls": b.calls.Load(), "waited": b.waited.Load(),
		"rejected": b.rejected.Load(), "ignored": b.ignored.Load(),
	}}
}
