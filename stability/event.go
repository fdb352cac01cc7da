package stability

import (
	"sync"
	"sync/atomic"
	"time"
)

// Event is one decision of a policy other than to let a call pass.
type Event struct {
	At       time.Time
	Policy   string // "breaker", "retry" …
	Name     string // as given to the constructor
	Decision string // a key of the policy's counts: "rejected", "retry", "opened" …
	Reason   string // for a person; may be empty
	Err      error  // what led to it; may be nil
	From, To State  // of a breaker's change of state, else equal
}

// Snapshot is what a policy has decided since it was made.
type Snapshot struct {
	Policy string             // "breaker", "retry", "timeout" …
	Name   string             // as given to the constructor
	State  string             // of a breaker: "closed", "open" or "half-open"; else empty
	Counts map[string]uint64  // decision → how often; the names are listed at each policy
	Levels map[string]float64 // what goes up and down: "in_flight", "limit" …
}

// Observed is implemented by every policy of this package.
type Observed interface {
	// Snapshot tells the counts so far.
	Snapshot() Snapshot
	// Watch has f told of every event from now on, in the goroutine of the
	// call or timer that caused it: f must be quick, safe for concurrent use,
	// and must not call the policy.
	Watch(f func(Event))
}

// reporter tells those who watch.
type reporter struct {
	mu       sync.Mutex
	watchers atomic.Pointer[[]func(Event)]
}

// Watch has f told of every event from now on, in the goroutine of the call or
// timer that caused it: f must be quick, safe for concurrent use, and must not
// call the policy.
func (r *reporter) Watch(f func(Event)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []func(Event)
	if old := r.watchers.Load(); old != nil {
		all = append(all, *old...)
	}
	all = append(all, f)
	r.watchers.Store(&all)
}

func (r *reporter) watched() bool { return r.watchers.Load() != nil }

func (r *reporter) report(e Event) {
	all := r.watchers.Load()
	if all == nil {
		return
	}
	e.At = time.Now()
	for _, f := range *all {
		f(e)
	}
}
