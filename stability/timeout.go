package stability

import (
	"context"
	"sync/atomic"
	"time"
)

// Timeout bounds a call by a deadline in its context. It starts no goroutine,
// so a call that ignores its context is not cut short.
//
// Around an HTTP exchange the deadline covers reading the body.
//
// Counts: calls, timeout.
type Timeout struct {
	name           string
	after          time.Duration
	calls, timeout atomic.Uint64
}

// NewTimeout makes a policy that ends calls after d with a [*TimeoutError].
func NewTimeout(name string, d time.Duration) *Timeout { return &Timeout{name: name, after: d} }

// Do makes the call with the deadline in its context.
func (t *Timeout) Do(ctx context.Context, call func(context.Context) error) error {
	t.calls.Add(1)
	bounded, cancel := context.WithTimeout(ctx, t.after)
	defer whenConsumed(ctx, cancel)
	err := call(bounded)
	if err != nil && bounded.Err() == context.DeadlineExceeded && ctx.Err() == nil {
		t.timeout.Add(1)
		return &TimeoutError{Name: t.name, After: t.after}
	}
	return err
}

// Snapshot tells the counts so far.
func (t *Timeout) Snapshot() Snapshot {
	return Snapshot{Policy: "timeout", Name: t.name, Counts: map[string]uint64{
		"calls": t.calls.Load(), "timeout": t.timeout.Load(),
	}}
}
