package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daytwo-dev/daytwo/stability"
)

// Service is what a program's [Setup] builds on. Its methods are for Setup
// only, except Log and the accessors.
type Service struct {
	name      string
	settings  settings
	log       *slog.Logger
	registry  *prometheus.Registry
	metrics   prometheus.Registerer // adds the service label
	http      *httpMetrics
	mux       *http.ServeMux
	transport *http.Transport

	attached []*Attached
	tasks    []task
	board    *stability.Board
	tracer   *tracer
	sender   *spanSender // nil if spans go nowhere
	draining atomic.Bool
}

// Resource is something the service depends on or holds open.
type Resource struct {
	Open  func(context.Context) error // optional; called after Setup, in the order of attaching, before the port opens
	Check func(context.Context) error // optional; an error makes the service not ready, with it as the reason
	Close func() error                // optional; called at the end, last attached first
}

// Attached is a resource of a service, with a circuit breaker for calls to it.
type Attached struct {
	name string
	Resource
	service *Service
	opened  bool
	breaker *stability.Breaker
	shown   sync.Once
}

// Do makes a call to the resource through its breaker, which has its name.
func (a *Attached) Do(ctx context.Context, call func(context.Context) error) error {
	a.shown.Do(func() { a.service.board.Add(a.breaker) })
	return a.breaker.Do(ctx, call)
}

type task struct {
	name string
	run  func(context.Context) error
}

// settings configure every service alike.
type settings struct {
	Port         uint16        `env:"PORT" default:"8080" help:"port to listen on; 0 picks a free one"`
	Bind         string        `env:"BIND" default:"127.0.0.1" help:"address to listen on; 0.0.0.0 for all"`
	Version      string        `env:"VERSION" help:"version to report; else that of the build"`
	LogLevel     slog.Level    `env:"LOG_LEVEL" default:"INFO" help:"DEBUG, INFO, WARN or ERROR"`
	AdminPort    uint16        `env:"ADMIN_PORT" help:"port for pprof, /hystrix.stream, and then /metrics; none if empty"`
	DrainDelay   time.Duration `env:"DRAIN_DELAY" default:"200ms" help:"from not ready to closing the port"`
	DrainTimeout time.Duration `env:"DRAIN_TIMEOUT" default:"10s" help:"longest wait for requests on their way"`
	MaxBody      int64         `env:"MAX_BODY" default:"1048576" help:"largest request body in bytes"`
	OTLPEndpoint string        `env:"OTEL_EXPORTER_OTLP_ENDPOINT" help:"base URL that takes spans by OTLP/HTTP; none are sent if empty"`
	OTLPHeaders  string        `env:"OTEL_EXPORTER_OTLP_HEADERS,secret" help:"headers to send with spans: name=value,name=value"`
	SampleRatio  float64       `env:"OTEL_TRACES_SAMPLER_ARG" default:"1" help:"share of the traces beginning here that is sent"`
}

func newService(name string, st settings, log *slog.Logger) *Service {
	reg := prometheus.NewRegistry()
	metrics := prometheus.WrapRegistererWith(prometheus.Labels{"service": name}, reg)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 32
	s := &Service{
		name: name, settings: st, log: log, registry: reg, metrics: metrics,
		http: newHTTPMetrics(metrics), mux: http.NewServeMux(), transport: transport, board: stability.NewBoard(),
	}
	s.board.Watch(s.logDecision)
	s.metrics.MustRegister(policyCollector{s.board})
	registerRuntime(metrics, s.Version(), Revision())
	s.trace()
	return s
}

// Name is the service's name.
func (s *Service) Name() string { return s.name }

// Version is the variable VERSION, else the version of the build.
func (s *Service) Version() string {
	if s.settings.Version != "" {
		return s.settings.Version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// Revision is the commit the program was built from, or "".
func Revision() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, x := range info.Settings {
			if x.Key == "vcs.revision" {
				return x.Value
			}
		}
	}
	return ""
}

// Log is the service's logger. Records of a context with a request id carry it.
func (s *Service) Log() *slog.Logger { return s.log }

// Metrics is where the program registers its own metrics. The label service
// is added to each.
func (s *Service) Metrics() prometheus.Registerer { return s.metrics }

// Handle serves a pattern of [http.ServeMux]. Its path becomes the label
// route.
func (s *Service) Handle(pattern string, h http.Handler) { s.mux.Handle(pattern, h) }

// HandleFunc is Handle for a function.
func (s *Service) HandleFunc(pattern string, h http.HandlerFunc) { s.mux.Handle(pattern, h) }

// Attach declares a resource.
func (s *Service) Attach(name string, r Resource) *Attached {
	a := &Attached{name: name, Resource: r, service: s, opened: r.Open == nil, breaker: stability.NewBreaker(name)}
	s.attached = append(s.attached, a)
	return a
}

// open opens what was attached, in order.
func (s *Service) open(ctx context.Context) error {
	for _, a := range s.attached {
		if a.Open == nil {
			continue
		}
		if err := a.Open(ctx); err != nil {
			return fmt.Errorf("start: open %s: %w", a.name, err)
		}
		a.opened = true
	}
	return nil
}

// Janitor sweeps about that often, from the start to the end; sweep tells how
// much it removed. See [stability.Janitor].
func (s *Service) Janitor(name string, every time.Duration, sweep func(context.Context) (removed int, err error)) {
	j := stability.NewJanitor(name, every, sweep)
	s.board.Add(j)
	s.Go("janitor "+name, j.Run)
}

// Go runs a task beside the requests, from the start until the last request
// has been answered; then its context ends. A task that fails or panics before
// that is started again, after a pause; if it fails more than three times
// within a minute, the service stops with its error. One that returns nil has
// finished.
func (s *Service) Go(name string, run func(context.Context) error) {
	s.tasks = append(s.tasks, task{name, run})
}

// Client makes an HTTP client for calls to another service: the policies
// around it, outermost first, and the request id passed on.
func (s *Service) Client(policies ...stability.Policy) *http.Client {
	s.board.Add(stability.Compose(policies...))
	return &http.Client{Transport: stability.Transport(propagator{s.transport, s.tracer}, policies...)}
}

// Observe exposes a policy's counts as metrics.
func (s *Service) Observe(p stability.Observed) { s.board.Add(p) }

// logDecision logs what a person should know: changes of breakers and crashes.
func (s *Service) logDecision(e stability.Event) {
	level := slog.LevelWarn
	switch {
	case e.From != e.To:
		if e.To != stability.Open {
			level = slog.LevelInfo
		}
	case e.Policy == "supervisor", e.Policy == "janitor" && e.Err != nil:
	default:
		return
	}
	attrs := []any{"policy", e.Policy, "decision", e.Decision, "name", e.Name, "reason", e.Reason}
	if e.Err != nil {
		attrs = append(attrs, "error", e.Err)
	}
	s.log.Log(context.Background(), level, "stability", attrs...)
}

// handler is everything that the port serves. With an admin port the metrics
// are there and not here.
func (s *Service) handler(own *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		switch r.URL.Path {
		case "/healthz", "/readyz":
			own.ServeHTTP(w, r)
			return
		case "/metrics":
			if s.settings.AdminPort == 0 {
				own.ServeHTTP(w, r)
				return
			}
		}
		s.serveRoute(w, r)
	})
}

// serveReady answers {"ready":…,"reasons":{name: why not}}. A breaker that is
// not closed does not make the service unready, which would only move the
// failure up; it is named under "degraded".
func (s *Service) serveReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	reasons := map[string]string{}
	if s.draining.Load() {
		reasons["service"] = "stopping"
	}
	for _, a := range s.attached {
		if a.Check == nil {
			continue
		}
		if err := a.Check(ctx); err != nil {
			reasons[a.name] = err.Error()
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if len(reasons) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	answer := map[string]any{"ready": len(reasons) == 0, "reasons": reasons}
	degraded := map[string]string{}
	for _, p := range s.board.Snapshots() {
		if p.State != "" && p.State != stability.Closed.String() {
			degraded[p.Name] = "breaker " + p.State
		}
	}
	if len(degraded) > 0 {
		answer["degraded"] = degraded
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// serveRoute runs the program's handler, measured, and turns a panic into a
// logged 500.
func (s *Service) serveRoute(rw http.ResponseWriter, r *http.Request) {
	start := time.Now()
	s.http.inFlight.Inc()
	defer s.http.inFlight.Dec()
	r = withRequestID(rw, r)
	work := s.tracer.incoming(r)
	r = r.WithContext(context.WithValue(r.Context(), spanKey{}, work))
	w := &recorder{ResponseWriter: rw}
	r.Body = http.MaxBytesReader(w, r.Body, s.settings.MaxBody)

	defer func() {
		p := recover()
		aborted := p == any(http.ErrAbortHandler)
		if p != nil && !aborted {
			s.log.ErrorContext(r.Context(), "handler panicked", "panic", fmt.Sprint(p), "route", routeOf(r), "stack", string(debug.Stack()))
			if w.code == 0 {
				http.Error(w, "internal error", http.StatusInternalServerError)
			}
			w.code = http.StatusInternalServerError
		}
		if w.code == 0 {
			w.code = http.StatusOK
		}
		took := time.Since(start)
		s.http.observe(r, w.code, took)
		s.tracer.finish(served(work, r, w.code, start, took))
		s.log.DebugContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "code", w.code, "took", took)
		if aborted {
			panic(p)
		}
	}()
	s.mux.ServeHTTP(w, r)
}

// served is the span of a request.
func served(work span, r *http.Request, code int, start time.Time, took time.Duration) finished {
	f := finished{span: work, name: r.Method + " " + routeOf(r), kind: 2, began: start, took: took, attributes: map[string]string{
		"http.request.method": r.Method, "http.route": routeOf(r), "url.path": r.URL.Path,
		"http.response.status_code": fmt.Sprint(code),
	}}
	if code >= 500 {
		f.fault = http.StatusText(code)
	}
	return f
}

// recorder remembers the status.
type recorder struct {
	http.ResponseWriter
	code int
}

func (w *recorder) WriteHeader(code int) {
	if w.code == 0 && code >= 200 {
		w.code = code
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.code == 0 {
		w.code = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

func (w *recorder) Flush()                      { _ = http.NewResponseController(w.ResponseWriter).Flush() }
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// serve listens, calls ready with the address, and blocks until ctx ends and
// everything has been stopped in order.
func (s *Service) serve(ctx context.Context, ready func(addr string)) (err error) {
	defer func() { err = errors.Join(err, s.close()) }()
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(s.settings.Bind, fmt.Sprint(s.settings.Port)))
	if err != nil {
		return fmt.Errorf("cannot listen (set PORT or BIND to another address): %w", err)
	}
	own := s.own()
	srv := &http.Server{
		Handler: s.handler(own), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 3)
	stopAdmin, err := s.serveAdmin(own, failed)
	if err != nil {
		l.Close()
		return err
	}
	defer stopAdmin()
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve: %w", err)
		}
	}()
	stopTasks := s.startTasks(ctx, failed)
	s.log.Info("ready", "address", l.Addr().String())
	ready(l.Addr().String())

	select {
	case <-ctx.Done():
		s.log.Info("stopping", "reason", context.Cause(ctx).Error())
	case err = <-failed:
		s.log.Error("stopping", "error", err)
	}
	return errors.Join(err, s.drain(srv), stopTasks())
}

// drain answers what is on its way, then closes the server.
func (s *Service) drain(srv *http.Server) error {
	s.draining.Store(true)
	time.Sleep(s.settings.DrainDelay)
	ctx, cancel := context.WithTimeout(context.Background(), s.settings.DrainTimeout)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		srv.Close()
		return fmt.Errorf("requests still on their way after DRAIN_TIMEOUT %v were cut off: %w", s.settings.DrainTimeout, err)
	}
	return nil
}

// startTasks starts the background tasks, supervised, and returns what ends
// them.
func (s *Service) startTasks(ctx context.Context, failed chan<- error) (stop func() error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	supervisor := stability.NewSupervisor("tasks", stability.Intensity(3, time.Minute))
	for _, t := range s.tasks {
		supervisor.Add(t.name, t.run)
	}
	if s.sender != nil {
		supervisor.Add("spans", s.sender.run)
	}
	s.board.Add(supervisor)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := supervisor.Run(ctx); err != nil {
			failed <- err
		}
	}()
	return func() error {
		cancel()
		deadline := time.NewTimer(s.settings.DrainTimeout)
		defer deadline.Stop()
		select {
		case <-done:
			return nil
		case <-deadline.C:
			return fmt.Errorf("tasks did not end within DRAIN_TIMEOUT %v", s.settings.DrainTimeout)
		}
	}
}

// close closes what was attached, last first.
func (s *Service) close() error {
	var errs []error
	for i := len(s.attached) - 1; i >= 0; i-- {
		if a := s.attached[i]; a.Close != nil && a.opened {
			if err := a.Close(); err != nil {
				errs = append(errs, fmt.Errorf("close %s: %w", a.name, err))
			}
		}
	}
	s.transport.CloseIdleConnections()
	return errors.Join(errs...)
}
