package stability

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// gate lets a limited number of calls in at once. Whoever finds it full may
// wait; the more important goes first, among equals the one who came first.
type gate struct {
	limit    atomic.Int64
	inFlight atomic.Int64
	waiting  atomic.Int64

	mu    sync.Mutex
	queue [Critical - Sheddable + 1][]*waiter // by priority, least first
}

// waiter learns on told whether it may pass; it is sent to at most once.
type waiter struct{ told chan bool }

// tryEnter passes if there is a place below limit and nobody waits for it.
func (g *gate) tryEnter(limit int64) bool {
	return g.waiting.Load() == 0 && g.take(limit)
}

func (g *gate) take(limit int64) bool {
	for {
		n := g.inFlight.Load()
		if n >= limit {
			return false
		}
		if g.inFlight.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (g *gate) leave() {
	g.inFlight.Add(-1)
	if g.waiting.Load() > 0 {
		g.mu.Lock()
		g.dispatch()
		g.mu.Unlock()
	}
}

// wait queues for a place. A full queue makes room for the more important.
func (g *gate) wait(ctx context.Context, maxQueue int, maxWait time.Duration) (queued bool, err error) {
	if maxWait <= 0 || maxQueue <= 0 {
		return false, ErrFull
	}
	class := PriorityOf(ctx) - Sheddable
	w := &waiter{told: make(chan bool, 1)}
	g.mu.Lock()
	if int(g.waiting.Load()) >= maxQueue && !g.evictBelow(class) {
		g.mu.Unlock()
		return false, ErrFull
	}
	g.queue[class] = append(g.queue[class], w)
	g.waiting.Add(1)
	g.dispatch() // a place may have become free before anybody saw us wait
	g.mu.Unlock()

	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	err = ErrFull
	select {
	case passed := <-w.told:
		if !passed {
			return true, ErrFull
		}
		return true, nil
	case <-timer.C:
	case <-ctx.Done():
		err = ctx.Err()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.forget(class, w) {
		return true, err
	}
	if <-w.told { // the place came at the last moment
		return true, nil
	}
	return true, err
}

// dispatch gives free places to those who wait. Called with mu held.
func (g *gate) dispatch() {
	for class := len(g.queue) - 1; class >= 0; class-- {
		for len(g.queue[class]) > 0 {
			if !g.take(g.limit.Load()) {
				return
			}
			w := g.queue[class][0]
			g.queue[class] = g.queue[class][1:]
			g.waiting.Add(-1)
			w.told <- true
		}
	}
}

// evictBelow sends the last who came of the least important away.
func (g *gate) evictBelow(class Priority) bool {
	for c := range class {
		if n := len(g.queue[c]); n > 0 {
			w := g.queue[c][n-1]
			g.queue[c] = g.queue[c][:n-1]
			g.waiting.Add(-1)
			w.told <- false
			return true
		}
	}
	return false
}

func (g *gate) forget(class Priority, w *waiter) bool {
	for i, x := range g.queue[class] {
		if x == w {
			g.queue[class] = append(g.queue[class][:i:i], g.queue[class][i+1:]...)
			g.waiting.Add(-1)
			return true
		}
	}
	return false
}

// setLimit changes the number of places.
func (g *gate) setLimit(n int64) {
	g.limit.Store(n)
	if g.waiting.Load() > 0 {
		g.mu.Lock()
		g.dispatch()
		g.mu.Unlock()
	}
}
