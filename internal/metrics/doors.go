package metrics

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// doors are Prometheus's own paths, and who may pass them. The longest prefix decides.
//
// Reading needs a viewer. Sending samples is open to this machine and to tokens that may ingest; what deletes or copies
// samples is for administrators and is audited.
func (m *Metrics) doors() map[string]func(s *web.Server, prefix string, h http.Handler) {
	viewer := func(s *web.Server, prefix string, h http.Handler) { s.Mount(prefix, auth.Viewer, h) }
	public := func(s *web.Server, prefix string, h http.Handler) { s.MountPublic(prefix, h) }
	ingest := func(s *web.Server, prefix string, h http.Handler) { s.MountIngest(prefix, h) }
	local := func(s *web.Server, prefix string, h http.Handler) { s.MountLocal(prefix, auth.Viewer, h) }
	admin := func(s *web.Server, prefix string, h http.Handler) { s.Mount(prefix, auth.Admin, audited(s, h)) }
	return map[string]func(*web.Server, string, http.Handler){
		"/prometheus":                   viewer,
		"/prometheus/-/healthy":         public,
		"/prometheus/-/ready":           public,
		"/prometheus/api/v1/write":      ingest,
		"/prometheus/api/v1/otlp":       ingest,
		"/prometheus/api/v1/admin":      admin,
		"/v1/metrics":                   ingest,
		Gateway:                         local,
		Gateway + "/metrics/job":        ingest,
		Gateway + "/metrics/job@base64": ingest,
		Gateway + "/api/v1/admin":       admin,
	}
}

// Routes opens the doors of Prometheus, of OTLP metrics and of the Pushgateway.
func (m *Metrics) Routes(s *web.Server) {
	all := m.Handler()
	for prefix, open := range m.doors() {
		inside, is := strings.CutPrefix(prefix, "/prometheus")
		if !is {
			inside = prefix
		}
		open(s, prefix, below(inside, all))
	}
	m.guardRoutes(s)
}

// below puts a prefix that was stripped back in front of the path.
func below(prefix string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		whole := *r.URL
		whole.Path = join(prefix, whole.Path)
		if whole.RawPath != "" {
			whole.RawPath = join(prefix, whole.RawPath)
		}
		with := r.Clone(r.Context())
		with.URL = &whole
		h.ServeHTTP(w, with)
	})
}

func join(prefix, path string) string {
	if path == "/" {
		if prefix == "" {
			return "/"
		}
		return prefix
	}
	return prefix + path
}

// Handler answers every path of the doors, those of Prometheus without /prometheus in front. Who may is not its matter.
func (m *Metrics) Handler() http.Handler {
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.api().ServeHTTP(w, r) })
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", api)
	mux.Handle("POST /api/v1/write", limitBody(m.remoteWrite()))
	mux.Handle("POST /api/v1/otlp/v1/metrics", limitBody(otlp(api)))
	mux.Handle("POST /v1/metrics", limitBody(otlp(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.Clone(r.Context())
		r.URL.Path, r.URL.RawPath = "/api/v1/otlp/v1/metrics", ""
		api.ServeHTTP(w, r)
	}))))
	mux.Handle("GET /federate", m.federation)
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "Prometheus Server is Healthy.") })
	mux.HandleFunc("GET /-/ready", m.serveReady)
	for path, page := range map[string]string{"/{$}": "/explore", "/graph": "/explore", "/query": "/explore", "/alerts": "/alerts", "/targets": "/explore"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { toScreen(w, r, page) })
	}
	mux.HandleFunc("GET "+Gateway, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/explore?"+url.Values{"q": {"push_time_seconds"}}.Encode(), http.StatusFound) // whose page there lists the groups
	})
	mux.Handle(Gateway+"/", http.StripPrefix(Gateway, m.gateway))
	return mux
}

// serveReady answers as Prometheus does, with what is still to be waited for.
func (m *Metrics) serveReady(w http.ResponseWriter, _ *http.Request) {
	if err := m.Ready(); err != nil {
		stopping := "false"
		if m.ended.Load() {
			stopping = "true"
		}
		w.Header().Set("X-Prometheus-Stopping", stopping)
		http.Error(w, "Service Unavailable: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "Prometheus Server is Ready.")
}

// toScreen sends who follows a link to Prometheus's pages to the page of daytwo that shows the same.
func toScreen(w http.ResponseWriter, r *http.Request, page string) {
	to := url.URL{Path: page}
	if expr := r.URL.Query().Get("g0.expr"); expr != "" && page == "/explore" {
		to.RawQuery = url.Values{"q": {expr}}.Encode()
	}
	http.Redirect(w, r, to.String(), http.StatusFound)
}

// audited writes down what was done through a door that changes what is kept.
func audited(s *web.Server, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm() // whoever answers says what is wrong with it
		seen := &statusSeen{ResponseWriter: w}
		h.ServeHTTP(seen, r)
		if seen.status < 300 {
			s.Audit(r.Context(), "metrics."+strings.ReplaceAll(strings.Trim(r.URL.Path, "/"), "/", "."), "metrics", strings.Join(r.Form["match[]"], " "))
		}
	})
}

type statusSeen struct {
	http.ResponseWriter
	status int
}

func (s *statusSeen) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}
