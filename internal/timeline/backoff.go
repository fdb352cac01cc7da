package timeline

import (
	"context"
	"time"
)

// backoff is how long to wait after the nth failure in a row, n from 1: from
// 100 ms doubling to 30 s.
func backoff(n int) time.Duration {
	const longest = 30 * time.Second
	if n > 9 {
		return longest
	}
	return min(longest, 100*time.Millisecond<<(n-1))
}

// pause waits for d and tells whether ctx is still alive.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
