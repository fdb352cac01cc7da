package loop

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// maxSuspects bounds the changes that are looked at for one incident.
const maxSuspects = 50

// Measure evaluates a PromQL expression at a time; ok is false where it has no
// one finite value. It is the signals' side of a diagnosis.
type Measure func(ctx context.Context, expr string, at time.Time) (value float64, ok bool)

// Suspects ranks the changes before an incident by how likely they caused it.
func (l *Loop) Suspects(ctx context.Context, id string) ([]Suspect, error) {
	i, err := l.Incidents.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	current := l.Catalog.Current()
	s := scene{service: i.Service, at: i.OpenedAt, kin: relations(current, i.Service)}
	changes, _, err := l.Timeline.List(ctx, timeline.Filter{
		Services: slices.Collect(maps.Keys(s.kin)), Kinds: []timeline.Kind{timeline.Change},
		Range: event.Range{From: s.at.Add(-lookBack), To: s.at.Add(time.Second)},
		Limit: maxSuspects,
	})
	if err != nil {
		return nil, err
	}
	measured := make([]shares, len(changes))
	service, known := current.Service(i.Service) // one that is not in the catalog has no signals
	if known && len(changes) > 0 {
		after, ok := l.failingShare(ctx, service.Signals, s.at)
		for n, change := range changes {
			before, measurable := l.failingShare(ctx, service.Signals, change.Time)
			measured[n] = shares{before: before, after: after, known: ok && measurable}
		}
	}
	return rank(s, changes, measured), nil
}

// failingShare measures the share of a service's requests that fail at a time.
func (l *Loop) failingShare(ctx context.Context, signals catalog.Signals, at time.Time) (share float64, ok bool) {
	traffic, ok := l.Measure(ctx, signals.Traffic, at)
	if !ok || traffic <= 0 {
		return 0, false
	}
	failed, _ := l.Measure(ctx, signals.Errors, at) // no series of failures yet: none failed
	return failed / traffic, true
}
