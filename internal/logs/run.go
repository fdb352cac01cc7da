package logs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Run serves the doors with listeners of their own and watches searches, until
// ctx ends.
func (l *Logs) Run(ctx context.Context) error {
	var group sync.WaitGroup
	defer group.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 8)
	serve := func(name string, do func(context.Context) error) {
		group.Go(func() {
			if err := do(ctx); err != nil && ctx.Err() == nil {
				failed <- fmt.Errorf("%s: %w", name, err)
			}
		})
	}
	group.Go(func() { l.watcher.run(ctx) })
	group.Go(func() { l.gather(ctx) })
	if address := l.cfg.Listeners.Elasticsearch; address != "" {
		serve("elasticsearch listener", func(ctx context.Context) error { return l.serveHTTP(ctx, address, "elasticsearch-listener", l.elastic) })
	}
	a := l.cfg.Listeners
	if a.OTLP != "" && a.OTLP != ListenerOff {
		serve("otlp listener", l.serveOTLP)
	}
	if a.SyslogUDP != "" {
		serve("syslog", func(ctx context.Context) error { return l.serveSyslogUDP(ctx, a.SyslogUDP) })
	}
	if a.SyslogTCP != "" {
		serve("syslog", func(ctx context.Context) error { return l.serveSyslogTCP(ctx, a.SyslogTCP, "syslog-tcp", nil) })
	}
	if a.SyslogTLS != "" {
		serve("syslog", func(ctx context.Context) error { return l.serveSyslogTCP(ctx, a.SyslogTLS, "syslog-tls", l.syslogTLS) })
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// listen takes an address, or says which setting names it.
func listen(ctx context.Context, address, setting string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, problem.New(problem.Unavailable, "cannot listen on %s: %w", address, err).WithField(setting).WithMend("give another address with --%s", setting)
	}
	return ln, nil
}

// recovering turns a panic into an answer.
func (l *Logs) recovering(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil {
				l.log.ErrorContext(r.Context(), "request panicked", "path", r.URL.Path, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
				http.Error(w, `{"error":{"type":"exception","reason":"something went wrong inside daytwo"},"status":500}`, http.StatusInternalServerError)
			}
		}()
		h.ServeHTTP(w, r)
	})
}

func (l *Logs) serveHTTP(ctx context.Context, address, setting string, h http.Handler) error {
	ln, err := listen(ctx, address, setting)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: l.recovering(h), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, WriteTimeout: 3 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
	l.log.InfoContext(ctx, "listening", "door", setting, "address", ln.Addr().String())
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if srv.Shutdown(grace) != nil {
			_ = srv.Close()
		}
	})
	err = srv.Serve(ln)
	if !stop() {
		<-ended // requests under way are still answered
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
