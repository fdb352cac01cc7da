package service

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// RequestIDHeader carries the id of a request from service to service.
const RequestIDHeader = "X-Request-Id"

type requestIDKey struct{}

// RequestID is the id of the request that ctx belongs to, or "".
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// WithRequestID gives ctx the id, for work that did not come in by HTTP.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// withRequestID takes the caller's id over if it is harmless, else makes one,
// and answers with it.
func withRequestID(w http.ResponseWriter, r *http.Request) *http.Request {
	id := r.Header.Get(RequestIDHeader)
	if !harmless(id) {
		id = rand.Text()
	}
	w.Header().Set(RequestIDHeader, id)
	return r.WithContext(WithRequestID(r.Context(), id))
}

func harmless(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// Propagate wraps next (nil: [http.DefaultTransport]) so that calls to other
// services carry the request id and the trace of their context.
func Propagate(next http.RoundTripper) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return propagator{next, &tracer{}}
}

type propagator struct {
	next   http.RoundTripper
	tracer *tracer
}

func (p propagator) RoundTrip(r *http.Request) (*http.Response, error) {
	id := RequestID(r.Context())
	caller, traced := spanOf(r.Context())
	if id == "" && !traced {
		return p.next.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	if id != "" && r.Header.Get(RequestIDHeader) == "" {
		r.Header.Set(RequestIDHeader, id)
	}
	if !traced {
		return p.next.RoundTrip(r)
	}
	call := caller.child()
	r.Header.Set("Traceparent", call.traceparent())
	if call.state != "" {
		r.Header.Set("Tracestate", call.state)
	}
	start := time.Now()
	resp, err := p.next.RoundTrip(r)
	f := finished{span: call, name: r.Method, kind: 3, began: start, took: time.Since(start), attributes: map[string]string{
		"http.request.method": r.Method, "server.address": r.URL.Host, "url.full": r.URL.Redacted(),
	}}
	switch {
	case err != nil:
		f.fault = err.Error()
	case resp.StatusCode >= 400:
		f.fault = resp.Status
		fallthrough
	default:
		f.attributes["http.response.status_code"] = strconv.Itoa(resp.StatusCode)
	}
	p.tracer.finish(f)
	return resp, err
}

// logHandler adds the request id and the trace of the context to each record.
type logHandler struct{ slog.Handler }

func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	if id := RequestID(ctx); id != "" {
		r.AddAttrs(slog.String("requestId", id))
	}
	if work, ok := spanOf(ctx); ok {
		r.AddAttrs(slog.String("traceId", hex.EncodeToString(work.trace[:])), slog.String("spanId", hex.EncodeToString(work.id[:])))
	}
	return h.Handler.Handle(ctx, r)
}

func (h logHandler) WithAttrs(a []slog.Attr) slog.Handler { return logHandler{h.Handler.WithAttrs(a)} }
func (h logHandler) WithGroup(n string) slog.Handler      { return logHandler{h.Handler.WithGroup(n)} }
