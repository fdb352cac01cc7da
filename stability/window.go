package stability

import (
	"sync/atomic"
	"time"
)

const windowBuckets = 10

// asleep is the current bucket of a window without calls.
const asleep = -1

// window counts calls over the last windowBuckets × width, or the last calls.
//
// Over time, a success costs one addition: which bucket is the current one is
// kept by a timer that runs only while there are calls in the window, so that
// no clock is read. Everything but pass is called with the breaker's mutex
// held.
type window struct {
	current atomic.Int64 // number of the bucket, or asleep
	shards  []shard

	width    time.Duration
	at       int64 // as current, also while asleep
	failed   [windowBuckets]uint64
	slow     [windowBuckets]uint64
	retired  uint64 // successes that left the window
	rotation *time.Timer

	last *lastCalls // over calls instead of time
}

// shard holds successes by bucket, on cache lines of its own.
type shard struct {
	success [windowBuckets]atomic.Uint64
	_       [128 - 8*windowBuckets%128]byte
}

func newShards() []shard { return make([]shard, stripeCount) }

// pass counts a success of a quick call, unless the window wants it to be
// told with the mutex held.
func (w *window) pass() bool {
	at := w.current.Load()
	if at == asleep {
		return false
	}
	w.shards[stripe()].success[uint64(at)%windowBuckets].Add(1)
	return true
}

// add counts one call.
func (w *window) add(failed, slow bool, rotate func()) {
	if w.last != nil {
		w.last.add(failed, slow)
		if !failed {
			w.retired++
		}
		return
	}
	w.turn(now())
	if w.current.Load() == asleep {
		w.current.Store(w.at)
		w.arm(rotate)
	}
	slot := uint64(w.at) % windowBuckets
	if failed {
		w.failed[slot]++
	} else {
		w.shards[0].success[slot].Add(1)
	}
	if slow {
		w.slow[slot]++
	}
}

func (w *window) arm(rotate func()) {
	wait := time.Duration(w.at+1)*w.width - now()
	if w.rotation == nil {
		w.rotation = time.AfterFunc(wait, rotate)
		return
	}
	w.rotation.Reset(wait)
}

// turn empties the buckets that time has passed.
func (w *window) turn(t time.Duration) {
	at := int64(t / w.width)
	for n := min(at-w.at, windowBuckets); n > 0; n-- {
		w.empty(uint64(at-n+1) % windowBuckets)
	}
	w.at = max(w.at, at)
	if w.current.Load() != asleep {
		w.current.Store(w.at)
	}
}

// rotated is called by the timer.
func (w *window) rotated(rotate func()) {
	if w.last != nil || w.current.Load() == asleep {
		return
	}
	w.turn(now())
	if calls, _, _ := w.sums(); calls == 0 {
		w.current.Store(asleep)
		return
	}
	w.arm(rotate)
}

func (w *window) empty(slot uint64) {
	for i := range w.shards {
		w.retired += w.shards[i].success[slot].Swap(0)
	}
	w.failed[slot], w.slow[slot] = 0, 0
}

// sums tells the calls in the window, and how many of them failed or were slow.
func (w *window) sums() (calls, failed, slow uint64) {
	if w.last != nil {
		return w.last.sums()
	}
	for slot := range windowBuckets {
		failed += w.failed[slot]
		slow += w.slow[slot]
	}
	return w.live() + failed, failed, slow
}

// live counts the successes in the window.
func (w *window) live() (n uint64) {
	for i := range w.shards {
		for slot := range w.shards[i].success {
			n += w.shards[i].success[slot].Load()
		}
	}
	return n
}

// successes counts all there ever were.
func (w *window) successes() uint64 { return w.retired + w.live() }

func (w *window) reset() {
	for slot := range uint64(windowBuckets) {
		w.empty(slot)
	}
	if w.last != nil {
		w.last.reset()
	}
}

// configure changes what the window goes over, and empties it.
func (w *window) configure(c *breakerConfig) {
	w.reset()
	w.current.Store(asleep)
	w.width, w.last = max(c.window/windowBuckets, 1), nil
	w.at = int64(now() / w.width)
	if c.lastCalls > 0 {
		w.last = &lastCalls{outcomes: make([]outcome, 0, c.lastCalls)}
	}
}

// lastCalls is a window over a number of calls.
type lastCalls struct {
	outcomes     []outcome // a ring once it is full
	oldest       int
	failed, slow uint64
}

type outcome struct{ failed, slow bool }

func (l *lastCalls) add(failed, slow bool) {
	o := outcome{failed, slow}
	l.count(o, 1)
	if len(l.outcomes) < cap(l.outcomes) {
		l.outcomes = append(l.outcomes, o)
		return
	}
	l.count(l.outcomes[l.oldest], ^uint64(0))
	l.outcomes[l.oldest] = o
	l.oldest = (l.oldest + 1) % len(l.outcomes)
}

func (l *lastCalls) count(o outcome, n uint64) {
	if o.failed {
		l.failed += n
	}
	if o.slow {
		l.slow += n
	}
}

func (l *lastCalls) sums() (calls, failed, slow uint64) {
	return uint64(len(l.outcomes)), l.failed, l.slow
}

func (l *lastCalls) reset() { l.outcomes, l.oldest, l.failed, l.slow = l.outcomes[:0], 0, 0, 0 }
