package incident

import "time"

// Hooks are what the incidents ask others. Each may be nil.
type Hooks struct {
	// Maintenance tells whether a service is under maintenance, by which window, and until when.
	Maintenance func(service string, at time.Time) (window string, until time.Time, ok bool)
	// Integration finds the service behind the key of an integration.
	Integration func(key string) (service string, ok bool)
}

func (h Hooks) maintenance(service string, at time.Time) (why string, until time.Time, ok bool) {
	if h.Maintenance == nil || service == "" {
		return "", time.Time{}, false
	}
	window, until, ok := h.Maintenance(service, at)
	return "maintenance: " + window, until, ok && until.After(at)
}

// Integration finds the service behind a key of an integration.
func (s *Incidents) Integration(key string) (service string, ok bool) {
	if s.hooks.Integration == nil || key == "" {
		return "", false
	}
	return s.hooks.Integration(key)
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
