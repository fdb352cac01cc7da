package incident

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/store"
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

// Naming is what names a service in such a way that it is lost once the service has another name, as people call it: event rules,
// heartbeats and open incidents.
func (s *Incidents) Naming(ctx context.Context, tx *store.Tx, service string) (list []string, err error) {
	rules, err := readRules(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		if r.Service == service {
			list = append(list, fmt.Sprintf("event rule %q", r.Name))
		}
	}
	named, err := query(ctx, tx, func(row scanner) (what string, err error) {
		var kind, name string
		err = row.Scan(&kind, &name)
		return kind + name, err
	}, `SELECT 'heartbeat ', name FROM heartbeats WHERE service = ?
		UNION ALL SELECT 'open incident #', CAST(number AS TEXT) FROM incidents WHERE service = ? AND status <> 'resolved' LIMIT ?`, service, service, maxNaming)
	return slices.Concat(list, named), err
}

// maxNaming is how many heartbeats and incidents are named: enough to know where to look.
const maxNaming = 5

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
