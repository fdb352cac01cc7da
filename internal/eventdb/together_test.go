package eventdb

import (
	"sync/atomic"
	"testing"
)

// All work is done, and nobody works any more, when it returns.
func TestTogether(t *testing.T) {
	for n := range 9 {
		var next, done, working atomic.Int64
		together(n, func(int) {
			working.Add(1)
			defer working.Add(-1)
			for next.Add(1) <= 1000 {
				done.Add(1)
			}
		})
		want := int64(1000)
		if n == 0 {
			want = 0
		}
		if done.Load() != want || working.Load() != 0 {
			t.Errorf("%d together did %d, %d still work", n, done.Load(), working.Load())
		}
	}
}
