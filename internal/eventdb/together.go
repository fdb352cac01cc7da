package eventdb

import (
	"sync"
	"sync/atomic"
)

// together does work on up to n goroutines, none if n is 0, of which the caller's is number 0. Work
// takes what is left to do until nothing is, so that a helper that the processor has
// had no room for by then is not waited for: it never begins.
func together(n int, work func(i int)) {
	togetherBy(func(helper func()) { go helper() }, n, work)
}

// togetherBy has its helpers begun by start, at once, later or never. Those that have
// begun are waited for even if the caller's own work panics: they may use what it
// would release.
func togetherBy(start func(helper func()), n int, work func(i int)) {
	if n < 1 {
		return
	}
	var begun sync.WaitGroup
	decided := make([]atomic.Bool, n) // that a helper begins, or that it does not
	for i := 1; i < n; i++ {
		begun.Add(1)
		start(func() {
			if decided[i].CompareAndSwap(false, true) {
				defer begun.Done()
				work(i)
			}
		})
	}
	defer func() {
		for i := 1; i < n; i++ {
			if decided[i].CompareAndSwap(false, true) {
				begun.Done()
			}
		}
		begun.Wait()
	}()
	work(0)
}
