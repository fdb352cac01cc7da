package service

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// own is what a service serves beside its routes.
func (s *Service) own() *http.ServeMux {
	metrics := promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelError)})
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/readyz", s.serveReady)
	mux.Handle("/metrics", metrics)
	return mux
}

// serveAdmin opens the admin port, if one is asked for, with everything of own
// and what only the owner of the process should see.
func (s *Service) serveAdmin(own *http.ServeMux, failed chan<- error) (stop func(), err error) {
	if s.settings.AdminPort == 0 {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", net.JoinHostPort(s.settings.Bind, fmt.Sprint(s.settings.AdminPort))) //nolint:noctx // opens at once
	if err != nil {
		return nil, fmt.Errorf("cannot listen (set ADMIN_PORT to another port): %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", own)
	mux.Handle("/hystrix.stream", s.board.HystrixStream())
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve the admin port: %w", err)
		}
	}()
	s.log.Info("admin port", "address", l.Addr().String())
	return func() { srv.Close(); <-served }, nil
}
