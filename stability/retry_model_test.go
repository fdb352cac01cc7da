package stability

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// retryModel says what a retry may and must do after each attempt. Waits are
// random, so it knows bounds of them; all else it knows exactly.
type retryModel struct {
	attempts        int
	first, longest  time.Duration
	ratio, burst    int // thousandths of a retry that a call pays for; retries
	tokens          int // thousandths
	retry, out, due uint64
}

// retryCall is one call of a caller with limited patience.
type retryCall struct {
	patience time.Duration // its deadline; 0: none
	leaves   time.Duration // when it gives up; 0: never
	replies  []reply
}

// reply is how one attempt ends.
type reply struct {
	takes time.Duration
	err   error
}

// wait bounds the wait after the nth failure: lo ≤ wait, and wait < hi or wait = lo.
func (m *retryModel) wait(n int, err error) (lo, hi time.Duration) {
	hi = m.first
	for range n - 1 {
		hi = min(m.longest, 2*hi)
	}
	hi = min(m.longest, hi)
	if status := new(StatusError); errors.As(err, &status) {
		lo = min(status.RetryAfter, m.longest)
	}
	return lo, max(lo, hi)
}

// check follows one call that began at began: its attempts' times, and what it
// returned when.
func (m *retryModel) check(c retryCall, began time.Duration, begins, ends []time.Duration, err error, returned time.Duration, unfunded bool) string {
	m.tokens = min(m.burst*1000, m.tokens+m.ratio)
	leaves, deadline := time.Duration(1<<62), time.Duration(1<<62)
	if c.leaves > 0 {
		leaves = began + c.leaves
	}
	if c.patience > 0 {
		deadline = began + c.patience
	}
	for i, at := range ends {
		e, last := c.replies[i].err, i == len(ends)-1
		if last && err != e {
			return fmt.Sprintf("returned %v, the last attempt ended with %v", err, e)
		}
		hopeless := e == nil || errors.Is(e, errOther) || errors.Is(e, context.Canceled) || errors.As(e, new(*permanentError)) ||
			errors.Is(e, ErrOpen) || errors.Is(e, ErrShed) || min(leaves, deadline) <= at
		if hopeless || i+1 == m.attempts {
			if !hopeless {
				m.out++
			}
			if !last || returned != at {
				return fmt.Sprintf("went on after attempt %d: %v", i+1, e)
			}
			return ""
		}
		lo, hi := m.wait(i+1, e)
		mustStop, mayStop := deadline-at <= lo, deadline-at < hi
		switch {
		case !last:
			wait := begins[i+1] - at
			if wait < lo || wait >= hi && wait > lo || mustStop || m.tokens < 1000 || begins[i+1] >= min(leaves, deadline) {
				return fmt.Sprintf("attempt %d after %v, model [%v, %v), deadline in %v, %d tokens", i+2, wait, lo, hi, deadline-at, m.tokens)
			}
			m.tokens -= 1000
			m.retry++
		case unfunded:
			if m.tokens >= 1000 || mustStop || returned != at {
				return fmt.Sprintf("refused a retry after attempt %d with %d tokens", i+1, m.tokens)
			}
			m.due++
		case returned > at: // the caller left while it waited
			if returned != leaves || m.tokens < 1000 || returned-at > hi {
				return fmt.Sprintf("waited %v after attempt %d and stopped", returned-at, i+1)
			}
			m.tokens -= 1000
		case !mayStop:
			return fmt.Sprintf("stopped after attempt %d (%v), deadline in %v, %d tokens", i+1, e, deadline-at, m.tokens)
		}
	}
	return ""
}

var errOther = errors.New("no error to retry")

// Attempts, waits, the heeding of Retry-After, of the deadline, of a caller that
// left and of the budget are those of the model.
func TestRetryAgainstModel(t *testing.T) {
	answers := []error{
		nil, errDown, errDown, errDown, errDown, errOther, Permanent(errDown), context.Canceled,
		&StatusError{Code: 503}, &StatusError{Code: 503, RetryAfter: 300 * time.Millisecond}, &StatusError{Code: 429, RetryAfter: time.Hour},
		&RejectedError{Reason: ErrOpen}, &RejectedError{Reason: ErrShed}, &RejectedError{Reason: ErrFull},
	}
	rapid.Check(t, func(r *rapid.T) {
		m := &retryModel{
			attempts: rapid.IntRange(1, 5).Draw(r, "attempts"),
			first:    rapid.SampledFrom([]time.Duration{time.Millisecond, 100 * time.Millisecond}).Draw(r, "first"),
			longest:  rapid.SampledFrom([]time.Duration{50 * time.Millisecond, time.Second}).Draw(r, "longest"),
			ratio:    rapid.SampledFrom([]int{0, 300, 1000}).Draw(r, "ratio"), burst: rapid.IntRange(0, 5).Draw(r, "burst"),
		}
		m.tokens = m.burst * 1000
		calls := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) retryCall {
			c := retryCall{ // no two of these times can meet
				patience: rapid.SampledFrom([]time.Duration{0, 0, 5 * time.Millisecond, 155 * time.Millisecond, 1205 * time.Millisecond}).Draw(r, "patience"),
				leaves:   rapid.SampledFrom([]time.Duration{0, 0, 0, 123 * time.Millisecond}).Draw(r, "leaves"),
			}
			for range m.attempts {
				c.replies = append(c.replies, reply{
					rapid.SampledFrom([]time.Duration{0, 0, 10 * time.Millisecond, 200 * time.Millisecond}).Draw(r, "takes"),
					rapid.SampledFrom(answers).Draw(r, "answer"),
				})
			}
			return c
		}), 1, 8).Draw(r, "calls")
		wrong := ""
		synctest.Test(t, func(*testing.T) {
			budget := NewBudget(float64(m.ratio)/1000, m.burst)
			p := NewRetry("x", Attempts(m.attempts), Backoff(m.first, m.longest), WithBudget(budget),
				RetryIf(func(err error) bool { return !errors.Is(err, errOther) }))
			for i, c := range calls {
				ctx, cancel := context.WithCancel(context.Background())
				if c.patience > 0 {
					ctx, cancel = context.WithTimeout(ctx, c.patience)
				}
				if c.leaves > 0 {
					time.AfterFunc(c.leaves, cancel)
				}
				var begins, ends []time.Duration
				began, before := now(), p.Snapshot().Counts["unfunded"]
				err := p.Do(ctx, func(context.Context) error {
					begins = append(begins, now())
					if len(begins) > len(c.replies) {
						return nil // one too many; check says so
					}
					elapse(c.replies[len(ends)].takes)
					ends = append(ends, now())
					return c.replies[len(ends)-1].err
				})
				if len(begins) > m.attempts {
					wrong = fmt.Sprintf("call %d: %d attempts", i, len(begins))
				} else if wrong = m.check(c, began, begins, ends, err, now(), p.Snapshot().Counts["unfunded"] > before); wrong != "" {
					wrong = fmt.Sprintf("call %d %+v: %s", i, c, wrong)
				}
				cancel()
				got := p.Snapshot().Counts
				if wrong == "" && (got["retry"] != m.retry || got["exhausted"] != m.out || got["unfunded"] != m.due || got["calls"] != uint64(i+1) || int(budget.tokens.Load()) != m.tokens) {
					wrong = fmt.Sprintf("call %d: counts %v and %d tokens, model %+v", i, got, budget.tokens.Load(), m)
				}
				if wrong != "" {
					return
				}
			}
		})
		if wrong != "" {
			r.Fatalf("%s\n%+v", wrong, m)
		}
	})
}
