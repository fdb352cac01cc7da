package orchestrate

import (
	"cmp"
	"fmt"
	"maps"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// Target is where a workload shows its metrics.
type Target struct {
	URL    string
	Labels event.Labels // service, workload
}

func (t Target) equal(other Target) bool {
	return t.URL == other.URL && maps.Equal(t.Labels, other.Labels)
}

func (m Manifest) targets(port int) []Target {
	if m.Scrape == nil || m.Replicas == 0 {
		return nil
	}
	return []Target{{
		URL:    fmt.Sprintf("http://%s:%d%s", loopback, cmp.Or(m.Scrape.Port, port), m.Scrape.Path),
		Labels: event.Labels{"service": m.Service, "workload": m.Name},
	}}
}

// readyCollector shows which workloads are ready.
type readyCollector struct{ o *Orchestrator }

var readyDesc = prometheus.NewDesc("daytwo_workload_ready", "1 if the workload is ready, else 0.", []string{"workload"}, nil)

func (c readyCollector) Describe(ch chan<- *prometheus.Desc) { ch <- readyDesc }

func (c readyCollector) Collect(ch chan<- prometheus.Metric) {
	c.o.mu.Lock()
	units := maps.Clone(c.o.units)
	c.o.mu.Unlock()
	for name, u := range units {
		ready := 0.0
		if u.observed().ready {
			ready = 1
		}
		ch <- prometheus.MustNewConstMetric(readyDesc, prometheus.GaugeValue, ready, name)
	}
}
