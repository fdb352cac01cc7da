package stability

import (
	"context"
	"runtime/debug"
	"sync"
	"time"
)

// Flight fetches each key once at a time, however many ask for it, and keeps
// the answer for a while: no dogpile on a dependency when a popular answer
// expires. While a fetch fails, an answer that is not too old is served.
//
// A fetch has a context of its own, with the values of the first who asked:
// it goes on when that one gives up, and ends when all have.
//
// Counts: calls, hits, fetches, shared, stale, failures, evicted.
// Levels: entries.
type Flight[K comparable, V any] struct {
	reporter
	name         string
	fetch        func(context.Context, K) (V, error)
	fresh, stale time.Duration
	maxEntries   int

	mu      sync.Mutex
	entries map[K]*flightEntry[V]
	flying  int // entries that are being fetched
	counts  struct{ calls, hits, fetches, shared, stale, failures, evicted uint64 }
}

type flightEntry[V any] struct {
	v       V
	at      time.Duration // when fetched; 0 if never
	fetched bool
	flight  *flight[V] // nil if nobody asks
}

type flight[V any] struct {
	done    chan struct{}
	v       V
	err     error
	waiting int
	cancel  context.CancelFunc
	entry   *flightEntry[V]
}

// NewFlight makes a cache of what fetch answers: fresh for that long, and for
// stale longer if it cannot be fetched again; both may be 0. It keeps at most
// maxEntries, but for those that are being fetched: they may be more, and then
// those that are too many are dropped when they have been fetched.
func NewFlight[K comparable, V any](name string, fresh, stale time.Duration, maxEntries int, fetch func(context.Context, K) (V, error)) *Flight[K, V] {
	f := &Flight[K, V]{name: name, fetch: fetch, entries: map[K]*flightEntry[V]{}}
	f.Configure(fresh, stale, maxEntries)
	return f
}

// Configure changes the times and the room of a living cache.
func (f *Flight[K, V]) Configure(fresh, stale time.Duration, maxEntries int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fresh, f.stale, f.maxEntries = fresh, stale, max(1, maxEntries)
	for len(f.entries) > f.maxEntries && f.evict() {
	}
}

// Get tells the value of k.
func (f *Flight[K, V]) Get(ctx context.Context, k K) (V, error) {
	f.mu.Lock()
	f.counts.calls++
	e := f.entries[k]
	if e != nil && e.fetched && now()-e.at < f.fresh {
		f.counts.hits++
		v := e.v
		f.mu.Unlock()
		return v, nil
	}
	if e == nil {
		for len(f.entries) >= f.maxEntries && f.evict() {
		}
		e = &flightEntry[V]{}
		f.entries[k] = e
	}
	if e.flight == nil {
		f.counts.fetches++
		f.launch(ctx, k, e)
	} else {
		f.counts.shared++
	}
	fl := e.flight
	fl.waiting++
	f.mu.Unlock()

	select {
	case <-fl.done:
	case <-ctx.Done():
		f.abandon(fl)
		var zero V
		return zero, ctx.Err()
	}
	if fl.err == nil {
		return fl.v, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if e.fetched && now()-e.at < f.fresh+f.stale {
		f.counts.stale++
		return e.v, nil
	}
	return fl.v, fl.err
}

// launch starts a fetch. Called with mu held.
func (f *Flight[K, V]) launch(ctx context.Context, k K, e *flightEntry[V]) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	fl := &flight[V]{done: make(chan struct{}), cancel: cancel, entry: e}
	e.flight = fl
	f.flying++
	go func() {
		defer cancel()
		fl.v, fl.err = f.fetchSafely(ctx, k)
		f.mu.Lock()
		f.ground(fl)
		if fl.err == nil {
			e.v, e.at, e.fetched = fl.v, now(), true
		} else {
			f.counts.failures++
		}
		if f.entries[k] == e && e.flight == nil {
			f.settle(k, e)
		}
		f.mu.Unlock()
		close(fl.done)
		if fl.err != nil {
			f.report(Event{Policy: "flight", Name: f.name, Decision: "failures", Err: fl.err})
		}
	}()
}

// settle keeps what was fetched if it is of use and there is room: while there are
// too many entries, those not in flight have been evicted. Called with mu held.
func (f *Flight[K, V]) settle(k K, e *flightEntry[V]) {
	switch {
	case !e.fetched || f.fresh+f.stale == 0:
		delete(f.entries, k)
	case len(f.entries) > f.maxEntries:
		delete(f.entries, k)
		f.counts.evicted++
	}
}

// ground ends a flight for those who come later. Called with mu held.
func (f *Flight[K, V]) ground(fl *flight[V]) {
	if fl.entry.flight == fl {
		fl.entry.flight = nil
		f.flying--
	}
}

func (f *Flight[K, V]) fetchSafely(ctx context.Context, k K) (v V, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return f.fetch(ctx, k)
}

// abandon ends a fetch that nobody waits for any more.
func (f *Flight[K, V]) abandon(fl *flight[V]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl.waiting--; fl.waiting > 0 {
		return
	}
	fl.cancel()
	f.ground(fl) // who asks next asks anew
}

// evict drops the oldest of a few entries, and tells whether there was one that
// nobody waits for. Called with mu held.
func (f *Flight[K, V]) evict() bool {
	if len(f.entries) == f.flying {
		return false
	}
	var victim K
	var oldest *flightEntry[V]
	looked := 0
	for k, e := range f.entries { // the order is random
		if e.flight != nil {
			continue
		}
		if oldest == nil || e.at < oldest.at {
			victim, oldest = k, e
		}
		if looked++; looked == 16 {
			break
		}
	}
	if oldest == nil {
		return false
	}
	delete(f.entries, victim)
	f.counts.evicted++
	return true
}

// Sweep drops what is too old to be served and tells how much that was; a
// task for a [Janitor].
func (f *Flight[K, V]) Sweep(context.Context) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for k, e := range f.entries {
		if e.flight == nil && now()-e.at >= f.fresh+f.stale {
			delete(f.entries, k)
			n++
		}
	}
	return n, nil
}

// Snapshot tells the counts so far.
func (f *Flight[K, V]) Snapshot() Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.counts
	return Snapshot{Policy: "flight", Name: f.name, Counts: map[string]uint64{
		"calls": c.calls, "hits": c.hits, "fetches": c.fetches, "shared": c.shared,
		"stale": c.stale, "failures": c.failures, "evicted": c.evicted,
	}, Levels: map[string]float64{"entries": float64(len(f.entries))}}
}
