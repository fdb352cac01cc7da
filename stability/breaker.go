package stability

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// State of a [Breaker].
type State uint32

const (
	Closed   State = iota // calls pass
	Open                  // calls are refused
	HalfOpen              // a few probes pass to find out whether the dependency recovered
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

// Transition is a change of a breaker's state.
type Transition struct {
	Name     string
	From, To State
	Reason   string // for a person
}

// Breaker stops calls to a dependency that keeps failing, and probes it now
// and then until it has recovered.
//
// Closed, it opens when within the window at least a minimum of calls ended
// and the given share of them failed. Open, it refuses calls with [ErrOpen]
// for the cooling time. Then up to N probes at once may pass: N successes
// close it, one failure opens it again. A probe that ends without a verdict
// (the caller gave up) frees its place; probes that do not end within the
// cooling time are given up and new ones pass, so that it is never stuck.
//
// Counts: success, failure, ignored, rejected, opened.
type Breaker struct {
	name      string
	ratio     float64
	minCalls  uint64
	openFor   time.Duration
	probes    int
	isFailure func(error) bool
	onChange  func(Transition)
	rejection error

	// Written with mu held; Allow reads them without.
	state atomic.Uint32
	era   atomic.Uint64 // number of state changes: verdicts on calls of an earlier era are only counted

	mu        sync.Mutex
	window    window
	openUntil time.Time // while open; while half-open, when missing probes are given up
	probing   int       // probes on their way
	recovered int       // probes that succeeded

	success, failure, ignored, opened uint64 // under mu
	rejected                          atomic.Uint64
}

// BreakerOption changes a default of [NewBreaker].
type BreakerOption func(*Breaker)

// TripAt opens the breaker when at least minCalls calls ended within the
// window and the share of failures reached ratio. Default 0.5 of 20.
func TripAt(ratio float64, minCalls int) BreakerOption {
	return func(b *Breaker) { b.ratio, b.minCalls = ratio, uint64(max(1, minCalls)) }
}

// Window is the time over which calls are judged. Default 10 s.
func Window(d time.Duration) BreakerOption {
	return func(b *Breaker) { b.window.width = max(d/windowBuckets, 1) }
}

// OpenFor is how long the breaker refuses calls before it probes. Default 5 s.
func OpenFor(d time.Duration) BreakerOption { return func(b *Breaker) { b.openFor = d } }

// Probes is how many calls may probe at once, and how many must succeed to
// close the breaker. Default 3.
func Probes(n int) BreakerOption { return func(b *Breaker) { b.probes = max(1, n) } }

// FailureIf decides which errors count against the dependency; others count
// as successes. The default counts every error. Errors of callers that gave
// up are never asked about.
func FailureIf(f func(error) bool) BreakerOption { return func(b *Breaker) { b.isFailure = f } }

// OnTransition is told each change of state, after it happened, in the
// goroutine of the call that caused it.
func OnTransition(f func(Transition)) BreakerOption { return func(b *Breaker) { b.onChange = f } }

// NewBreaker makes a closed breaker. The name appears in errors and snapshots.
func NewBreaker(name string, opts ...BreakerOption) *Breaker {
	b := &Breaker{
		name: name, ratio: 0.5, minCalls: 20, openFor: 5 * time.Second, probes: 3,
		isFailure: func(error) bool { return true },
		onChange:  func(Transition) {},
		rejection: &RejectedError{Policy: "breaker", Name: name, Reason: ErrOpen},
		window:    window{width: 10 * time.Second / windowBuckets, start: time.Now()},
	}
	for _, o := range opts {
		o(b)
	}
	return b
}

// State tells whether calls pass now.
func (b *Breaker) State() State { return State(b.state.Load()) }

// Permit is the leave to make one call. Its Done must be called exactly once.
type Permit struct {
	b     *Breaker
	era   uint64
	probe bool
}

// Allow asks to make one call without [Breaker.Do], for calls that do not fit
// a function. The error is a [*RejectedError].
func (b *Breaker) Allow() (Permit, error) {
	era := b.era.Load() // before the state: a permit may be stale, never too new
	if b.State() == Closed {
		return Permit{b: b, era: era}, nil
	}
	return b.allowSlow()
}

func (b *Breaker) allowSlow() (Permit, error) {
	b.mu.Lock()
	var t Transition
	if b.State() != Closed && b.probing+b.recovered >= b.places() && !time.Now().Before(b.openUntil) {
		t = b.to(HalfOpen, "time to probe")
		b.openUntil = time.Now().Add(b.openFor)
	}
	probe := b.State() == HalfOpen && b.probing+b.recovered < b.places()
	admitted := probe || b.State() == Closed
	p := Permit{b: b, era: b.era.Load(), probe: probe}
	if p.probe {
		b.probing++
	}
	b.mu.Unlock()
	b.tell(t)
	if !admitted {
		b.rejected.Add(1)
		return Permit{}, b.rejection
	}
	return p, nil
}

// places is how many probes may pass in this state. Called with mu held.
func (b *Breaker) places() int {
	if b.State() == HalfOpen {
		return b.probes
	}
	return 0
}

// Done reports how the call ended. Context errors are no verdict.
func (p Permit) Done(err error) { p.done(context.Background(), err) }

func (p Permit) done(ctx context.Context, err error) {
	b := p.b
	gaveUp := callerGaveUp(ctx, err)
	failed := err != nil && !gaveUp && b.isFailure(err)

	b.mu.Lock()
	switch {
	case gaveUp:
		b.ignored++
	case failed:
		b.failure++
	default:
		b.success++
	}
	var t Transition
	if p.era == b.era.Load() {
		if p.probe {
			b.probing--
		}
		if !gaveUp {
			t = b.judge(p.probe, failed)
		}
	}
	b.mu.Unlock()
	b.tell(t)
}

// judge applies one verdict of the current era. Called with mu held.
func (b *Breaker) judge(probe, failed bool) Transition {
	if probe {
		if failed {
			return b.open("a probe failed")
		}
		b.recovered++
		if b.recovered >= b.probes {
			return b.to(Closed, fmt.Sprintf("%d probes succeeded", b.recovered))
		}
		return Transition{}
	}
	calls, failures := b.window.add(time.Now(), failed)
	if failed && calls >= b.minCalls && float64(failures) >= b.ratio*float64(calls) {
		return b.open(fmt.Sprintf("%d of %d calls failed", failures, calls))
	}
	return Transition{}
}

func (b *Breaker) open(why string) Transition {
	b.opened++
	b.openUntil = time.Now().Add(b.openFor)
	return b.to(Open, why)
}

// to changes the state and begins a new era. Called with mu held.
func (b *Breaker) to(s State, why string) Transition {
	t := Transition{Name: b.name, From: b.State(), To: s, Reason: why}
	b.era.Add(1)
	b.probing, b.recovered = 0, 0
	b.window.reset()
	b.state.Store(uint32(s))
	return t
}

func (b *Breaker) tell(t Transition) {
	if t.Reason != "" {
		b.onChange(t)
	}
}

// errPanicked stands for the outcome of a call that did not return.
var errPanicked = errors.New("call panicked")

// Do makes the call unless the breaker is open. A panic counts as a failure
// and goes on.
func (b *Breaker) Do(ctx context.Context, call func(context.Context) error) error {
	p, err := b.Allow()
	if err != nil {
		return err
	}
	err = errPanicked
	defer func() { p.done(ctx, err) }()
	err = call(ctx)
	return err
}

// Snapshot tells the state and the counts so far.
func (b *Breaker) Snapshot() Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Snapshot{Policy: "breaker", Name: b.name, State: b.State().String(), Counts: map[string]uint64{
		"success": b.success, "failure": b.failure, "ignored": b.ignored,
		"rejected": b.rejected.Load(), "opened": b.opened,
	}}
}
