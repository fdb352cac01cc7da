// Package web is the HTTP kit under every route of daytwo: typed operations that
// describe themselves in one OpenAPI document, one table from problem codes to
// statuses, who may call what, pagination, server-sent events, doors for foreign
// protocols, and the embedded UI. It also owns the routes of package auth, which
// is below it.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/daytwo-dev/daytwo/internal/auth"
)

// Limits that need no setting.
const (
	defaultMaxBody = 4 << 20                // bytes of one API request
	headerTimeout  = 10 * time.Second       // for the headers of a request to come
	bodyTimeout    = 30 * time.Second       // for its body to come; a door may give more
	requestTimeout = 30 * time.Second       // of one API request that is not a stream
	writeTimeout   = 2 * time.Minute        // for the whole answer, doors and streams excepted
	idleTimeout    = 2 * time.Minute        // between requests of one connection
	farewell       = 200 * time.Millisecond // in which clients hear that their connections close, before they do
	defaultGrace   = 10 * time.Second       // for requests under way when the server stops
	maxStreams     = 1000                   // open at once
)

// Config is what a Server is made of.
type Config struct {
	Auth       *auth.Auth // required
	Logger     *slog.Logger
	Registerer prometheus.Registerer // takes the request metrics; nil keeps them unregistered
	Gatherer   prometheus.Gatherer   // served at /metrics; nil serves none
	PublicURL  string                // how browsers reach the server; an https one makes cookies secure
	TrustProxy bool                  // believe X-Forwarded-For and X-Forwarded-Proto
	// RequireIngestToken asks whoever sends data for a token on this machine too.
	RequireIngestToken bool
	MaxBody            int64         // bytes of an API request, 4 MiB if 0; doors set their own
	Grace              time.Duration // for requests under way when the server stops, 10 s if 0
	Version            string
	// SamplesSince is the time of the oldest sample kept, if there is any; nil where no samples are.
	SamplesSince func() (time.Time, bool)
	Info         Info // answered by /api/info; Version, PublicURL and GoVersion are filled in
}

// Server collects the routes of the whole platform and serves them. Register
// every route before calling Handler, Serve or OpenAPI.
type Server struct {
	cfg      Config
	log      *slog.Logger
	auth     *auth.Auth
	mux      *http.ServeMux
	api      huma.API
	naming   *schemaNames
	document func() ([]byte, error) // written once, when all routes are known
	sealed   bool                   // no more routes
	cop      *http.CrossOriginProtection
	secure   bool // PublicURL is https
	metrics  *metrics
	ready    readiness
	streams  streams
	open     []string // see Open
}

// New returns a Server with the routes of sign-in, users, tokens, the audit log,
// health and the API document.
func New(c Config) *Server {
	if c.Auth == nil {
		panic("web: Config.Auth is required")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.MaxBody <= 0 {
		c.MaxBody = defaultMaxBody
	}
	if c.Grace <= 0 {
		c.Grace = defaultGrace
	}
	s := &Server{
		cfg:     c,
		log:     c.Logger,
		auth:    c.Auth,
		mux:     http.NewServeMux(),
		naming:  &schemaNames{},
		cop:     http.NewCrossOriginProtection(),
		metrics: newMetrics(c.Registerer),
		streams: newStreams(),
	}
	s.document = sync.OnceValues(s.writeDocument)
	if u, err := url.Parse(c.PublicURL); err == nil && u.Host != "" {
		s.secure = u.Scheme == "https"
		_ = s.cop.AddTrustedOrigin(u.Scheme + "://" + u.Host) // an odd origin is simply not trusted
	}
	s.api = newAPI(s)
	s.healthRoutes()
	s.sessionRoutes()
	s.userRoutes()
	s.tokenRoutes()
	s.auditRoutes()
	s.infoRoutes()
	s.mux.HandleFunc("/api/", s.noRoute)
	s.mux.HandleFunc("GET /api/openapi.json", s.serveOpenAPI)
	s.opened("/api/openapi.json")
	return s
}

// Handler returns the whole server: every route, door and the UI, observed,
// guarded against panics, and with the security headers set.
func (s *Server) Handler() http.Handler {
	_, _ = s.document() // an error is answered where the document is asked for
	return s.observe(securityHeaders(s.mux))
}

// Serve answers requests on ln until ctx ends, then ends the streams, lets the
// requests under way finish within Config.Grace, and returns nil.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	var leaving atomic.Bool
	var open atomic.Int64
	handler := s.Handler()
	srv := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if leaving.Load() {
				w.Header().Set("Connection", "close")
			}
			handler.ServeHTTP(w, r)
		}),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				open.Add(1)
			case http.StateClosed, http.StateHijacked:
				open.Add(-1)
			}
		},
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	done := make(chan struct{})
	defer close(done)
	wg.Go(func() {
		select {
		case <-ctx.Done():
		case <-done:
			return
		}
		s.EndStreams()
		leaving.Store(true)
		if open.Load() > 0 {
			time.Sleep(farewell)
		}
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Grace)
		defer cancel()
		if err := srv.Shutdown(grace); err != nil {
			s.log.Warn("requests were cut off by the stop", "error", err)
			_ = srv.Close() // the listener is closed already
		}
	})
	err := srv.Serve(ln)
	if ctx.Err() != nil && errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve %s: %w", ln.Addr(), err)
}

// EndStreams ends every stream cleanly, now and for good: the first step of a
// stop when Handler is served by other means than Serve.
func (s *Server) EndStreams() { s.streams.stop() }
