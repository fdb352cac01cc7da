package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/daytwo-dev/daytwo/service"
	"github.com/daytwo-dev/daytwo/stability"
)

// Error is an answer that is not the one hoped for.
type Error struct {
	Code    int    `json:"-"` // HTTP status
	Message string `json:"error"`
}

func (e *Error) Error() string { return e.Message }

// Errorf makes an [*Error].
func Errorf(code int, format string, args ...any) error {
	return &Error{code, fmt.Sprintf(format, args...)}
}

// Peer is another service.
type Peer struct {
	name, url string
	client    *http.Client
}

// NewPeer is the service at url. Calls are patient enough for its restart: the
// breaker goes around the retry, so what a retry mends is no failure.
func NewPeer(s *service.Service, name, url string) *Peer {
	return &Peer{name, url, s.Client(
		stability.NewBreaker(name, stability.OpenFor(2*time.Second)),
		stability.NewRetry(name, stability.Attempts(10), stability.Backoff(100*time.Millisecond, time.Second),
			stability.WithBudget(stability.NewBudget(0.2, 100)), stability.RetryIf(passing)),
		stability.NewTimeout(name, 3*time.Second),
	)}
}

// NewQuickPeer is a service that its caller can do without for a while: a call
// ends within about two seconds whatever the peer does, in time for who waits for
// the caller (see [NewPeer]), and at once while its
// breaker is open.
func NewQuickPeer(s *service.Service, name, url string) *Peer {
	return &Peer{name, url, s.Client(
		stability.NewBreaker(name, stability.TripAt(0.5, 5), stability.OpenFor(2*time.Second)),
		stability.NewRetry(name, stability.Attempts(2), stability.Backoff(20*time.Millisecond, 100*time.Millisecond), stability.RetryIf(passing)),
		stability.NewTimeout(name, time.Second),
	)}
}

// passing tells failures that may pass from those of the request itself: the
// same request will meet the same bug again.
func passing(err error) bool {
	status := (*stability.StatusError)(nil)
	return !errors.As(err, &status) || status.Code != http.StatusInternalServerError
}

// Call sends in (nil: nothing) and returns the answer. key makes a POST safe
// to repeat; it may be empty. An answer of 400 or more is an [*Error]: the
// peer's own word below 500, else 502.
func Call[T any](ctx context.Context, p *Peer, method, path string, in any, key string) (T, error) {
	var out T
	body, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	req, err := http.NewRequestWithContext(ctx, method, p.url+path, bytes.NewReader(body))
	if err != nil {
		return out, err
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return out, Errorf(http.StatusServiceUnavailable, "%s does not answer: %v", p.name, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return out, Errorf(http.StatusBadGateway, "%s stopped answering: %v", p.name, err)
	}
	if resp.StatusCode >= 400 {
		e := &Error{Code: resp.StatusCode}
		_ = json.Unmarshal(data, e)
		if e.Code >= 500 {
			return out, Errorf(http.StatusBadGateway, "%s failed: %s", p.name, e.Message)
		}
		return out, e
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return out, Errorf(http.StatusBadGateway, "%s answered nonsense: %v", p.name, err)
	}
	return out, nil
}

// callerLeft is nginx's status for a request whose caller did not wait for the
// answer. Nobody reads it, but it is no failure of the service.
const callerLeft = 499

// Handle serves a pattern with a function from a request to an answer. Its
// error is logged and answered with the code of an [*Error], else with 500.
func Handle(s *service.Service, pattern string, h func(r *http.Request) (any, error)) {
	s.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		out, err := h(r)
		code := http.StatusOK
		if err != nil {
			e := &Error{Code: http.StatusInternalServerError, Message: "internal error"}
			errors.As(err, &e)
			if r.Context().Err() != nil {
				e = &Error{Code: callerLeft, Message: "the caller did not wait"}
			}
			if code, out = e.Code, e; code >= 500 {
				s.Log().ErrorContext(r.Context(), "request failed", "route", r.Pattern, "error", err)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(out)
	})
}

// Body reads the request's JSON.
func Body[T any](r *http.Request) (T, error) {
	var v T
	if err := json.NewDecoder(r.Body).Decode(&v); err != nil {
		return v, Errorf(http.StatusBadRequest, "the body is not what is asked for: %v", err)
	}
	return v, nil
}
