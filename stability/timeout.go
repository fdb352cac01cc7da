package stability

import (
	"context"
	"sync/atomic"
	"time"
)

// Timeout bounds a call by a deadline in its context. It starts no goroutine,
// so a call that ignores its context is not cut short. A sooner deadline of
// the caller stays what it is, and a call marked [Permanent] stays so.
//
// Around an HTTP exchange the deadline covers reading the body, and
// [Transport] tells the server how long the caller will wait.
//
// Counts: calls, timeout.
type Timeout struct {
	reporter
	name   string
	after  atomic.Int64
	counts stripes
	lists  []expiry
}

const (
	timeoutCalls = iota
	timeoutEnded
)

// NewTimeout makes a policy that ends calls after d with a [*TimeoutError], to be
// found with errors.As.
func NewTimeout(name string, d time.Duration) *Timeout {
	t := &Timeout{name: name, counts: newStripes(), lists: make([]expiry, stripeCount)}
	t.Configure(d)
	return t
}

// Configure changes the time of a living policy.
func (t *Timeout) Configure(d time.Duration) { t.after.Store(int64(d)) }

// Do makes the call with the deadline in its context.
func (t *Timeout) Do(ctx context.Context, call func(context.Context) error) error {
	return t.around(ctx, next{call: call})
}

func (t *Timeout) around(ctx context.Context, n next) error {
	t.counts.add(timeoutCalls)
	after := time.Duration(t.after.Load())
	if sooner, ok := ctx.Deadline(); ok && time.Until(sooner) <= after {
		return n.do(ctx)
	}
	bounded := newDeadline(ctx, after, &t.lists[stripe()])
	if n.target == nil {
		defer bounded.release()
	} else {
		defer n.target.whenConsumed(bounded.release)
	}
	err := n.do(bounded)
	if err != nil && bounded.passed() {
		t.counts.add(timeoutEnded)
		t.report(Event{Policy: "timeout", Name: t.name, Decision: "timeout", Err: err})
		return permanentUnless(!isPermanent(err), &TimeoutError{Name: t.name, After: after})
	}
	return err
}

// Snapshot tells the counts so far.
func (t *Timeout) Snapshot() Snapshot {
	return Snapshot{Policy: "timeout", Name: t.name, Counts: map[string]uint64{
		"calls": t.counts.sum(timeoutCalls), "timeout": t.counts.sum(timeoutEnded),
	}}
}
