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
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

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

	attached []attached
	tasks    []task
	policies []stability.Observed
	draining atomic.Bool
}

// Resource is something the service depends on or holds open.
type Resource struct {
	Check func(context.Context) error // optional; an error makes the service not ready, with it as the reason
	Close func() error                // optional; called at the end, last attached first
}

type attached struct {
	name string
	Resource
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
	DrainDelay   time.Duration `env:"DRAIN_DELAY" default:"200ms" help:"from not ready to closing the port"`
	DrainTimeout time.Duration `env:"DRAIN_TIMEOUT" default:"10s" help:"longest wait for requests on their way"`
	MaxBody      int64         `env:"MAX_BODY" default:"1048576" help:"largest request body in bytes"`
}

func newService(name string, st settings, log *slog.Logger) *Service {
	reg := prometheus.NewRegistry()
	metrics := prometheus.WrapRegistererWith(prometheus.Labels{"service": name}, reg)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 32
	s := &Service{
		name: name, settings: st, log: log, registry: reg, metrics: metrics,
		http: newHTTPMetrics(metrics), mux: http.NewServeMux(), transport: transport,
	}
	registerRuntime(metrics, s.Version())
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
func (s *Service) Attach(name string, r Resource) { s.attached = append(s.attached, attached{name, r}) }

// Go runs a task beside the requests, from the start until the last request
// has been answered; then its context ends. If it returns an error before
// that, the service stops with it.
func (s *Service) Go(name string, run func(context.Context) error) {
	s.tasks = append(s.tasks, task{name, run})
}

// Client makes an HTTP client for calls to another service: the policies
// around it, outermost first, and the request id passed on.
func (s *Service) Client(policies ...stability.Policy) *http.Client {
	for _, p := range policies {
		if o, ok := p.(stability.Observed); ok {
			s.Observe(o)
		}
	}
	return &http.Client{Transport: stability.Transport(Propagate(s.transport), policies...)}
}

// Observe exposes a policy's counts as metrics. No two policies of a kind may
// have the same name.
func (s *Service) Observe(p stability.Observed) { s.policies = append(s.policies, p) }

// handler is everything that the port serves.
func (s *Service) handler() http.Handler {
	s.metrics.MustRegister(policyCollector{s.policies})
	metrics := promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelError)})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		switch r.URL.Path {
		case "/healthz":
			fmt.Fprintln(w, "ok")
		case "/readyz":
			s.serveReady(w, r)
		case "/metrics":
			metrics.ServeHTTP(w, r)
		default:
			s.serveRoute(w, r)
		}
	})
}

// serveReady answers {"ready":…,"reasons":{name: why not}}.
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
	_ = json.NewEncoder(w).Encode(map[string]any{"ready": len(reasons) == 0, "reasons": reasons})
}

// serveRoute runs the program's handler, measured, and turns a panic into a
// logged 500.
func (s *Service) serveRoute(rw http.ResponseWriter, r *http.Request) {
	start := time.Now()
	s.http.inFlight.Inc()
	defer s.http.inFlight.Dec()
	r = withRequestID(rw, r)
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
		s.log.DebugContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "code", w.code, "took", took)
		if aborted {
			panic(p)
		}
	}()
	s.mux.ServeHTTP(w, r)
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
	srv := &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1+len(s.tasks))
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

// startTasks starts the background tasks and returns what ends them.
func (s *Service) startTasks(ctx context.Context, failed chan<- error) (stop func() error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	running := make(map[string]chan struct{}, len(s.tasks))
	for _, t := range s.tasks {
		done := make(chan struct{})
		running[t.name] = done
		go func() {
			defer close(done)
			if err := t.run(ctx); err != nil && ctx.Err() == nil {
				failed <- fmt.Errorf("task %s: %w", t.name, err)
			}
		}()
	}
	return func() error {
		cancel()
		deadline := time.NewTimer(s.settings.DrainTimeout)
		defer deadline.Stop()
		for name, done := range running {
			select {
			case <-done:
			case <-deadline.C:
				return fmt.Errorf("task %s did not end within DRAIN_TIMEOUT %v", name, s.settings.DrainTimeout)
			}
		}
		return nil
	}
}

// close closes what was attached, last first.
func (s *Service) close() error {
	var errs []error
	for i := len(s.attached) - 1; i >= 0; i-- {
		if a := s.attached[i]; a.Close != nil {
			if err := a.Close(); err != nil {
				errs = append(errs, fmt.Errorf("close %s: %w", a.name, err))
			}
		}
	}
	s.transport.CloseIdleConnections()
	return errors.Join(errs...)
}
