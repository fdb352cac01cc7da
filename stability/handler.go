package stability

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Handler wraps a server's handler in policies, outermost first: a [Bulkhead],
// an [Adaptive] or [Shed] that keep it from drowning, a [RateLimit], a
// [FailFast]. Requests get the deadline and the priority that their caller
// sent (see [Transport]).
//
// A refused request is answered 503, or 429 by a rate limit, with Retry-After;
// one that ran out of time before it was answered 504. An answer of 500 or
// more is a failure to the policies. A request is never handled twice, so
// [Retry] and [Hedge] have no place here.
func Handler(next http.Handler, policies ...Policy) http.Handler {
	policy := Compose(policies...)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if p := priorityOfHeader(r.Header); p != Normal {
			ctx = WithPriority(ctx, p)
		}
		if ms, err := strconv.ParseInt(r.Header.Get(deadlineHeader), 10, 32); err == nil && ms > 0 {
			bounded := newDeadline(ctx, time.Duration(ms)*time.Millisecond, nil)
			defer bounded.release()
			ctx = bounded
		}
		w := &statusRecorder{ResponseWriter: rw}
		handled := false
		err := policy.Do(ctx, func(ctx context.Context) error {
			if handled {
				return Permanent(errors.New("a request is not handled twice"))
			}
			handled = true
			next.ServeHTTP(w, r.WithContext(ctx))
			if w.code >= 500 {
				return Permanent(&StatusError{Code: w.code})
			}
			if w.code == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			return nil
		})
		if err != nil && w.code == 0 {
			refuse(w, err)
		}
	})
}

// refuse answers for a policy.
func refuse(w http.ResponseWriter, err error) {
	code := http.StatusServiceUnavailable
	if errors.Is(err, ErrTimeout) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrNoTime) {
		code = http.StatusGatewayTimeout
	}
	if r := (*RejectedError)(nil); errors.As(err, &r) {
		if errors.Is(r.Reason, ErrRate) {
			code = http.StatusTooManyRequests
		}
		if r.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(r.RetryAfter.Seconds()))))
		}
	}
	http.Error(w, err.Error(), code)
}

// statusRecorder remembers the status.
type statusRecorder struct {
	http.ResponseWriter
	code int
}

func (w *statusRecorder) WriteHeader(code int) {
	if w.code == 0 && (code >= 200 || code == http.StatusSwitchingProtocols) {
		w.code = code
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *statusRecorder) Write(b []byte) (int, error) {
	if w.code == 0 {
		w.code = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

func (w *statusRecorder) Flush()                      { _ = http.NewResponseController(w.ResponseWriter).Flush() }
func (w *statusRecorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }
