package timeline

import (
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	entries     *prometheus.CounterVec
	subscribers prometheus.Gauge
	refills     prometheus.Counter
	handled     *prometheus.CounterVec
	failures    *prometheus.CounterVec
	skipped     *prometheus.CounterVec
	lag         *lag
}

func newMetrics(r prometheus.Registerer, recent *recent) *metrics {
	f := promauto.With(r)
	counter := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: "daytwo", Subsystem: "timeline", Name: name, Help: help}
	}
	perConsumer := []string{"consumer"}
	m := &metrics{
		entries: f.NewCounterVec(counter("entries_total", "Entries appended by this process."), []string{"kind"}),
		subscribers: f.NewGauge(prometheus.GaugeOpts{Namespace: "daytwo", Subsystem: "timeline",
			Name: "subscribers", Help: "Live feeds that are open."}),
		refills:  f.NewCounter(counter("refills_total", "Times a follower was too far behind for memory and read the store.")),
		handled:  f.NewCounterVec(counter("consumer_handled_total", "Entries handled."), perConsumer),
		failures: f.NewCounterVec(counter("consumer_failures_total", "Attempts that failed and are repeated."), perConsumer),
		skipped:  f.NewCounterVec(counter("consumer_skipped_total", "Entries passed over because they cannot be handled."), perConsumer),
		lag:      &lag{recent: recent, positions: map[string]*atomic.Int64{}},
	}
	if r != nil {
		r.MustRegister(m.lag)
	}
	return m
}

// consumer makes the metrics of a consumer visible, at zero, and returns where
// its position is to be kept.
func (m *metrics) consumer(name string) *atomic.Int64 {
	m.handled.WithLabelValues(name)
	m.failures.WithLabelValues(name)
	m.skipped.WithLabelValues(name)
	return m.lag.position(name)
}

var lagDesc = prometheus.NewDesc("daytwo_timeline_consumer_lag",
	"Entries between the newest one and the consumer's position.", []string{"consumer"}, nil)

// lag is a collector: a consumer that is stuck cannot update a gauge.
type lag struct {
	recent    *recent
	mu        sync.Mutex
	positions map[string]*atomic.Int64 // Seq up to which a consumer is done
}

func (l *lag) position(name string) *atomic.Int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.positions[name] == nil {
		l.positions[name] = new(atomic.Int64)
	}
	return l.positions[name]
}

func (l *lag) Describe(c chan<- *prometheus.Desc) { c <- lagDesc }

func (l *lag) Collect(c chan<- prometheus.Metric) {
	l.mu.Lock()
	defer l.mu.Unlock()
	head := l.recent.headSeq()
	for name, p := range l.positions {
		behind := max(0, head-p.Load())
		c <- prometheus.MustNewConstMetric(lagDesc, prometheus.GaugeValue, float64(behind), name)
	}
}
