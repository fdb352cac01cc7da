package logs

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// counts are what the doors took, refused and put right.
type counts struct {
	taken, refused, mended *prometheus.CounterVec
}

func newCounts(r prometheus.Registerer) (*counts, error) {
	c := &counts{
		taken: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daytwo_logs_events_total", Help: "Events taken, by door.",
		}, []string{"door"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daytwo_logs_refused_total", Help: "Events or requests refused, by door and what was wrong.",
		}, []string{"door", "reason"}),
		mended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daytwo_logs_mended_total", Help: "What was put right in events that were taken: times that cannot be true, fields over the limit, text cut.",
		}, []string{"door", "what"}),
	}
	if r == nil {
		return c, nil
	}
	for _, m := range []prometheus.Collector{c.taken, c.refused, c.mended} {
		if err := r.Register(m); err != nil {
			return nil, fmt.Errorf("register metrics of logs: %w", err)
		}
	}
	return c, nil
}

func (c *counts) Taken(door string, n int) { c.taken.WithLabelValues(door).Add(float64(n)) }
func (c *counts) Refused(door, why string, n int) {
	c.refused.WithLabelValues(door, why).Add(float64(n))
}
func (c *counts) Mended(door, what string, n int) {
	c.mended.WithLabelValues(door, what).Add(float64(n))
}
