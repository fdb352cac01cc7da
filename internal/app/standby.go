package app

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/store"
)

// openStore opens the state. A process that stands by waits here until the one before it ends, and says so to whoever asks: it is
// healthy, but not ready.
func (a *App) openStore(ctx context.Context) (*store.DB, error) {
	if a.config.Standby {
		defer standBy(a.listener)()
	}
	return store.Open(ctx, store.Config{Dir: a.config.DataDir, URL: a.config.DatabaseURL, Logger: a.log, Registerer: a.registry, Standby: a.config.Standby})
}

// standBy answers on ln until the returned function gives ln back.
func standBy(ln net.Listener) (end func()) {
	l := &lent{Listener: ln, done: make(chan struct{})}
	srv := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Retry-After", "5")
		if r.URL.Path != "/-/healthy" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, `{"status":"standby","detail":"another daytwo works on this database; this one takes over when it ends"}`+"\n")
	})}
	srv.SetKeepAlivesEnabled(false)
	var served sync.WaitGroup
	served.Go(func() { _ = srv.Serve(l) })
	return func() {
		_ = srv.Close()
		served.Wait()
		if d, ok := ln.(interface{ SetDeadline(time.Time) error }); ok {
			_ = d.SetDeadline(time.Time{})
		}
	}
}

// lent is a listener that is not closed when its borrower closes it: what waits for a connection is woken instead.
type lent struct {
	net.Listener
	once sync.Once
	done chan struct{}
}

func (l *lent) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		select {
		case <-l.done:
			if err == nil {
				c.Close()
			}
			return nil, http.ErrServerClosed
		default:
		}
		if err == nil || !os.IsTimeout(err) {
			return c, err
		}
	}
}

func (l *lent) Close() error {
	l.once.Do(func() {
		close(l.done)
		if d, ok := l.Listener.(interface{ SetDeadline(time.Time) error }); ok {
			_ = d.SetDeadline(time.Now())
		}
	})
	return nil
}
