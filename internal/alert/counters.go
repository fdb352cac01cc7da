package alert

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type counters struct {
	transitions *prometheus.CounterVec
	failures    prometheus.Counter
	ignored     prometheus.Counter
	shortened   prometheus.Counter
	handed      *prometheus.CounterVec
}

func (c *counters) register(r prometheus.Registerer, a *Alerts) error {
	c.transitions = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "daytwo_alert_transitions_total", Help: "Alerts that fired and that were resolved.",
	}, []string{"action"})
	c.failures = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "daytwo_alert_record_failures_total", Help: "Attempts to record transitions that failed; each is tried again at the next evaluation.",
	})
	c.ignored = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "daytwo_alert_over_limit_total", Help: fmt.Sprintf("Times an evaluation found an alert that was not recorded, because %d of its rule fire already.", maxFiring),
	})
	c.shortened = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "daytwo_alert_shortened_total", Help: fmt.Sprintf("Labels and annotations of alerts cut to %d bytes.", maxText),
	})
	c.handed = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "daytwo_alert_handovers_total", Help: "Alerts handed over to become incidents: at once when they fired, or later when nothing held them any more.",
	}, []string{"when"})
	firing := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "daytwo_alerts_firing", Help: "Alerts that fire now.",
	}, func() float64 { return float64(len(a.Firing())) })
	withheld := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "daytwo_alerts_withheld", Help: "Alerts that fire now and were not handed over to become incidents.",
	}, func() float64 { return float64(len(a.notHanded())) })
	for _, metric := range []prometheus.Collector{c.transitions, c.failures, c.ignored, c.shortened, c.handed, firing, withheld} {
		if err := r.Register(metric); err != nil {
			return fmt.Errorf("register metrics of alerts: %w", err)
		}
	}
	return nil
}
