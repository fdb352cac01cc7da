package stability

import (
	"context"
	"slices"
	"sync/atomic"
	"time"
)

// FailFast refuses work that cannot succeed before any of it is done: when
// less time is left than it needs ([ErrNoTime]), or when what it needs is not
// ready ([ErrNotReady]).
//
// Counts: calls, no_time, not_ready.
type FailFast struct {
	reporter
	name   string
	config atomic.Pointer[failFastConfig]
	counts stripes
	late   error
}

type failFastConfig struct {
	least  time.Duration
	checks []func() error
}

const (
	failFastCalls = iota
	failFastNoTime
	failFastNotReady
)

// NewFailFast makes a policy that wants at least that much time before the
// caller's deadline, and no error from any of the checks. They are asked at
// every call, so they should only look at what is known: a breaker's state, a
// flag.
func NewFailFast(name string, least time.Duration, checks ...func() error) *FailFast {
	f := &FailFast{name: name, counts: newStripes(), late: &RejectedError{Policy: "fail fast", Name: name, Reason: ErrNoTime}}
	f.Configure(least, checks...)
	return f
}

// Configure changes the time and the checks of a living policy.
func (f *FailFast) Configure(least time.Duration, checks ...func() error) {
	f.config.Store(&failFastConfig{least, slices.Clone(checks)})
}

// Do makes the call if it can succeed.
func (f *FailFast) Do(ctx context.Context, call func(context.Context) error) error {
	return f.around(ctx, next{call: call})
}

func (f *FailFast) around(ctx context.Context, n next) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c := f.config.Load()
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < c.least {
		f.counts.add(failFastNoTime)
		f.report(Event{Policy: "fail fast", Name: f.name, Decision: "no_time", Err: f.late})
		return f.late
	}
	for _, check := range c.checks {
		if err := check(); err != nil {
			f.counts.add(failFastNotReady)
			f.report(Event{Policy: "fail fast", Name: f.name, Decision: "not_ready", Reason: err.Error(), Err: err})
			return &RejectedError{Policy: "fail fast", Name: f.name, Reason: ErrNotReady, RetryAfter: time.Second}
		}
	}
	f.counts.add(failFastCalls)
	return n.do(ctx)
}

// Snapshot tells the counts so far.
func (f *FailFast) Snapshot() Snapshot {
	return Snapshot{Policy: "fail fast", Name: f.name, Counts: map[string]uint64{
		"calls": f.counts.sum(failFastCalls), "no_time": f.counts.sum(failFastNoTime), "not_ready": f.counts.sum(failFastNotReady),
	}}
}
