// Package loop is the only place where domains meet. Each rule here takes
// entries of the timeline and makes one call into one domain; a rule's position
// on the timeline moves in the transaction of that call, so every entry has its
// effect exactly once, also across kill -9.
package loop

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/event"
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
	Incidents   *incident.Incidents
	Workloads   *orchestrate.Orchestrator
	Postmortems *postmortem.Postmortems
	Measure     Measure
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
		// One rule for beginning and end, so that an end never overtakes its beginning.
		{"alert-opens-incident", entries(timeline.Alert, "fired", "released", "resolved"), l.alertMoved},
		{"incident-begins-postmortem", entries(timeline.Incident, "resolved"), l.incidentResolved},
	}
}

func entries(kind timeline.Kind, actions ...string) timeline.Filter {
	return timeline.Filter{Kinds: []timeline.Kind{kind}, Actions: actions}
}

// Run applies the rules until ctx ends.
func (l *Loop) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, r := range l.rules() {
		g.Go(func() error { return l.Timeline.Consume(ctx, "loop/"+r.name, r.filter, r.do) })
	}
	return g.Wait()
}

// alertMoved makes an alert part of an incident when it fires, unless it is
// withheld (silenced, inhibited, routed elsewhere) until it is released, and
// tells the incident when it is over.
func (l *Loop) alertMoved(ctx context.Context, tx *store.Tx, e timeline.Entry) error {
	switch {
	case e.Action == "resolved":
		return wrap("tell the incident that its alert is over", l.Incidents.AlertResolved(ctx, tx, idOf(e)))
	case e.Action == "fired" && e.Data["withheld"] != "":
		return nil
	}
	_, err := l.Incidents.Trigger(ctx, tx, incident.Trigger{
		AlertID: idOf(e), Service: e.Service, Labels: labelsOf(e), Title: e.Title, Severity: e.Data["severity"], Time: e.Time,
	})
	return wrap("trigger an incident", err)
}

// labelsOf are the labels that an alert's entry has of it.
func labelsOf(e timeline.Entry) event.Labels {
	return event.Labels{
		"alertname": e.Data["name"], "cluster": e.Data["cluster"], "namespace": e.Data["namespace"], "job": e.Data["job"],
	}
}

// idOf is the id in "alert/<id>".
func idOf(e timeline.Entry) string {
	_, id, _ := strings.Cut(e.Ref, "/")
	return id
}

func wrap(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// incidentResolved begins the postmortem of an incident of the service and what
// it depends on directly.
func (l *Loop) incidentResolved(ctx context.Context, tx *store.Tx, e timeline.Entry) error {
	i, err := incident.Load(ctx, tx, idOf(e))
	if err != nil {
		return wrap("read the resolved incident", err)
	}
	if i.ResolvedAt == nil {
		return nil // an alert fired again in between; its next end comes with an entry of its own
	}
	service, _ := l.Catalog.Current().Service(i.Service)
	_, err = l.Postmortems.Draft(ctx, tx, postmortem.Incident{Title: i.Title, Facts: postmortem.Facts{
		IncidentID: i.ID, Number: i.Number, Service: i.Service, Services: service.DependsOn, Severity: i.Severity,
		OpenedAt: i.OpenedAt, AcknowledgedAt: i.AcknowledgedAt, AcknowledgedBy: i.AcknowledgedBy,
		ResolvedAt: *i.ResolvedAt, ResolvedBy: i.ResolvedBy, People: i.People(),
	}})
	return wrap("begin a postmortem", err)
}
