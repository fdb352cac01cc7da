package incident

import (
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
)

// maintenance tells whether a service is under maintenance, why its alerts page nobody, and until when.
func (s *Incidents) maintenance(service string, at time.Time) (why string, until time.Time, ok bool) {
	m, ok := s.catalog.Current().InMaintenance(service, at)
	name := m.Name
	for _, text := range []string{m.Description, m.ID} {
		if name == "" {
			name = text
		}
	}
	return "maintenance: " + name, m.End, ok
}

// Integration finds the service behind a key of an integration.
func (s *Incidents) Integration(key string) (service string, ok bool) {
	found, _, ok := s.catalog.Current().ByKey(key)
	return found.Name, ok
}

// urgency is how loud an incident of a service is.
func (s *Incidents) urgency(service, severity string, at time.Time) string {
	if found, ok := s.catalog.Current().Service(service); ok {
		u, _ := found.UrgencyAt(severity, at)
		return u
	}
	if severity == Info {
		return catalog.Low
	}
	return catalog.High
}

// limits are how long somebody has after acknowledging before an incident pages again, and how long an incident may be open before it
// is resolved; 0: as long as it takes.
func (s *Incidents) limits(service string) (ack, resolve time.Duration) {
	found, _ := s.catalog.Current().Service(service)
	return time.Duration(found.AckTimeout), time.Duration(found.AutoResolve)
}

// StrictSeverity tells whether events with a severity that is not known are refused.
func (s *Incidents) StrictSeverity() bool { return s.inbox.strict }

// CountRefused counts an event that was not taken.
func (s *Incidents) CountRefused(source string) {
	if source == "" {
		source = "unknown"
	}
	s.metrics.events.WithLabelValues(source, "refused").Inc()
}
