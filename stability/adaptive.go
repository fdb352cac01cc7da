package stability

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Adaptive bounds how many calls are on their way at once by a limit that it
// finds by itself: it watches how long calls take and lets in as many as do
// not yet queue somewhere. Calls beyond the limit are refused with [ErrShed],
// the sheddable first: they may use 80 % of the limit, the critical 120 % (see
// [Shares]).
//
// How the limit moves is up to a [LimitLearner]: [Gradient2] by default, or
// [Vegas].
//
// Counts: calls, dropped (ended by overload), rejected.
// Levels: in_flight, limit.
type Adaptive struct {
	reporter
	name      string
	gate      gate
	config    atomic.Pointer[adaptiveConfig]
	rejection error
	counts    stripes

	mu     sync.Mutex // learning
	sample limitSample
}

const (
	adaptiveCalls = iota
	adaptiveDropped
	adaptiveRejected
)

// LimitLearner finds a concurrency limit. It is called by one goroutine at a
// time.
type LimitLearner interface {
	// Learn is told what a short while showed and answers with the limit.
	Learn(Observation) int
	// Limit is the limit now.
	Limit() int
}

// Observation is what the calls of a short while showed.
type Observation struct {
	RTT      time.Duration // mean time of the calls; Vegas uses the least
	MinRTT   time.Duration
	InFlight int  // most calls at once
	Dropped  bool // a call ended by overload
}

type limitSample struct {
	since      time.Duration
	n          int
	total, min time.Duration
	inFlight   int64
	dropped    bool
}

type adaptiveConfig struct {
	learner  LimitLearner
	shares   [3]float64 // by priority, least first
	overload func(error) bool
	every    time.Duration
}

// AdaptiveOption changes a default of [NewAdaptive].
type AdaptiveOption func(*adaptiveConfig)

// LearnWith chooses how the limit is found. Default: NewGradient2(20, 1, 1000).
func LearnWith(l LimitLearner) AdaptiveOption { return func(c *adaptiveConfig) { c.learner = l } }

// Shares is which share of the limit each priority may use. Default 0.8, 1, 1.2.
func Shares(sheddable, normal, critical float64) AdaptiveOption {
	return func(c *adaptiveConfig) { c.shares = [3]float64{sheddable, normal, critical} }
}

// LearnEvery is how long calls are watched before the limit moves. Default
// 100 ms, and at least ten calls.
func LearnEvery(d time.Duration) AdaptiveOption { return func(c *adaptiveConfig) { c.every = d } }

// OverloadIf says which errors tell of overload. The default: time-outs, and
// refusals by a rate, a place or a shedder (429 and 503 among them).
func OverloadIf(f func(error) bool) AdaptiveOption { return func(c *adaptiveConfig) { c.overload = f } }

// NewAdaptive makes an adaptive bound.
func NewAdaptive(name string, opts ...AdaptiveOption) *Adaptive {
	a := &Adaptive{
		name: name, counts: newStripes(),
		rejection: &RejectedError{Policy: "adaptive", Name: name, Reason: ErrShed, RetryAfter: time.Second},
	}
	a.config.Store(&adaptiveConfig{
		learner: NewGradient2(20, 1, 1000), shares: [3]float64{0.8, 1, 1.2}, overload: overloaded, every: 100 * time.Millisecond,
	})
	a.Configure(opts...)
	return a
}

// Configure changes options of a living bound; those not named stay.
func (a *Adaptive) Configure(opts ...AdaptiveOption) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := *a.config.Load()
	for _, o := range opts {
		o(&c)
	}
	a.config.Store(&c)
	a.gate.setLimit(int64(max(1, c.learner.Limit())))
}

// Limit is how many normal calls may be on their way now.
func (a *Adaptive) Limit() int { return int(a.gate.limit.Load()) }

// Load is how much of the limit is in use: 1 is full. It makes a good answer
// to a handshake, see [Handler].
func (a *Adaptive) Load() float64 {
	return float64(a.gate.inFlight.Load()) / float64(max(1, a.gate.limit.Load()))
}

// Do makes the call if the limit allows it.
func (a *Adaptive) Do(ctx context.Context, call func(context.Context) error) error {
	return a.around(ctx, next{call: call})
}

func (a *Adaptive) around(ctx context.Context, n next) (err error) {
	c := a.config.Load()
	share := c.shares[PriorityOf(ctx)-Sheddable]
	if !a.gate.take(max(1, int64(share*float64(a.gate.limit.Load())))) {
		a.counts.add(adaptiveRejected)
		a.report(Event{Policy: "adaptive", Name: a.name, Decision: "rejected", Err: a.rejection})
		return a.rejection
	}
	a.counts.add(adaptiveCalls)
	begin, inFlight := now(), a.gate.inFlight.Load()
	err = errPanicked
	defer func() {
		a.gate.leave()
		if !callerGaveUp(ctx, err) {
			a.learn(now(), begin, inFlight, err != nil && c.overload(err), err == nil)
		}
	}()
	err = n.do(ctx)
	return err
}

// learn adds one call to the sample, and lets the limit move when the sample
// is big enough. A call that failed at once says nothing about time.
func (a *Adaptive) learn(t, begin time.Duration, inFlight int64, dropped, timed bool) {
	if dropped {
		a.counts.add(adaptiveDropped)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &a.sample
	if s.since == 0 {
		s.since = begin
	}
	if timed || dropped {
		rtt := t - begin
		if s.n == 0 || rtt < s.min {
			s.min = rtt
		}
		s.n++
		s.total += rtt
	}
	s.inFlight = max(s.inFlight, inFlight)
	s.dropped = s.dropped || dropped
	c := a.config.Load()
	if s.n < 10 || t-s.since < c.every {
		return
	}
	limit := max(1, c.learner.Learn(Observation{
		RTT: s.total / time.Duration(s.n), MinRTT: s.min, InFlight: int(s.inFlight), Dropped: s.dropped,
	}))
	a.sample = limitSample{}
	a.gate.setLimit(int64(limit))
}

// Snapshot tells the counts so far and the limit.
func (a *Adaptive) Snapshot() Snapshot {
	return Snapshot{Policy: "adaptive", Name: a.name, Counts: map[string]uint64{
		"calls": a.counts.sum(adaptiveCalls), "dropped": a.counts.sum(adaptiveDropped), "rejected": a.counts.sum(adaptiveRejected),
	}, Levels: map[string]float64{"in_flight": float64(a.gate.inFlight.Load()), "limit": float64(a.gate.limit.Load())}}
}

// Shed refuses calls while a load is too high, the sheddable first: sheddable
// calls from 80 % of full load, normal ones from 95 %, critical ones from
// 120 %. Between a threshold and 10 % above it a growing share is refused, so
// that load does not swing.
//
// Counts: calls, rejected.
// Levels: load.
type Shed struct {
	reporter
	name      string
	load      func() float64
	from      atomic.Pointer[[3]float64] // by priority, least first
	rejection error
	owed      atomic.Uint64 // shares of calls, in 2⁻³²
	counts    stripes
}

// ShedOption changes a default of [NewShed].
type ShedOption func(*Shed)

// ShedFrom is from which load calls of each priority are refused. Default 0.8,
// 0.95, 1.2.
func ShedFrom(sheddable, normal, critical float64) ShedOption {
	return func(s *Shed) { s.from.Store(&[3]float64{sheddable, normal, critical}) }
}

// NewShed refuses calls by what load tells: 0 is idle, 1 is full. It is asked
// at every call, so it should be quick: [Adaptive.Load], a queue's length, a
// sampled CPU share.
func NewShed(name string, load func() float64, opts ...ShedOption) *Shed {
	s := &Shed{
		name: name, load: load, counts: newStripes(),
		rejection: &RejectedError{Policy: "shed", Name: name, Reason: ErrShed, RetryAfter: time.Second},
	}
	ShedFrom(0.8, 0.95, 1.2)(s)
	s.Configure(opts...)
	return s
}

// Configure changes options of a living policy; those not named stay.
func (s *Shed) Configure(opts ...ShedOption) {
	for _, o := range opts {
		o(s)
	}
}

// Do makes the call unless the load is too high for its priority.
func (s *Shed) Do(ctx context.Context, call func(context.Context) error) error {
	return s.around(ctx, next{call: call})
}

func (s *Shed) around(ctx context.Context, n next) error {
	if s.refuses(PriorityOf(ctx), s.load()) {
		s.counts.add(1)
		s.report(Event{Policy: "shed", Name: s.name, Decision: "rejected", Err: s.rejection, Reason: PriorityOf(ctx).String()})
		return s.rejection
	}
	s.counts.add(0)
	return n.do(ctx)
}

// refuses spreads the refused evenly: of a share of 30 % it is every third or
// fourth call, not three in a row. It adds the shares up and refuses each time
// that they make a whole call, so that it is exact also while the load changes.
func (s *Shed) refuses(p Priority, load float64) bool {
	share := (load - s.from.Load()[p-Sheddable]) / 0.1
	if !(share > 0) { // also of a load that is no number
		return false
	}
	if share >= 1 {
		return true
	}
	part := uint64(share * (1 << 32))
	sum := s.owed.Add(part)
	return sum>>32 != (sum-part)>>32
}

// Snapshot tells the counts so far and the load.
func (s *Shed) Snapshot() Snapshot {
	return Snapshot{Policy: "shed", Name: s.name, Counts: map[string]uint64{
		"calls": s.counts.sum(0), "rejected": s.counts.sum(1),
	}, Levels: map[string]float64{"load": s.load()}}
}
