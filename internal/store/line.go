package store

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

const (
	maxWaiting = 1024             // writes that may stand in line
	maxWait    = 30 * time.Second // how long each does
)

// line gives a turn to one goroutine at a time, in order of arrival. The zero
// value is ready. Whoever has the turn must end it, once, with callNext or end.
type line struct {
	mu      sync.Mutex
	taken   bool            // somebody has the turn
	waiting []chan struct{} // each with room for one message
	closed  bool
}

// wait returns nil when the turn is the caller's. An error means it gave up;
// mine is set if the turn came at that same moment, and the caller must end it.
func (l *line) wait(ctx context.Context) (mine bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	turn, err := l.enter()
	if err != nil || turn == nil {
		return err == nil, err
	}
	timeout := time.NewTimer(maxWait)
	defer timeout.Stop()
	select {
	case <-turn:
		return true, nil
	case <-ctx.Done():
		return !l.leave(turn), ctx.Err()
	case <-timeout.C:
		return !l.leave(turn), problem.New(problem.Unavailable, "another write has kept the store for %s", maxWait).
			WithMend("try again; if it stays so, restart daytwo and report what its log says")
	}
}

// enter answers what to wait for, or nil if the turn is the caller's at once.
func (l *line) enter() (chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return nil, problem.New(problem.Unavailable, "the store is closed: daytwo is stopping")
	case !l.taken:
		l.taken = true
		return nil, nil
	case len(l.waiting) >= maxWaiting:
		return nil, problem.New(problem.Exhausted, "%d writes are waiting for the store already", maxWaiting).
			WithMend("try again later; if it stays so, the disk is too slow for the load")
	}
	turn := make(chan struct{}, 1)
	l.waiting = append(l.waiting, turn)
	return turn, nil
}

// leave tells whether turn was still waiting.
func (l *line) leave(turn chan struct{}) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.waiting, turn)
	if i < 0 {
		return false
	}
	l.waiting = slices.Delete(l.waiting, i, i+1)
	return true
}

// callNext gives the turn to the first in line, and tells whether there was one.
func (l *line) callNext() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		return false
	}
	l.waiting[0] <- struct{}{}
	l.waiting = slices.Delete(l.waiting, 0, 1)
	return true
}

// end gives the turn to the first in line, or leaves it free.
func (l *line) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.taken = false
		return
	}
	l.waiting[0] <- struct{}{}
	l.waiting = slices.Delete(l.waiting, 0, 1)
}

// length is how many wait.
func (l *line) length() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}

// close refuses later callers, and answers what says that all earlier ones have
// had their turn and the caller has the last.
func (l *line) close() (turn <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := make(chan struct{}, 1)
	l.closed = true
	if l.taken {
		l.waiting = append(l.waiting, last)
		return last
	}
	l.taken = true
	last <- struct{}{}
	return last
}
