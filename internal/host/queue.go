package host

import (
	"context"
	"sync"

	writev2 "github.com/prometheus/client_golang/exp/api/remote/genproto/v2"
)

// queueLength is how many measurements wait while the server cannot be reached:
// half an hour of them at the usual interval, about 40 MB at the very most.
const queueLength = 120

// queue holds measurements in their order; when it is full the oldest gives way,
// since the newest say how the host is now.
type queue struct {
	mu      sync.Mutex
	items   []*writev2.Request
	limit   int
	arrived chan struct{} // holds a token while something may wait
}

func newQueue(limit int) *queue { return &queue{limit: limit, arrived: make(chan struct{}, 1)} }

// push adds a request and tells whether another was dropped for it.
func (q *queue) push(r *writev2.Request) (dropped bool) {
	q.mu.Lock()
	if len(q.items) == q.limit {
		q.items, dropped = q.items[1:], true
	}
	q.items = append(q.items, r)
	q.mu.Unlock()
	select {
	case q.arrived <- struct{}{}:
	default:
	}
	return dropped
}

// pop takes the oldest request, waiting for one until ctx ends.
func (q *queue) pop(ctx context.Context) (*writev2.Request, bool) {
	for {
		q.mu.Lock()
		if len(q.items) > 0 {
			r := q.items[0]
			q.items = q.items[1:]
			q.mu.Unlock()
			return r, true
		}
		q.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, false
		case <-q.arrived:
		}
	}
}
