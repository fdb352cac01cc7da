// Package host measures the machine daytwo runs on and sends what it measured to
// a server. The metrics are node_exporter's own, so that dashboards and rules
// made for it work as they stand; they travel by Prometheus remote write 2.0.
package host

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// MinInterval is the shortest time between two measurements.
const MinInterval = time.Second

// Config says what is measured, how often, and where it goes.
type Config struct {
	URL      string        // the server, http://host:port; samples go below it to /prometheus/api/v1/write
	Token    string        // bearer token of the server; empty: none
	Job      string        // label job of every sample; empty: "node", as dashboards expect
	Instance string        // label instance of every sample, usually the host's name
	Interval time.Duration // between two measurements

	Client     *http.Client // empty: one with a timeout
	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Validate says what is wrong with c, naming the field and the mend.
func (c Config) Validate() error {
	switch {
	case !strings.HasPrefix(c.URL, "http://") && !strings.HasPrefix(c.URL, "https://"):
		return problem.New(problem.Invalid, "server URL %q is not http://host:port", c.URL).
			WithField("url").WithMend("give the URL that people open daytwo under")
	case c.Instance == "":
		return problem.New(problem.Invalid, "the host has no name").
			WithField("instance").WithMend("give one, it becomes the label instance")
	case c.Interval < MinInterval:
		return problem.New(problem.Invalid, "measuring every %s is too often", c.Interval).
			WithField("interval").WithMend("give at least %s, for example 15s", MinInterval)
	}
	return nil
}

// Host measures the machine and sends what it measured.
type Host struct {
	cfg     Config
	metrics prometheus.Gatherer
	queue   *queue
	send    sender
	counts  counters
}

// New prepares the measuring; Run does it.
func New(c Config) (*Host, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Job == "" {
		c.Job = "node"
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: 30 * time.Second}
	}
	gatherer, err := Gatherer()
	if err != nil {
		return nil, err
	}
	send, err := newSender(c)
	if err != nil {
		return nil, err
	}
	return &Host{cfg: c, metrics: gatherer, queue: newQueue(queueLength), send: send, counts: newCounters(c.Registerer)}, nil
}

// Run measures every interval and sends until ctx ends. While the server cannot
// be reached, the last measurements wait in memory; those that find no room are
// counted and lost.
func (h *Host) Run(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.sendAll(ctx)
	}()
	h.measureAll(ctx)
	<-done
	return nil
}

func (h *Host) measureAll(ctx context.Context) {
	ticker := time.NewTicker(h.cfg.Interval)
	defer ticker.Stop()
	s := newSeries(h.cfg.Job, h.cfg.Instance)
	for {
		h.measure(s)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// measure makes one measurement and queues it. A collector that fails says so
// in node_scrape_collector_success; the others are sent all the same.
func (h *Host) measure(s *series) {
	now := time.Now()
	families, err := h.metrics.Gather()
	if err != nil {
		h.cfg.Logger.Debug("some metrics of the host could not be read", "error", err)
	}
	if dropped := h.queue.push(s.request(families, now, time.Since(now))); dropped {
		h.counts.dropped.Inc()
	}
}

// counters are what the sending says of itself.
type counters struct {
	sent, dropped, refused prometheus.Counter
}

func newCounters(reg prometheus.Registerer) counters {
	c := counters{
		sent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "daytwo_host_measurements_sent_total", Help: "Measurements of the host that the server has taken.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "daytwo_host_measurements_dropped_total", Help: "Measurements of the host lost because the server could not be reached for too long.",
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "daytwo_host_measurements_refused_total", Help: "Measurements of the host that the server refused.",
		}),
	}
	if reg != nil {
		reg.MustRegister(c.sent, c.dropped, c.refused)
	}
	return c
}
