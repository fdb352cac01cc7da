package stability

import (
	"context"
	"sync/atomic"
	"time"
)

// RateLimit lets at most so many calls begin a second, with a burst. Calls
// beyond are refused with [ErrRate], whose RetryAfter says when to come back.
//
// With [Pace] it is a governor: calls beyond the rate wait for their turn
// instead, so that whatever drives them (an autoscaler, a cleanup, a rollout)
// cannot run away faster than a person can follow.
//
// The algorithm is the generic cell rate algorithm (ITU-T I.371): one word
// says when the next call would be on time.
//
// Counts: calls, paced, rejected, ignored (gave up waiting).
type RateLimit struct {
	reporter
	name   string
	config atomic.Pointer[rateConfig]
	due    atomic.Int64 // when a call would be exactly on time
	counts stripes
}

const (
	rateCalls = iota
	ratePaced
	rateRejected
	rateIgnored
)

type rateConfig struct {
	every, early time.Duration // between two calls; how far ahead of time they may be
	pace         time.Duration
}

// RateOption changes a default of [NewRateLimit].
type RateOption func(*rateConfig)

// Pace lets calls wait for their turn up to d rather than be refused.
// Default 0.
func Pace(d time.Duration) RateOption { return func(c *rateConfig) { c.pace = d } }

// NewRateLimit lets perSecond calls begin a second, and up to burst at once.
func NewRateLimit(name string, perSecond float64, burst int, opts ...RateOption) *RateLimit {
	r := &RateLimit{name: name, counts: newStripes()}
	r.Configure(perSecond, burst, opts...)
	return r
}

// Configure changes rate, burst and options of a living limit.
func (r *RateLimit) Configure(perSecond float64, burst int, opts ...RateOption) {
	every := time.Duration(float64(time.Second) / max(perSecond, 1e-9))
	c := rateConfig{every: max(1, every)}
	if old := r.config.Load(); old != nil {
		c.pace = old.pace
	}
	c.early = c.every * time.Duration(max(1, burst)-1)
	for _, o := range opts {
		o(&c)
	}
	r.config.Store(&c)
}

// take reserves a turn and tells how long to wait for it; more than maxWait
// takes none.
func (r *RateLimit) take(c *rateConfig, t time.Duration, maxWait time.Duration) (wait time.Duration, ok bool) {
	for {
		due := r.due.Load()
		at := max(time.Duration(due), t)
		wait = at - c.early - t
		if wait > maxWait {
			return wait, false
		}
		if r.due.CompareAndSwap(due, int64(at+c.every)) {
			return max(0, wait), true
		}
	}
}

// Do makes the call when its turn has come.
func (r *RateLimit) Do(ctx context.Context, call func(context.Context) error) error {
	if err := r.enter(ctx); err != nil {
		return err
	}
	return call(ctx)
}

func (r *RateLimit) around(ctx context.Context, n next) error {
	if err := r.enter(ctx); err != nil {
		return err
	}
	return n.do(ctx)
}

func (r *RateLimit) enter(ctx context.Context) error {
	c := r.config.Load()
	maxWait := c.pace
	if deadline, ok := ctx.Deadline(); ok && maxWait > 0 {
		maxWait = min(maxWait, max(0, time.Until(deadline)))
	}
	wait, ok := r.take(c, now(), maxWait)
	if !ok {
		r.counts.add(rateRejected)
		err := &RejectedError{Policy: "rate limit", Name: r.name, Reason: ErrRate, RetryAfter: wait}
		r.report(Event{Policy: "rate limit", Name: r.name, Decision: "rejected", Err: err})
		return err
	}
	if wait > 0 {
		r.counts.add(ratePaced)
		if !sleep(ctx, wait) {
			r.counts.add(rateIgnored)
			return ctx.Err()
		}
	}
	r.counts.add(rateCalls)
	return nil
}

// Snapshot tells the counts so far.
func (r *RateLimit) Snapshot() Snapshot {
	return Snapshot{Policy: "rate limit", Name: r.name, Counts: map[string]uint64{
		"calls": r.counts.sum(rateCalls), "paced": r.counts.sum(ratePaced),
		"rejected": r.counts.sum(rateRejected), "ignored": r.counts.sum(rateIgnored),
	}}
}
