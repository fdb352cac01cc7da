package eventdb

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics measure the store.
type metrics struct {
	registerer    prometheus.Registerer
	all           []prometheus.Collector
	appended      prometheus.Counter
	appendedBytes prometheus.Counter
	cut           prometheus.Counter
	refused       prometheus.Counter
	removed       prometheus.Counter
	damaged       prometheus.Counter
	queries       *prometheus.HistogramVec
}

func newMetrics(r prometheus.Registerer, db *DB) (*metrics, error) {
	m := &metrics{registerer: r}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: "daytwo_events_" + name, Help: help})
		m.all = append(m.all, c)
		return c
	}
	m.appended = counter("appended_total", "Events stored.")
	m.appendedBytes = counter("appended_bytes_total", "Bytes of events written to the log.")
	m.cut = counter("cut_total", "Fields that were cut or left out because they were over a limit.")
	m.refused = counter("refused_writes_total", "Writes that failed, for example because the disk was full.")
	m.removed = counter("removed_total", "Events removed by retention or deletion.")
	m.damaged = counter("damaged_blocks_total", "Times that a damaged block was met.")
	gauge := func(name, help string, value func(Stats) float64) {
		m.all = append(m.all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "daytwo_events_" + name, Help: help},
			func() float64 { return value(db.Stats()) }))
	}
	gauge("stored", "Events in the store.", func(s Stats) float64 { return float64(s.Events) })
	gauge("stored_bytes", "Bytes of the parts.", func(s Stats) float64 { return float64(s.PartBytes) })
	gauge("log_bytes", "Bytes of the write-ahead log.", func(s Stats) float64 { return float64(s.LogBytes) })
	gauge("parts", "Parts on disk.", func(s Stats) float64 { return float64(s.Parts) })
	m.queries = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "daytwo_events_query_duration_seconds", Help: "How long queries took.",
		Buckets: []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10, 60},
	}, []string{"outcome"})
	m.all = append(m.all, m.queries)
	if r == nil {
		return m, nil
	}
	for _, c := range m.all {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics of events: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) unregister() {
	if m.registerer == nil {
		return
	}
	for _, c := range m.all {
		m.registerer.Unregister(c)
	}
}
