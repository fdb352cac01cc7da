package eventdb

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
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

// A helper that has begun is waited for, whether the caller's work ends or panics.
func TestTogetherWaitsForWhoHasBegun(t *testing.T) {
	for _, panics := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var returned atomic.Bool
			var recovered any
			begun, letGo := make(chan bool), make(chan bool)
			go func() {
				defer func() { recovered = recover(); returned.Store(true) }()
				together(2, func(i int) {
					if i == 1 {
						close(begun)
						<-letGo
						return
					}
					<-begun
					if panics {
						panic("own work")
					}
				})
			}()
			synctest.Wait()
			if returned.Load() {
				t.Errorf("panics %v: it returned while a helper worked", panics)
			}
			close(letGo)
			synctest.Wait()
			if !returned.Load() || (recovered != nil) != panics {
				t.Errorf("panics %v: returned %v, recovered %v", panics, returned.Load(), recovered)
			}
		})
	}
}

// A helper that has not begun when nothing is left is not waited for and does nothing.
func TestTogetherLeavesOutWhoHasNotBegun(t *testing.T) {
	var late []func()
	worked := 0
	togetherBy(func(helper func()) { late = append(late, helper) }, 4, func(i int) { worked += 1 + i })
	for _, helper := range late {
		helper()
	}
	if worked != 1 || len(late) != 3 {
		t.Errorf("work %d, %d helpers; want that of the caller only", worked, len(late))
	}
}
