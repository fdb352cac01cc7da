package stability

import (
	"math/bits"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"
)

// stripeCount is how many copies a counter of the hot path has, so that two
// cores seldom write to one cache line.
var stripeCount = 1 << bits.Len(uint(min(64, 4*runtime.GOMAXPROCS(0))-1))

// stripe picks a copy for this goroutine. Goroutines have stacks of their own,
// so the address of a local variable tells them apart; which one it is matters
// for speed only.
func stripe() int {
	var local byte
	at := uint64(uintptr(unsafe.Pointer(&local))) >> 11
	return int(at*0x9E3779B97F4A7C15>>40) & (stripeCount - 1)
}

// line is a cache line of counters.
type line [8]atomic.Uint64

// stripes counts up to eight kinds of decisions.
type stripes []line

func newStripes() stripes { return make(stripes, stripeCount) }

func (s stripes) add(kind int) { s[stripe()][kind].Add(1) }

func (s stripes) sum(kind int) (n uint64) {
	for i := range s {
		n += s[i][kind].Load()
	}
	return n
}

// began is where monotonic times start.
var began = time.Now()

// now is a monotonic time, at less than the cost of time.Now. It is positive
// also in the bubbles of testing/synctest, whose clock begins in 2000.
func now() time.Duration { return time.Since(began) + 1<<61 }

// timeOf is the time that now was, or will be, t.
func timeOf(t time.Duration) time.Time { return began.Add(t - 1<<61) }
