package service

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/daytwo-dev/daytwo/stability"
)

type httpMetrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

func newHTTPMetrics(reg prometheus.Registerer) *httpMetrics {
	m := &httpMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_server_requests_total", Help: "Requests answered.",
		}, []string{"method", "route", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_server_request_duration_seconds", Help: "Time to answer a request.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "http_server_in_flight_requests", Help: "Requests being answered.",
		}),
	}
	reg.MustRegister(m.requests, m.duration, m.inFlight)
	return m
}

func (m *httpMetrics) observe(r *http.Request, code int, took time.Duration) {
	method, route := knownMethod(r.Method), routeOf(r)
	m.requests.WithLabelValues(method, route, strconv.Itoa(code)).Inc()
	m.duration.WithLabelValues(method, route).Observe(took.Seconds())
}

// routeOf is the path of the pattern that matched.
func routeOf(r *http.Request) string {
	if r.Pattern == "" {
		return "unmatched"
	}
	_, path, ok := strings.Cut(r.Pattern, " ")
	if !ok {
		return r.Pattern
	}
	return path
}

func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "OTHER"
}

func registerRuntime(reg prometheus.Registerer, version, revision string) {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "service_build_info", Help: "What runs; always 1.", ConstLabels: prometheus.Labels{"version": version, "revision": revision},
	})
	info.Set(1)
	reg.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

// policyCollector exposes what stability policies decided.
type policyCollector struct{ board *stability.Board }

var (
	decisionsDesc = prometheus.NewDesc("stability_decisions_total", "What stability policies decided.",
		[]string{"policy", "name", "decision"}, nil)
	levelDesc = prometheus.NewDesc("stability_level", "What goes up and down in stability policies.",
		[]string{"policy", "name", "level"}, nil)
	breakerDesc = prometheus.NewDesc("stability_breaker_open", "0 closed, 0.5 half-open, 1 open.", []string{"name"}, nil)
)

func (c policyCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- decisionsDesc
	ch <- levelDesc
	ch <- breakerDesc
}

func (c policyCollector) Collect(ch chan<- prometheus.Metric) {
	for _, s := range c.board.Snapshots() {
		for decision, n := range s.Counts {
			ch <- prometheus.MustNewConstMetric(decisionsDesc, prometheus.CounterValue, float64(n), s.Policy, s.Name, decision)
		}
		for level, v := range s.Levels {
			ch <- prometheus.MustNewConstMetric(levelDesc, prometheus.GaugeValue, v, s.Policy, s.Name, level)
		}
		if open, ok := s.Open(); ok {
			ch <- prometheus.MustNewConstMetric(breakerDesc, prometheus.GaugeValue, open, s.Name)
		}
	}
}
