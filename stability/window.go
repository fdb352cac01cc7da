package stability

import "time"

const windowBuckets = 10

// window counts calls over the last windowBuckets × width. Older buckets are
// emptied as time passes them, so that no timer is needed.
type window struct {
	width   time.Duration
	start   time.Time
	head    int64 // index of the newest bucket since start
	buckets [windowBuckets]struct{ calls, failures uint64 }
	calls   uint64 // sum of the buckets
	failed  uint64
}

// add counts one call and returns the sums including it.
func (w *window) add(now time.Time, failed bool) (calls, failures uint64) {
	at := int64(now.Sub(w.start) / w.width)
	for n := min(at-w.head, windowBuckets); n > 0; n-- {
		b := &w.buckets[uint64(at-n+1)%windowBuckets]
		w.calls -= b.calls
		w.failed -= b.failures
		b.calls, b.failures = 0, 0
	}
	w.head = max(w.head, at)
	b := &w.buckets[uint64(w.head)%windowBuckets]
	b.calls++
	w.calls++
	if failed {
		b.failures++
		w.failed++
	}
	return w.calls, w.failed
}

func (w *window) reset() {
	clear(w.buckets[:])
	w.calls, w.failed = 0, 0
}
