package store

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics tell how the one writer keeps up.
type metrics struct {
	write   prometheus.Histogram
	commit  prometheus.Histogram
	refused prometheus.Counter
}

func newMetrics(r prometheus.Registerer, waiting *line) metrics {
	factory := promauto.With(r)
	factory.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "daytwo_store_writes_waiting", Help: "Writes waiting for the writer.",
	}, func() float64 { return float64(waiting.length()) })
	return metrics{
		write: factory.NewHistogram(prometheus.HistogramOpts{
			Name: "daytwo_store_write_duration_seconds", Help: "Time from the call of a write to its answer, waiting included.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 3, 10)}),
		commit: factory.NewHistogram(prometheus.HistogramOpts{
			Name: "daytwo_store_commit_writes", Help: "Writes that shared one commit.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 9)}),
		refused: factory.NewCounter(prometheus.CounterOpts{
			Name: "daytwo_store_writes_refused_total", Help: "Writes refused because too many were waiting, or for too long."}),
	}
}
