package stability

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestRetryUntilSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRetry("x", Attempts(5), Backoff(100*time.Millisecond, time.Second))
		n := 0
		got, err := Call(t.Context(), r, func(context.Context) (int, error) {
			if n++; n < 3 {
				return 0, errDown
			}
			return 42, nil
		})
		if got != 42 || err != nil || n != 3 {
			t.Fatalf("got %d, %v after %d calls", got, err, n)
		}
		if c := r.Snapshot().Counts; c["calls"] != 1 || c["retry"] != 2 {
			t.Fatalf("counts %v", c)
		}
	})
}

func TestRetryStops(t *testing.T) {
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	canceled, cancelNow := context.WithCancel(t.Context())
	cancelNow()
	for _, c := range []struct {
		name  string
		ctx   context.Context
		err   error
		opts  []RetryOption
		calls int
	}{
		{"attempts used up", t.Context(), errDown, []RetryOption{Attempts(4), Backoff(1, 1)}, 4},
		{"permanent", t.Context(), Permanent(errDown), nil, 1},
		{"breaker open", t.Context(), &RejectedError{Reason: ErrOpen}, nil, 1},
		{"caller gave up", canceled, errDown, nil, 1},
		{"not asked for", t.Context(), errDown, []RetryOption{RetryIf(func(error) bool { return false })}, 1},
		{"no time left", short, &StatusError{Code: 503, RetryAfter: time.Minute}, []RetryOption{Backoff(1, time.Hour)}, 1},
		{"no budget", t.Context(), errDown, []RetryOption{Attempts(9), Backoff(1, 1), WithBudget(NewBudget(0, 2))}, 3},
	} {
		n := 0
		err := NewRetry("x", c.opts...).Do(c.ctx, func(context.Context) error { n++; return c.err })
		if err != c.err || n != c.calls {
			t.Errorf("%s: %d calls (want %d), error %v", c.name, n, c.calls, err)
		}
	}
}

func TestBudgetRefillsWithCalls(t *testing.T) {
	b := NewBudget(0.5, 1)
	r := NewRetry("x", Attempts(2), Backoff(1, 1), WithBudget(b))
	n := 0
	times(9, func() { r.Do(t.Context(), func(context.Context) error { n++; return errDown }) })
	// 9 first calls; retries: one of the full bucket, then every second call pays for one.
	if n != 9+5 {
		t.Fatalf("%d calls", n)
	}
	if c := r.Snapshot().Counts; c["unfunded"] != 4 {
		t.Fatalf("counts %v", c)
	}
}

func TestRetryWaitsAreJitteredAndBounded(t *testing.T) {
	r := NewRetry("x", Backoff(100*time.Millisecond, time.Second))
	for n, ceiling := range map[int]time.Duration{1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 5: time.Second, 200: time.Second} {
		seen := map[time.Duration]bool{}
		times(200, func() {
			w := r.config.Load().wait(n, errDown)
			if w < 0 || w >= ceiling {
				t.Fatalf("wait %d: %v not below %v", n, w, ceiling)
			}
			seen[w] = true
		})
		if len(seen) < 100 {
			t.Errorf("wait %d is not jittered", n)
		}
	}
	if w := r.config.Load().wait(1, &StatusError{RetryAfter: 700 * time.Millisecond}); w < 700*time.Millisecond {
		t.Errorf("Retry-After not honoured: %v", w)
	}
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := NewTimeout("slow", time.Second)
		hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		err := to.Do(t.Context(), hang)
		if !errors.Is(err, ErrTimeout) || errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v", err)
		}
		caller, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := to.Do(caller, hang); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("the caller's own deadline became %v", err)
		}
		if c := to.Snapshot().Counts; c["calls"] != 2 || c["timeout"] != 1 {
			t.Fatalf("counts %v", c)
		}
	})
}

func TestBulkhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBulkhead("x", 1, MaxWait(time.Second), MaxQueue(1))
		leave := make(chan struct{})
		go b.Do(t.Context(), func(context.Context) error { <-leave; return nil })
		synctest.Wait()
		waited := make(chan error, 1)
		go func() { waited <- b.Do(t.Context(), succeed) }()
		synctest.Wait()
		if err := b.Do(t.Context(), succeed); !errors.Is(err, ErrFull) {
			t.Fatalf("full queue: %v", err)
		}
		close(leave)
		if err := <-waited; err != nil {
			t.Fatalf("waiting call: %v", err)
		}

		stay := make(chan struct{})
		go b.Do(t.Context(), func(context.Context) error { <-stay; return nil })
		synctest.Wait()
		if err := b.Do(t.Context(), succeed); !errors.Is(err, ErrFull) {
			t.Fatalf("waited too long: %v", err)
		}
		close(stay)
		synctest.Wait()
		if c := b.Snapshot().Counts; b.InFlight() != 0 || c["calls"] != 3 || c["waited"] != 2 || c["rejected"] != 2 {
			t.Fatalf("in flight %d, counts %v", b.InFlight(), c)
		}
	})
}

func TestComposeOrder(t *testing.T) {
	b := NewBreaker("x", TripAt(0.1, 3))
	inside := Compose(NewRetry("x", Attempts(3), Backoff(1, 1)), b)
	inside.Do(t.Context(), fail)
	if b.Snapshot().Counts["failure"] != 3 {
		t.Error("a breaker inside a retry counts each attempt")
	}
	b = NewBreaker("x")
	Compose(b, NewRetry("x", Attempts(3), Backoff(1, 1))).Do(t.Context(), fail)
	if b.Snapshot().Counts["failure"] != 1 {
		t.Error("a breaker around a retry counts the call")
	}
	if err := Compose().Do(t.Context(), fail); err != errDown {
		t.Error("no policies: the call is made")
	}
}
