// Package loop is the only place where domains meet. Each rule here takes
// entries of the timeline and makes one call into one domain; a rule's position
// on the timeline moves in the transaction of that call, so every entry has its
// effect exactly once, also across kill -9.
package loop

import (
	"context"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"github.com/daytwo-dev/daytwo/internal/alert"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/orchestrate"
	"github.com/daytwo-dev/daytwo/internal/postmortem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// Config is the domains that the rules join.
type Config struct {
	DB          *store.DB
	Timeline    *timeline.Timeline
	Catalog     *catalog.Live
	Alerts      *alert.Alerts
	Incidents   *incident.Incidents
	Workloads   *orchestrate.Orchestrator
	Postmortems *postmortem.Postmortems
	Measure     Measure
	Logger      *slog.Logger
}

// Loop runs the rules.
type Loop struct{ Config }

// New joins the domains; Run starts the rules.
func New(c Config) *Loop { return &Loop{c} }

// rule is one way in which one domain's entries move another.
type rule struct {
	name   string
	filter timeline.Filter
	do     timeline.Handler
}

func (l *Loop) rules() []rule {
	return []rule{
		{"alert-opens-incident", entries(timeline.Alert, "fired"), l.alertFired},
		{"alert-resolves-incident", entries(timeline.Alert, "resolved"), l.alertResolved},
		{"incident-begins-postmortem", entries(timeline.Incident, "resolved"), l.incidentResolved},
	}
}

func entries(kind timeline.Kind, action string) timeline.Filter {
	return timeline.Filter{Kinds: []timeline.Kind{kind}, Actions: []string{action}}
}

// Run applies the rules until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, r := range l.rules() {
		g.Go(func() error { return l.Timeline.Consume(ctx, "loop/"+r.name, r.filter, r.do) })
	}
	return g.Wait()
}
