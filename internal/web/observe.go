package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	streams  prometheus.Gauge
	unlogged prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daytwo_http_requests_total", Help: "Requests answered, by route.",
		}, []string{"method", "route", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "daytwo_http_request_duration_seconds", Help: "Time to answer a request, streams excepted.",
			Buckets: []float64{.001, .005, .025, .1, .5, 2.5, 10},
		}, []string{"route"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "daytwo_http_streams", Help: "Streams open now.",
		}),
		unlogged: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "daytwo_audit_failures_total", Help: "Changes whose entry could not be written to the audit log.",
		}),
	}
	if reg != nil {
		reg.MustRegister(m.requests, m.duration, m.streams, m.unlogged)
	}
	return m
}

// observe gives each request an id, counts, times and logs it, and turns a panic
// into an answer.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &recorder{ResponseWriter: w}
		x := &exchange{id: event.NewID(), w: rec, r: r}
		r = r.WithContext(withExchange(r.Context(), x))
		x.r = r
		w.Header().Set("X-Request-Id", x.id)
		_ = http.NewResponseController(w).SetWriteDeadline(start.Add(writeTimeout)) // a test's recorder has none
		hurry(w, r)
		defer func() {
			if v := recover(); v != nil {
				s.recovered(rec, r, x.id, v)
			}
			s.account(rec, r, x, time.Since(start))
		}()
		next.ServeHTTP(rec, r)
	})
}

// hurry bounds how long the body of a request may take to come, also when no
// handler reads it: then the server does, before it answers.
func hurry(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 {
		return // the connection is watched for the client's leaving, which a deadline would look like
	}
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Now().Add(bodyTimeout)) // a test's recorder has none
	r.Body = &timedBody{r.Body, func() { _ = c.SetReadDeadline(time.Time{}) }}
}

// timedBody lifts the deadline when all of the body has come, so that it bounds
// the body and not the request.
type timedBody struct {
	io.ReadCloser
	whole func()
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		b.whole()
	}
	return n, err
}

// recovered answers a request whose handler panicked. An aborted one stays so.
func (s *Server) recovered(w *recorder, r *http.Request, id string, v any) {
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	s.log.ErrorContext(r.Context(), "request panicked", "request", id, "method", r.Method, "path", r.URL.Path,
		"panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler) // half an answer is out: the client must see it break off
	}
	writeProblem(w, problemOf(fmt.Errorf("panic: %v", v), id))
}

func (s *Server) account(w *recorder, r *http.Request, x *exchange, took time.Duration) {
	status := w.status
	if status == 0 {
		status = http.StatusOK
	}
	route := r.Pattern
	if route == "" {
		route = "none"
	}
	s.metrics.requests.WithLabelValues(method(r.Method), route, strconv.Itoa(status)).Inc()
	if !w.stream {
		s.metrics.duration.WithLabelValues(route).Observe(took.Seconds())
	}
	s.log.DebugContext(r.Context(), "request", "request", x.id, "method", r.Method, "path", r.URL.Path,
		"status", status, "bytes", w.bytes, "took", took, "from", s.clientAddr(r))
}

// method bounds the label: a client can send any word.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	stream bool
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Flush lets streaming handlers that look for an http.Flusher find one.
func (w *recorder) Flush() { _ = w.FlushError() }

// FlushError is how http.ResponseController flushes.
func (w *recorder) FlushError() error { return http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// securityHeaders sets what every answer carries; the UI adds its own policy.
func securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// noRoute answers under /api/ what no operation does.
func (s *Server) noRoute(w http.ResponseWriter, r *http.Request) {
	if allowed := s.methods(r); len(allowed) > 0 {
		w.Header()["Allow"] = allowed
		p := newProblem(problem.Invalid, http.StatusMethodNotAllowed)
		p.Detail = fmt.Sprintf("%s does not take %s", r.URL.Path, r.Method)
		p.Mend = fmt.Sprintf("use one of %v", allowed)
		p.RequestID = exchangeOf(r.Context()).id
		writeProblem(w, p)
		return
	}
	s.Fail(w, r, problem.New(problem.NotFound, "there is no %s", r.URL.Path).WithMend("see /api/openapi.json for what there is"))
}

// methods lists what the path of r could be asked with.
func (s *Server) methods(r *http.Request) (allowed []string) {
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		probe := &http.Request{Method: m, URL: r.URL, Host: r.Host}
		if _, pattern := s.mux.Handler(probe); pattern != "" && pattern != r.Pattern {
			allowed = append(allowed, m)
		}
	}
	return allowed
}
