package web

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/daytwo-dev/daytwo/internal/auth"
)

// readiness holds why the server is not ready, by name.
type readiness struct {
	mu      sync.Mutex
	reasons map[string]error
}

// SetReady names a reason why the server is not ready yet, or no longer; nil
// removes it. With no reason left the server is ready.
func (s *Server) SetReady(name string, err error) {
	s.ready.mu.Lock()
	defer s.ready.mu.Unlock()
	if err == nil {
		delete(s.ready.reasons, name)
		return
	}
	if s.ready.reasons == nil {
		s.ready.reasons = map[string]error{}
	}
	s.ready.reasons[name] = err
}

func (s *Server) healthRoutes() {
	s.opened("/-/healthy", "/-/ready")
	s.mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		plain(w, http.StatusOK, "healthy")
	})
	s.mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		s.ready.mu.Lock()
		defer s.ready.mu.Unlock()
		if len(s.ready.reasons) == 0 {
			plain(w, http.StatusOK, "ready")
			return
		}
		var lines string
		for _, name := range slices.Sorted(maps.Keys(s.ready.reasons)) {
			lines += fmt.Sprintf("not ready: %s: %v\n", name, s.ready.reasons[name])
		}
		plain(w, http.StatusServiceUnavailable, lines)
	})
	if s.cfg.Gatherer != nil {
		s.MountMetrics("/metrics", s.cfg.Gatherer)
	}
}

// MountMetrics serves what g gathers at path: to this machine without a token,
// to others with one.
func (s *Server) MountMetrics(path string, g prometheus.Gatherer) {
	s.opened(path)
	h := promhttp.HandlerFor(g, promhttp.HandlerOpts{})
	guarded := s.guard(access{role: auth.Viewer}, h)
	s.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		if Local(r) {
			h.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// Local says whether the request was sent from this machine to this machine: not
// through a proxy on it, nor by a browser that was made to believe that a foreign
// name is this machine's. A proxy that says nothing of itself cannot be told from
// a caller here. It is the one definition: every door that trusts this machine
// asks it.
func Local(r *http.Request) bool {
	if proxied(r) {
		return false
	}
	if host := hostOf(r.Host); host != "localhost" && net.ParseIP(host) == nil {
		return false
	}
	from := net.ParseIP(hostOf(r.RemoteAddr))
	if to, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && from.Equal(net.ParseIP(hostOf(to.String()))) {
		return from != nil
	}
	return from.IsLoopback()
}

// proxied says whether a proxy has left its mark, trusted or not: what it passes
// on may come from anywhere.
func proxied(r *http.Request) bool {
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return true
		}
	}
	return false
}

func hostOf(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return strings.Trim(host, "[]")
}
