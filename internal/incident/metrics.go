package incident

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	opened      prometheus.Counter
	unreachable prometheus.Counter
	pages       *prometheus.CounterVec
	bundled     *prometheus.CounterVec
	delay       prometheus.Histogram
	events      *prometheus.CounterVec
	dropped     *prometheus.CounterVec
	suppressed  prometheus.Counter
	stranded    prometheus.Gauge
	unreached   prometheus.Gauge
	waiting     prometheus.Gauge
	unworked    prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		opened: prometheus.NewCounter(prometheus.CounterOpts{Name: "daytwo_incident_opened_total", Help: "Incidents opened."}),
		unreachable: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "daytwo_incident_unreachable_total", Help: "Incidents of which nobody could be told.",
		}),
		pages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daytwo_incident_pages_total", Help: "Pages that came to an end, by channel and status (sent, delivered, exhausted).",
		}, []string{"channel", "status"}),
		bundled: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daytwo_incident_pages_bundled_total", Help: "Pages that went out in one message with others, by channel.",
		}, []string{"channel"}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "daytwo_incident_page_delay_seconds", Help: "From the decision to page somebody to the page being taken by its channel.",
			Buckets: prometheus.ExponentialBuckets(0.005, 3, 10),
		}),
	}
	m.events = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "daytwo_incident_events_total", Help: "Events that came in, by source and result (accepted, throttled, refused, failed).",
	}, []string{"source", "result"})
	m.dropped = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "daytwo_incident_events_dropped_total", Help: "Events and alerts that an event rule dropped, by rule and the reason it gives.",
	}, []string{"rule", "reason"})
	m.suppressed = prometheus.NewCounter(prometheus.CounterOpts{Name: "daytwo_incident_suppressed_total", Help: "Alerts that were kept from paging."})
	m.stranded = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "daytwo_incident_without_next_step", Help: "Open incidents for which, by the log, nothing will happen although something should.",
	})
	m.unreached = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "daytwo_incident_unreached", Help: "Open incidents of which, by the log, nobody could be told so far.",
	})
	m.waiting = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "daytwo_incident_events_waiting", Help: "Events that were accepted more than a minute ago and not looked at.",
	})
	m.unworked = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "daytwo_incident_events_unworked", Help: "Events of the last day that could not be worked out, at most 100.",
	})
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.opened, m.unreachable, m.pages, m.bundled, m.delay, m.events, m.dropped, m.suppressed, m.stranded,
		m.unreached, m.waiting, m.unworked} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("incident: %w", err)
		}
	}
	return m, nil
}
