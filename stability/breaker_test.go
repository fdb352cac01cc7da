package stability

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var errDown = errors.New("down")

func fail(context.Context) error    { return errDown }
func succeed(context.Context) error { return nil }

func times(n int, f func()) {
	for range n {
		f()
	}
}

// elapse lets time pass and timers run.
func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestBreakerOpensProbesAndCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		b := NewBreaker("payments", TripAt(0.5, 4), OpenFor(time.Second), Probes(2))
		var mu sync.Mutex
		b.Watch(func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.From != e.To {
				seen = append(seen, e.To.String()+": "+e.Reason)
			}
		})
		ctx := t.Context()

		times(3, func() { b.Do(ctx, fail) })
		if b.State() != Closed {
			t.Fatal("opened below the minimum of calls")
		}
		b.Do(ctx, fail)
		err := b.Do(ctx, succeed)
		var rejected *RejectedError
		if !errors.Is(err, ErrOpen) || !errors.As(err, &rejected) || rejected.Name != "payments" {
			t.Fatalf("open breaker answered %v", err)
		}

		elapse(time.Second)
		first, err1 := b.Allow()
		_, err2 := b.Allow()
		_, err3 := b.Allow()
		if err1 != nil || err2 != nil || !errors.Is(err3, ErrOpen) {
			t.Fatalf("two probes expected, got %v, %v, %v", err1, err2, err3)
		}
		first.Done(errDown)
		if b.State() != Open {
			t.Fatal("a failed probe must open the breaker again")
		}

		elapse(time.Second)
		times(2, func() {
			if err := b.Do(ctx, succeed); err != nil {
				t.Fatal(err)
			}
		})
		want := []string{"open: 4 of 4 calls failed", "half-open: time to probe", "open: a probe failed",
			"half-open: time to probe", "closed: 2 calls came back well"}
		if fmt.Sprint(seen) != fmt.Sprint(want) {
			t.Fatalf("transitions\n got %q\nwant %q", seen, want)
		}
		if s := b.Snapshot(); s.State != "closed" || s.Counts["failure"] != 5 || s.Counts["rejected"] != 2 || s.Counts["opened"] != 2 {
			t.Fatalf("snapshot %+v", s)
		}
	})
}

func TestBreakerForgetsOldCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBreaker("x", TripAt(0.5, 4), Window(10*time.Second))
		times(3, func() { b.Do(t.Context(), fail) })
		elapse(11 * time.Second)
		times(3, func() { b.Do(t.Context(), fail) })
		if b.State() != Closed {
			t.Fatal("calls outside the window were judged")
		}
	})
}

func TestContextErrorsAreNoFailures(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	wire := &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
	for _, c := range []struct {
		name    string
		ctx     context.Context
		err     error
		failure bool
	}{
		{"canceled", t.Context(), fmt.Errorf("get: %w", context.Canceled), false},
		{"deadline", t.Context(), context.DeadlineExceeded, false},
		{"any error after the caller gave up", canceled, errDown, false},
		{"time-out on the wire", t.Context(), wire, true},
		{"our own time-out", t.Context(), &TimeoutError{}, true},
		{"plain", t.Context(), errDown, true},
	} {
		b := NewBreaker("x", TripAt(0.1, 1))
		if err := b.Do(c.ctx, func(context.Context) error { return c.err }); err != c.err {
			t.Errorf("%s: error %v was changed", c.name, err)
		}
		if got := b.State() == Open; got != c.failure {
			t.Errorf("%s: counted as failure: %v", c.name, got)
		}
	}
}

func TestBreakerIsNeverStuckHalfOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBreaker("x", TripAt(0.1, 1), OpenFor(time.Second), Probes(1))
		b.Do(t.Context(), fail)
		elapse(time.Second)
		b.Do(t.Context(), func(context.Context) error { return context.Canceled }) // no verdict
		hung, err := b.Allow()
		if err != nil {
			t.Fatal("a probe without verdict must free its place")
		}
		if _, err := b.Allow(); err == nil {
			t.Fatal("one probe at a time")
		}
		elapse(time.Second)
		p, err := b.Allow()
		if err != nil {
			t.Fatal("a hung probe must be given up")
		}
		hung.Done(errDown) // of an earlier era
		p.Done(nil)
		if b.State() != Closed {
			t.Fatal(b.State())
		}
	})
}

func TestBreakerCountsPanics(t *testing.T) {
	b := NewBreaker("x", TripAt(0.1, 1))
	func() {
		defer func() { recover() }()
		b.Do(t.Context(), func(context.Context) error { panic("boom") })
	}()
	if b.State() != Open {
		t.Fatal("a panic is a failure")
	}
}

func TestBreakerUnderConcurrency(t *testing.T) {
	b := NewBreaker("x", TripAt(0.5, 10), OpenFor(time.Microsecond))
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				call := succeed
				if (i+g)%3 != 0 {
					call = fail
				}
				b.Do(t.Context(), call)
			}
		})
	}
	wg.Wait()
	c := b.Snapshot().Counts
	if c["success"]+c["failure"]+c["rejected"] != 16000 {
		t.Fatalf("calls lost: %v", c)
	}
}

func TestBreakerSuccessPathDoesNotAllocate(t *testing.T) {
	b := NewBreaker("x")
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() { b.Do(ctx, succeed) }); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
