package run

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

type metrics struct {
	ended     *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	active    prometheus.Gauge
	lostLines prometheus.Counter
}

func newMetrics(r prometheus.Registerer, queued func(context.Context) (int, error)) *metrics {
	f := promauto.With(r)
	f.NewGaugeFunc(prometheus.GaugeOpts{Name: "daytwo_runs_queued", Help: "Runs that wait."}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n, err := queued(ctx)
		if err != nil {
			return math.NaN()
		}
		return float64(n)
	})
	return &metrics{
		ended: f.NewCounterVec(prometheus.CounterOpts{Name: "daytwo_runs_total", Help: "Runs that ended, by how."}, []string{"kind", "status"}),
		duration: f.NewHistogramVec(prometheus.HistogramOpts{Name: "daytwo_run_duration_seconds", Help: "From start to end of a run.",
			Buckets: prometheus.ExponentialBuckets(0.1, 4, 9)}, []string{"kind"}),
		active:    f.NewGauge(prometheus.GaugeOpts{Name: "daytwo_runs_active", Help: "Runs that execute."}),
		lostLines: f.NewCounter(prometheus.CounterOpts{Name: "daytwo_run_log_lost_lines_total", Help: "Log lines that could not be stored."}),
	}
}

func (m *metrics) finished(r Run, s Status, at time.Time) {
	m.ended.WithLabelValues(r.Kind, string(s)).Inc()
	if !r.StartedAt.IsZero() {
		m.duration.WithLabelValues(r.Kind).Observe(at.Sub(r.StartedAt).Seconds())
	}
}
