package stability

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// Retry makes a failed call again, after an exponentially growing, fully
// jittered wait (see "Exponential Backoff And Jitter", AWS Architecture Blog),
// while its budget allows.
//
// It does not retry what a retry cannot mend: errors marked [Permanent], calls
// that a breaker, a throttle or a load shedder refused, callers that gave up.
// It does not begin a wait that the context's deadline would cut short. A
// dependency's Retry-After is honoured up to the longest wait.
//
// Counts: calls, retry, exhausted (attempts used up), unfunded (no budget).
// Levels: budget (retries it pays for now).
type Retry struct {
	reporter
	name   string
	config atomic.Pointer[retryConfig]
	counts stripes
}

const (
	retryCalls = iota
	retryAgain
	retryExhausted
	retryUnfunded
)

type retryConfig struct {
	attempts  int
	base, cap time.Duration
	budget    *Budget
	retryIf   func(error) bool
}

// RetryOption changes a default of [NewRetry].
type RetryOption func(*retryConfig)

// Attempts is how often the call is made at most, the first time included.
// Default 3.
func Attempts(n int) RetryOption { return func(c *retryConfig) { c.attempts = max(1, n) } }

// Backoff bounds the waits: before the n-th retry it is random in
// [0, min(longest, first·2ⁿ⁻¹)). Default 50 ms and 2 s.
func Backoff(first, longest time.Duration) RetryOption {
	return func(c *retryConfig) { c.base, c.cap = max(1, first), max(1, longest) }
}

// WithBudget shares a budget among several policies. Default: one of its own,
// NewBudget(0.2, 10).
func WithBudget(b *Budget) RetryOption { return func(c *retryConfig) { c.budget = b } }

// RetryIf restricts which errors are retried. The default retries all but
// those that no retry can mend, which are never asked about.
func RetryIf(f func(error) bool) RetryOption { return func(c *retryConfig) { c.retryIf = f } }

// NewRetry makes a retry policy.
func NewRetry(name string, opts ...RetryOption) *Retry {
	r := &Retry{name: name, counts: newStripes()}
	r.config.Store(&retryConfig{
		attempts: 3, base: 50 * time.Millisecond, cap: 2 * time.Second,
		budget:  NewBudget(0.2, 10),
		retryIf: func(error) bool { return true },
	})
	r.Configure(opts...)
	return r
}

// Configure changes options of a living policy; those not named stay.
func (r *Retry) Configure(opts ...RetryOption) {
	c := *r.config.Load()
	for _, o := range opts {
		o(&c)
	}
	r.config.Store(&c)
}

// Do makes the call up to the allowed number of times and returns the error
// of the last one.
func (r *Retry) Do(ctx context.Context, call func(context.Context) error) error {
	return r.around(ctx, next{call: call})
}

func (r *Retry) around(ctx context.Context, next next) error {
	r.counts.add(retryCalls)
	c := r.config.Load()
	c.budget.deposit()
	for n := 1; ; n++ {
		err := next.do(ctx)
		if err == nil || callerGaveUp(ctx, err) || !mendable(err) || !c.retryIf(err) {
			return err
		}
		if n >= c.attempts {
			r.decide(retryExhausted, "exhausted", err)
			return err
		}
		wait := c.wait(n, err)
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
			return err
		}
		if !c.budget.withdraw() {
			r.decide(retryUnfunded, "unfunded", err)
			return err
		}
		if !sleep(ctx, wait) {
			return err
		}
		r.decide(retryAgain, "retry", err)
	}
}

func (r *Retry) decide(kind int, decision string, err error) {
	r.counts.add(kind)
	r.report(Event{Policy: "retry", Name: r.name, Decision: decision, Err: err})
}

func (c *retryConfig) wait(n int, err error) time.Duration {
	ceiling := c.cap
	if n < 32 && c.base<<(n-1) > 0 {
		ceiling = min(c.cap, c.base<<(n-1))
	}
	wait := rand.N(ceiling)
	if status := (*StatusError)(nil); errors.As(err, &status) {
		wait = max(wait, min(status.RetryAfter, c.cap))
	}
	return wait
}

func mendable(err error) bool {
	for _, reason := range []error{ErrOpen, ErrShed, ErrThrottled, ErrNoTime} {
		if errors.Is(err, reason) {
			return false
		}
	}
	return !isPermanent(err)
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Snapshot tells the counts so far.
func (r *Retry) Snapshot() Snapshot {
	return Snapshot{Policy: "retry", Name: r.name, Counts: map[string]uint64{
		"calls": r.counts.sum(retryCalls), "retry": r.counts.sum(retryAgain),
		"exhausted": r.counts.sum(retryExhausted), "unfunded": r.counts.sum(retryUnfunded),
	}, Levels: map[string]float64{"budget": float64(r.config.Load().budget.Left())}}
}
