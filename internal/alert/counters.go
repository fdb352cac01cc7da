package alert

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type counters struct {
	transitions *prometheus.CounterVec
	failures    prometheus.Counter
}

func (c *counters) register(r prometheus.Registerer, a *Alerts) error {
	c.transitions = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "daytwo_alert_transitions_total", Help: "Alerts that fired and that were resolved.",
	}, []string{"action"})
	c.failures = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "daytwo_alert_record_failures_total", Help: "Attempts to record transitions that failed; each is tried again at the next evaluation.",
	})
	firing := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "daytwo_alerts_firing", Help: "Alerts that fire now.",
	}, func() float64 { return float64(len(a.Firing())) })
	for _, metric := range []prometheus.Collector{c.transitions, c.failures, firing} {
		if err := r.Register(metric); err != nil {
			return fmt.Errorf("register metrics of alerts: %w", err)
		}
	}
	return nil
}
