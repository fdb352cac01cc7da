package stability

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Throttle keeps a caller from sending what the dependency would refuse
// anyway: over the last two minutes it counts calls and those that were
// accepted, and refuses a growing share by itself, with [ErrThrottled], when
// calls exceed K times the accepted. (Site Reliability Engineering, "Handling
// Overload".)
//
// Counts: calls, accepted, rejected.
// Levels: rejection_probability.
type Throttle struct {
	reporter
	name      string
	config    atomic.Pointer[throttleConfig]
	chance    func() float64
	rejection error
	counts    stripes

	mu       sync.Mutex
	at       int64 // number of the current bucket
	requests [throttleBuckets]float64
	accepts  [throttleBuckets]float64
}

const (
	throttleBuckets = 12
	throttleWidth   = 10 * time.Second
)

const (
	throttleCalls = iota
	throttleAccepted
	throttleRejected
)

type throttleConfig struct {
	k        float64
	overload func(error) bool
}

// ThrottleOption changes a default of [NewThrottle].
type ThrottleOption func(*throttleConfig)

// K is how many calls are sent for each that is accepted before the throttle
// begins to refuse. Default 2: it sees within half as much traffic that the
// dependency recovered.
func K(k float64) ThrottleOption { return func(c *throttleConfig) { c.k = max(1, k) } }

// RefusedIf says which errors are a refusal by the dependency. The default
// is that of [OverloadIf].
func RefusedIf(f func(error) bool) ThrottleOption { return func(c *throttleConfig) { c.overload = f } }

// NewThrottle makes a throttle.
func NewThrottle(name string, opts ...ThrottleOption) *Throttle {
	t := &Throttle{
		name: name, chance: rand.Float64, counts: newStripes(),
		rejection: &RejectedError{Policy: "throttle", Name: name, Reason: ErrThrottled, RetryAfter: time.Second},
	}
	t.config.Store(&throttleConfig{k: 2, overload: overloaded})
	t.Configure(opts...)
	return t
}

// Configure changes options of a living throttle; those not named stay.
func (t *Throttle) Configure(opts ...ThrottleOption) {
	c := *t.config.Load()
	for _, o := range opts {
		o(&c)
	}
	t.config.Store(&c)
}

// Do makes the call unless the throttle refuses it.
func (t *Throttle) Do(ctx context.Context, call func(context.Context) error) error {
	return t.around(ctx, next{call: call})
}

func (t *Throttle) around(ctx context.Context, n next) error {
	if !t.enter() {
		t.counts.add(throttleRejected)
		t.report(Event{Policy: "throttle", Name: t.name, Decision: "rejected", Err: t.rejection})
		return t.rejection
	}
	t.counts.add(throttleCalls)
	err := n.do(ctx)
	if err == nil || !t.config.Load().overload(err) {
		t.counts.add(throttleAccepted)
		t.mu.Lock()
		t.turn()
		t.accepts[t.at%throttleBuckets]++
		t.mu.Unlock()
	}
	return err
}

func (t *Throttle) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn()
	p := t.probability()
	t.requests[t.at%throttleBuckets]++ // also those refused here
	return p <= 0 || t.chance() >= p
}

// probability of refusing a call. Called with mu held.
func (t *Throttle) probability() float64 {
	var requests, accepts float64
	for i := range t.requests {
		requests += t.requests[i]
		accepts += t.accepts[i]
	}
	return max(0, (requests-t.config.Load().k*accepts)/(requests+1))
}

func (t *Throttle) turn() {
	at := int64(now() / throttleWidth)
	for n := min(at-t.at, throttleBuckets); n > 0; n-- {
		slot := (at - n + 1) % throttleBuckets
		t.requests[slot], t.accepts[slot] = 0, 0
	}
	t.at = at
}

// Snapshot tells the counts so far and how likely a refusal is.
func (t *Throttle) Snapshot() Snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn()
	return Snapshot{Policy: "throttle", Name: t.name, Counts: map[string]uint64{
		"calls": t.counts.sum(throttleCalls), "accepted": t.counts.sum(throttleAccepted), "rejected": t.counts.sum(throttleRejected),
	}, Levels: map[string]float64{"rejection_probability": t.probability()}}
}
