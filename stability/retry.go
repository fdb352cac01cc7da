package stability

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Retry makes a failed call again, after an exponentially growing, fully
// jittered wait (see "Exponential Backoff And Jitter", AWS Architecture Blog),
// while its budget allows.
//
// It does not retry what a retry cannot mend: errors marked [Permanent], calls
// that a breaker refused, callers that gave up. It does not begin a wait that
// the context's deadline would cut short. A dependency's Retry-After is
// honoured up to the longest wait.
//
// Counts: calls, retry, exhausted (attempts used up), unfunded (no budget).
type Retry struct {
	name      string
	attempts  int
	base, cap time.Duration
	budget    *Budget
	retryIf   func(error) bool

	calls, retried, exhausted, unfunded atomic.Uint64
}

// RetryOption changes a default of [NewRetry].
type RetryOption func(*Retry)

// Attempts is how often the call is made at most, the first time included.
// Default 3.
func Attempts(n int) RetryOption { return func(r *Retry) { r.attempts = max(1, n) } }

// Backoff bounds the waits: before the n-th retry it is random in
// [0, min(longest, first·2ⁿ⁻¹)). Default 50 ms and 2 s.
func Backoff(first, longest time.Duration) RetryOption {
	return func(r *Retry) { r.base, r.cap = max(1, first), max(1, longest) }
}

// WithBudget shares a budget among several policies. Default: one of its own,
// NewBudget(0.2, 10).
func WithBudget(b *Budget) RetryOption { return func(r *Retry) { r.budget = b } }

// RetryIf restricts which errors are retried. The default retries all but
// those that no retry can mend, which are never asked about.
func RetryIf(f func(error) bool) RetryOption { return func(r *Retry) { r.retryIf = f } }

// NewRetry makes a retry policy.
func NewRetry(name string, opts ...RetryOption) *Retry {
	r := &Retry{
		name: name, attempts: 3, base: 50 * time.Millisecond, cap: 2 * time.Second,
		budget:  NewBudget(0.2, 10),
		retryIf: func(error) bool { return true },
	}
	for _, o := range opts {
		o(r)
	}
	return r
}

// Do makes the call up to the allowed number of times and returns the error
// of the last one.
func (r *Retry) Do(ctx context.Context, call func(context.Context) error) error {
	r.calls.Add(1)
	r.budget.deposit()
	for n := 1; ; n++ {
		err := call(ctx)
		if err == nil || callerGaveUp(ctx, err) || !mendable(err) || !r.retryIf(err) {
			return err
		}
		if n >= r.attempts {
			r.exhausted.Add(1)
			return err
		}
		wait := r.wait(n, err)
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
			return err
		}
		if !r.budget.withdraw() {
			r.unfunded.Add(1)
			return err
		}
		if !sleep(ctx, wait) {
			return err
		}
		r.retried.Add(1)
	}
}

func (r *Retry) wait(n int, err error) time.Duration {
	ceiling := r.cap
	if n < 32 && r.base<<(n-1) > 0 {
		ceiling = min(r.cap, r.base<<(n-1))
	}
	wait := rand.N(ceiling)
	if status := (*StatusError)(nil); errors.As(err, &status) {
		wait = max(wait, min(status.RetryAfter, r.cap))
	}
	return wait
}

func mendable(err error) bool {
	return !errors.Is(err, ErrOpen) && !errors.As(err, new(*permanentError))
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
		"calls": r.calls.Load(), "retry": r.retried.Load(),
		"exhausted": r.exhausted.Load(), "unfunded": r.unfunded.Load(),
	}}
}

// Budget bounds retries to a share of calls, so that retries cannot multiply
// the load on a dependency that is already failing. It is a bucket: each call
// puts in ratio tokens, each retry takes one out.
type Budget struct {
	mu            sync.Mutex
	ratio, tokens float64
	burst         float64
}

// NewBudget makes a full bucket that holds burst tokens.
func NewBudget(ratio float64, burst int) *Budget {
	return &Budget{ratio: ratio, tokens: float64(burst), burst: float64(burst)}
}

func (b *Budget) deposit() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.burst, b.tokens+b.ratio)
}

func (b *Budget) withdraw() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
