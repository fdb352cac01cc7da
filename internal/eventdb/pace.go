package eventdb

import (
	"context"
	"sync/atomic"
	"time"
)

// What merging in the background may take while no more than mergeBehind times
// the parts of a merge wait: then it goes as fast as it can.
const (
	mergeRest   = 1        // time it rests for the time it works: half a core
	mergeBytes  = 64 << 20 // written in a second
	mergeBehind = 4
	pacerStep   = 10 * time.Millisecond // it rests by
)

// pacer keeps merging from taking the machine from queries and writers. It is
// used by one goroutine.
type pacer struct {
	waiting *atomic.Int32 // who waits for it to end; then it does not rest
	last    time.Time     // when it began to work
	owed    time.Duration // rest
}

func newPacer(waiting *atomic.Int32) *pacer { return &pacer{waiting: waiting, last: time.Now()} }

// wait rests for the work since it was last called, in which so many bytes were
// written. It returns early with ctx's error.
func (p *pacer) wait(ctx context.Context, bytes int64) error {
	if p == nil {
		return ctx.Err()
	}
	worked := time.Since(p.last)
	p.owed += max(worked*mergeRest, time.Duration(bytes)*time.Second/mergeBytes-worked)
	for ; p.owed >= pacerStep && p.waiting.Load() == 0; p.owed -= pacerStep {
		rest := time.NewTimer(pacerStep)
		select {
		case <-ctx.Done():
			rest.Stop()
			return ctx.Err()
		case <-rest.C:
		}
	}
	if p.waiting.Load() > 0 {
		p.owed = 0
	}
	p.last = time.Now()
	return nil
}
