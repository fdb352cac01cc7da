package stability

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// State of a [Breaker].
type State uint32

// The states of a breaker.
const (
	Closed   State = iota // calls pass
	Open                  // calls are refused
	HalfOpen              // a few calls pass to find out whether the dependency recovered
)

func (s State) String() string {
	switch s {
	case Closed:
		return "closed"
	case Open:
		return "open"
	case HalfOpen:
		return "half-open"
	}
	return fmt.Sprintf("State(%d)", uint32(s))
}

// Breaker stops calls to a dependency that keeps failing, and probes it now
// and then until it has recovered.
//
// Closed, it opens at a failed (or slow) call when at least a minimum of calls
// ended within the window and the given share of them failed (or was slow).
// Open, it refuses calls with [ErrOpen] for the cooling time.
//
// Half-open, it lets N probes pass: one that fails opens it again, N that
// succeed close it, or with [Ramp] begin stages of 2N, 4N … calls, each of
// which must fail less than the share that trips. A probe that ends without a
// verdict (the caller gave up) frees its place; probes that do not end within
// the cooling time are given up and new ones pass, so that it is never stuck.
//
// Counts: success, failure, slow, ignored, rejected, opened.
// Levels: window_calls, window_failures, window_slow.
type Breaker struct {
	reporter
	name      string
	rejection error

	// Written with mu held; the hot path reads them without.
	word   atomic.Uint64 // number of state changes << 2 | state: verdicts on calls of an earlier era are only counted
	clock  atomic.Bool   // somebody asks how long calls take
	config atomic.Pointer[breakerConfig]
	window window
	counts stripes // rejected

	mu      sync.Mutex
	cooling *time.Timer
	stage   stage
	readers int      // of timings
	timings *timings // nil without readers

	late, failure, slow, ignored, opened uint64
}

const rejected = 0 // of counts

// stage is one step of being half-open. Under mu.
type stage struct {
	number   int           // 0: probes; then the ramp
	places   int           // how many calls it is made of
	out      int           // on their way
	settled  int           // ended with a verdict
	failed   int           // of them
	deadline time.Duration // when missing verdicts are given up
}

type breakerConfig struct {
	ratio, slowRatio float64
	minCalls         uint64
	window           time.Duration
	lastCalls        int
	slowAfter        time.Duration
	openFor          time.Duration
	probes, ramp     int
	isFailure        func(error) bool
	contextErrors    bool
}

// BreakerOption changes a default of [NewBreaker].
type BreakerOption func(*breakerConfig)

// TripAt opens the breaker when at least minCalls calls ended within the
// window and the share of failures reached ratio. Default 0.5 of 20.
func TripAt(ratio float64, minCalls int) BreakerOption {
	return func(c *breakerConfig) { c.ratio, c.minCalls = ratio, uint64(max(1, minCalls)) }
}

// TripWhenSlow opens the breaker also when the share of calls that took
// longer than d reached ratio, of the same minimum. Default: it does not. It
// costs two looks at the clock a call.
func TripWhenSlow(d time.Duration, ratio float64) BreakerOption {
	return func(c *breakerConfig) { c.slowAfter, c.slowRatio = d, ratio }
}

// Window is the time over which calls are judged. Default 10 s.
func Window(d time.Duration) BreakerOption {
	return func(c *breakerConfig) { c.window, c.lastCalls = d, 0 }
}

// LastCalls judges the last n calls, however long ago they were, instead of
// those within a time. Counting them takes a lock, so it scales less.
func LastCalls(n int) BreakerOption { return func(c *breakerConfig) { c.lastCalls = max(1, n) } }

// OpenFor is how long the breaker refuses calls before it probes. Default 5 s.
func OpenFor(d time.Duration) BreakerOption {
	return func(c *breakerConfig) { c.openFor = max(d, 1) }
}

// Probes is how many calls may probe at once, and how many must succeed to
// close the breaker. Default 3.
func Probes(n int) BreakerOption { return func(c *breakerConfig) { c.probes = max(1, n) } }

// Ramp adds that many stages after the probes, each of twice the calls of the
// one before, so that a dependency that just came up is not met by the full
// load. Default 0.
func Ramp(stages int) BreakerOption {
	return func(c *breakerConfig) { c.ramp = min(max(0, stages), 16) }
}

// FailureIf decides which errors count against the dependency; others count
// as successes. The default counts every error. Errors of callers that gave
// up are never asked about, but with [CountContextErrors].
func FailureIf(f func(error) bool) BreakerOption {
	return func(c *breakerConfig) { c.isFailure = f }
}

// CountContextErrors treats the end of a context like any other error. By
// default it is no verdict on the dependency.
func CountContextErrors() BreakerOption { return func(c *breakerConfig) { c.contextErrors = true } }

// NewBreaker makes a closed breaker. The name appears in errors and snapshots.
func NewBreaker(name string, opts ...BreakerOption) *Breaker {
	b := &Breaker{
		name: name, counts: newStripes(),
		rejection: &RejectedError{Policy: "breaker", Name: name, Reason: ErrOpen},
	}
	b.window.shards, b.window.width = newShards(), time.Second
	b.config.Store(&breakerConfig{
		ratio: 0.5, slowRatio: 1, minCalls: 20, window: 10 * time.Second, openFor: 5 * time.Second, probes: 3,
		isFailure: func(error) bool { return true },
	})
	b.window.configure(b.config.Load())
	b.Configure(opts...)
	return b
}

// Configure changes options of a living breaker; those not named stay. Its
// state stays too, and its window unless the window itself was changed. A new
// cooling time is that of the next time it opens.
func (b *Breaker) Configure(opts ...BreakerOption) {
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.config.Load()
	c := *old
	for _, o := range opts {
		o(&c)
	}
	if c.window != old.window || c.lastCalls != old.lastCalls {
		b.window.configure(&c)
	}
	b.config.Store(&c)
	b.clock.Store(c.slowAfter != 0 || b.readers > 0)
}

// startTiming keeps the times of calls until as many calls of stopTiming.
func (b *Breaker) startTiming() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.readers++; b.readers == 1 {
		b.timings = &timings{}
		b.clock.Store(true)
	}
}

func (b *Breaker) stopTiming() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.readers--; b.readers == 0 {
		b.timings = nil
		b.clock.Store(b.config.Load().slowAfter != 0)
	}
}

// timed is how long calls took over the last minute; nothing without readers.
func (b *Breaker) timed() timingSlice {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timings == nil {
		return timingSlice{}
	}
	return b.timings.whole(now())
}

// State tells whether calls pass now.
func (b *Breaker) State() State { return State(b.word.Load() & 3) }

// Permit is the leave to make one call. Its Done must be called exactly once.
type Permit struct {
	b     *Breaker
	word  uint64
	start time.Duration // if anybody asks how long calls take
}

// Allow asks to make one call without [Breaker.Do], for calls that do not fit
// a function. The error is a [*RejectedError].
func (b *Breaker) Allow() (Permit, error) {
	w := b.word.Load()
	switch State(w & 3) {
	case Closed:
		p := Permit{b: b, word: w}
		if b.clock.Load() {
			p.start = now()
		}
		return p, nil
	case Open:
		return Permit{}, b.reject()
	}
	return b.allowProbe()
}

func (b *Breaker) reject() error {
	b.counts.add(rejected)
	if b.watched() {
		s := b.State()
		b.report(Event{Policy: "breaker", Name: b.name, Decision: "rejected", Err: b.rejection, From: s, To: s})
	}
	return b.rejection
}

func (b *Breaker) allowProbe() (Permit, error) {
	b.mu.Lock()
	t := now()
	s := &b.stage
	if b.State() == HalfOpen && s.out+s.settled >= s.places && t >= s.deadline {
		b.begin(s.number) // whoever did not come back is not waited for
	}
	state := b.State()
	admitted := state == Closed || state == HalfOpen && s.out+s.settled < s.places
	if admitted && state == HalfOpen {
		s.out++
	}
	p := Permit{b: b, word: b.word.Load(), start: t}
	b.mu.Unlock()
	if !admitted {
		return Permit{}, b.reject()
	}
	return p, nil
}

// Done reports how the call ended. Context errors are no verdict.
func (p Permit) Done(err error) {
	if err == nil && p.b.passed(p) {
		return
	}
	p.b.settle(context.Background(), p, err)
}

// passed counts a success the cheap way, if that is all there is to do.
func (b *Breaker) passed(p Permit) bool {
	return State(p.word&3) == Closed && b.word.Load() == p.word && !b.clock.Load() && b.window.pass()
}

func (b *Breaker) settle(ctx context.Context, p Permit, err error) {
	c := b.config.Load()
	gaveUp := !c.contextErrors && callerGaveUp(ctx, err)
	failed := err != nil && !gaveUp && c.isFailure(err)
	end := time.Duration(0) // unknown
	if p.start > 0 && b.clock.Load() {
		end = now()
	}
	slow := c.slowAfter > 0 && end > 0 && !gaveUp && end-p.start > c.slowAfter

	b.mu.Lock()
	if b.timings != nil && end > 0 && !gaveUp {
		b.timings.add(end, end-p.start)
	}
	if slow {
		b.slow++
	}
	current := p.word == b.word.Load()
	probe := State(p.word&3) == HalfOpen
	if current && probe {
		b.stage.out--
	}
	switch {
	case gaveUp:
		b.ignored++
	case failed:
		b.failure++
	case !current || probe:
		b.late++
	}
	var e Event
	if current && !gaveUp {
		if probe {
			e = b.judgeProbe(c, failed || slow)
		} else {
			e = b.judge(c, failed, slow)
		}
	}
	b.mu.Unlock()
	if e.Decision != "" {
		e.Err = err
		b.report(e)
	}
}

// judge applies one verdict while closed. Called with mu held.
func (b *Breaker) judge(c *breakerConfig, failed, slow bool) Event {
	b.window.add(failed, slow, b.rotate)
	if !failed && !slow {
		return Event{}
	}
	calls, failures, slows := b.window.sums()
	switch {
	case calls < c.minCalls:
	case failed && float64(failures) >= c.ratio*float64(calls):
		return b.open(fmt.Sprintf("%d of %d calls failed", failures, calls))
	case slow && float64(slows) >= c.slowRatio*float64(calls):
		return b.open(fmt.Sprintf("%d of %d calls took longer than %v", slows, calls, c.slowAfter))
	}
	return Event{}
}

// judgeProbe applies one verdict while half-open. Called with mu held.
func (b *Breaker) judgeProbe(c *breakerConfig, failed bool) Event {
	s := &b.stage
	s.settled++
	if failed {
		s.failed++
		if s.number == 0 {
			return b.open("a probe failed")
		}
		if float64(s.failed) >= c.ratio*float64(s.places) {
			return b.open(fmt.Sprintf("%d of %d calls failed while coming back", s.failed, s.settled))
		}
	}
	if s.settled < s.places {
		return Event{}
	}
	if s.number < c.ramp {
		b.begin(s.number + 1)
		return Event{}
	}
	return b.to(Closed, "closed", fmt.Sprintf("%d calls came back well", s.settled-s.failed))
}

// begin starts a stage of being half-open, in a new era. Called with mu held.
func (b *Breaker) begin(number int) {
	c := b.config.Load()
	b.word.Store((b.word.Load()>>2+1)<<2 | uint64(HalfOpen))
	b.stage = stage{number: number, places: c.probes << number, deadline: now() + c.openFor}
}

func (b *Breaker) open(why string) Event {
	b.opened++
	e := b.to(Open, "opened", why)
	word := b.word.Load()
	b.cooling = time.AfterFunc(b.config.Load().openFor, func() { b.cooled(word) })
	return e
}

// cooled begins to probe, if nothing has happened since.
func (b *Breaker) cooled(word uint64) {
	b.mu.Lock()
	var e Event
	if b.word.Load() == word {
		e = b.to(HalfOpen, "half-opened", "time to probe")
		b.begin(0)
	}
	b.mu.Unlock()
	if e.Decision != "" {
		b.report(e)
	}
}

// to changes the state and begins a new era. Called with mu held.
func (b *Breaker) to(s State, decision, why string) Event {
	e := Event{Policy: "breaker", Name: b.name, Decision: decision, Reason: why, From: b.State(), To: s}
	if b.cooling != nil {
		b.cooling.Stop()
	}
	b.window.reset()
	b.word.Store((b.word.Load()>>2+1)<<2 | uint64(s))
	return e
}

func (b *Breaker) rotate() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.window.rotated(b.rotate)
}

// Trip opens the breaker by hand, for the cooling time.
func (b *Breaker) Trip(reason string) {
	b.mu.Lock()
	e := b.open(reason)
	b.mu.Unlock()
	b.report(e)
}

// Reset closes the breaker by hand and forgets the calls in its window.
func (b *Breaker) Reset(reason string) {
	b.mu.Lock()
	e := b.to(Closed, "closed", reason)
	b.mu.Unlock()
	b.report(e)
}

// Do makes the call unless the breaker is open. A panic counts as a failure
// and goes on.
func (b *Breaker) Do(ctx context.Context, call func(context.Context) error) error {
	if b.State() == Open { // before anything that a call costs
		return b.reject()
	}
	p, err := b.Allow()
	if err != nil {
		return err
	}
	err = errPanicked
	defer func() {
		if err != nil || !b.passed(p) {
			b.settle(ctx, p, err)
		}
	}()
	err = call(ctx)
	return err
}

func (b *Breaker) around(ctx context.Context, n next) error {
	if b.State() == Open { // before anything that a call costs
		return b.reject()
	}
	p, err := b.Allow()
	if err != nil {
		return err
	}
	err = errPanicked
	defer func() {
		if err != nil || !b.passed(p) {
			b.settle(ctx, p, err)
		}
	}()
	err = n.do(ctx)
	return err
}

// Snapshot tells the state, the counts so far and what is in the window.
func (b *Breaker) Snapshot() Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.window.last == nil {
		b.window.turn(now())
	}
	calls, failures, slow := b.window.sums()
	return Snapshot{
		Policy: "breaker", Name: b.name, State: b.State().String(),
		Counts: map[string]uint64{
			"success": b.window.successes() + b.late, "failure": b.failure, "slow": b.slow, "ignored": b.ignored,
			"rejected": b.counts.sum(rejected), "opened": b.opened,
		},
		Levels: map[string]float64{
			"window_calls": float64(calls), "window_failures": float64(failures), "window_slow": float64(slow),
		},
	}
}
