package loop

import (
	"context"
	"time"

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
	s := scene{service: i.Service, at: i.OpenedAt, catalog: l.Catalog.Current()}
	changes, _, err := l.Timeline.List(ctx, timeline.Filter{
		Kinds: []timeline.Kind{timeline.Change},
		Range: event.Range{From: s.at.Add(-lookBack), To: s.at.Add(time.Second)},
		Limit: maxSuspects,
	})
	if err != nil {
		return nil, err
	}
	measured := make([]shares, len(changes))
	for n, change := range changes {
		measured[n] = l.sharesAround(ctx, s, change.Time)
	}
	return rank(s, changes, measured), nil
}

// sharesAround measures the service's failing share just before a change and
// when the incident opened. A service that is not in the catalog has no signals.
func (l *Loop) sharesAround(ctx context.Context, s scene, change time.Time) shares {
	service, ok := s.catalog.Service(s.service)
	if !ok {
		return shares{}
	}
	share := func(at time.Time) (float64, bool) {
		traffic, ok := l.Measure(ctx, service.Signals.Traffic, at)
		if !ok || traffic <= 0 {
			return 0, false
		}
		errors, _ := l.Measure(ctx, service.Signals.Errors, at) // no series of failures yet: none failed
		return errors / traffic, true
	}
	before, ok1 := share(change)
	after, ok2 := share(s.at)
	return shares{before: before, after: after, known: ok1 && ok2}
}
