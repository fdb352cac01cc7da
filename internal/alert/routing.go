package alert

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/alert/alertmanager"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/timeline"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// Door is Alertmanager's API, for /alertmanager: whoever may read may come in, and changing a silence needs a responder.
func (a *Alerts) Door() http.Handler { return a.routing.Handler() }

// Health answers at /alertmanager/-/healthy and /alertmanager/-/ready, for everybody.
func (a *Alerts) Health() http.Handler { return a.routing.Health() }

// Ingest takes alerts from Prometheus servers and amtool, for POST /alertmanager/api/v2/alerts. Mount it for whoever may send data.
func (a *Alerts) Ingest() http.Handler { return a.routing.Ingest() }

// Hook takes what the webhook_configs of an outside Alertmanager send, for POST /alertmanager/webhook.
func (a *Alerts) Hook() http.Handler { return a.routing.Hook() }

// Destination is where an alert goes: through alertmanager.yml, and to whom as an incident.
type Destination struct {
	alertmanager.Fate
	Labels  event.Labels `json:"labels" doc:"as Alertmanager sees them: with external labels, relabelled"`
	Dropped bool         `json:"dropped" doc:"alert_relabel_configs of prometheus.yml drops it"`
	Service string       `json:"service,omitempty"`
	Known   bool         `json:"known" doc:"the service is in the catalog"`
	Policy  string       `json:"policy,omitempty" doc:"the escalation policy of the service"`
	People  []string     `json:"people" doc:"who is paged first as an incident: of the first level of the policy, or the last resort"`

	Texts []alertmanager.Text `json:"texts,omitempty" doc:"what its receivers would write, only where a route is tested; annotations are examples"`
}

// destination says where an alert goes now.
func (a *Alerts) destination(ctx context.Context, one *Alert, now time.Time) (*Destination, error) {
	sent, kept := a.sentLabels(one)
	fate, err := a.routing.Fate(ctx, sent, one.StartsAt, now)
	if err != nil {
		return nil, err
	}
	d := &Destination{Fate: fate, Labels: sent, Dropped: !kept, Service: one.Service, People: []string{}}
	if d.Withheld = a.withheld(ctx, one, now); d.Withheld == whyInforms || !kept {
		d.Incident = false
	}
	catalog := a.cfg.Catalog.Current()
	service, known := catalog.Service(one.Service)
	d.Known = known
	if policy, ok := catalog.Policy(service.EscalationPolicy); ok && len(policy.Levels) > 0 {
		d.Policy, d.People = policy.Name, catalog.OnCallOf(policy.Levels[0].Targets, now)
	} else {
		d.People = append(d.People, catalog.WithoutPolicy()...)
	}
	return d, nil
}

// imagined is an alert that somebody asks about: it has fired for long, from a rule or from outside.
func imagined(pairs []string, outside bool) (*Alert, error) {
	labels := event.Labels{}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, problem.New(problem.Invalid, "%q is no label", pair).WithField("label").WithMend("write name=value")
		}
		labels[name] = strings.Trim(strings.TrimSpace(value), `"`)
	}
	one := &Alert{Labels: labels, Service: labels["service"], Severity: labels["severity"], Source: FromRule, StartsAt: time.Unix(0, 0)}
	if one.Severity == "" {
		one.Severity = timeline.Warning
	}
	if outside {
		one.Source = FromOutside
	}
	return one, nil
}

func (a *Alerts) routingRoutes(s *web.Server) {
	type test struct {
		Label   []string `query:"label,explode" doc:"as name=value, again for each label"`
		Outside bool     `query:"outside" doc:"sent to /alertmanager, rather than from a rule evaluated here"`
	}
	type byID struct {
		ID string `path:"id"`
	}
	type explain struct {
		Expr string    `query:"expr" required:"true" maxLength:"20000" doc:"PromQL"`
		At   time.Time `query:"at" doc:"the time it is evaluated at; by default now"`
	}
	web.Get(s, "/api/alert-routes", web.Op{ID: "get-alert-routes", Summary: "Get the route tree of alertmanager.yml", Tag: "alerts"},
		func(_ context.Context, _ *struct{}) (*alertmanager.Tree, error) {
			tree := a.routing.Tree(time.Now())
			return &tree, nil
		})
	web.Get(s, "/api/alert-routes/test", web.Op{ID: "test-alert-route", Summary: "Tell where an alert with certain labels would go", Tag: "alerts"},
		func(ctx context.Context, in *test) (*Destination, error) {
			one, err := imagined(in.Label, in.Outside)
			if err != nil {
				return nil, err
			}
			d, err := a.destination(ctx, one, time.Now())
			if err != nil || d.Dropped {
				return d, err
			}
			for i, path := range d.Paths {
				if slices.ContainsFunc(d.Paths[:i], func(p alertmanager.Path) bool { return p.Receiver == path.Receiver }) {
					continue
				}
				d.Texts = append(d.Texts, a.routing.Texts(path.Receiver, d.Labels, alertmanager.ExampleAnnotations(), path.GroupLabels)...)
			}
			return d, nil
		})
	web.Get(s, "/api/alerts/{id}/destination", web.Op{ID: "get-alert-destination", Summary: "Tell where an alert goes, and what holds it", Tag: "alerts"},
		func(ctx context.Context, in *byID) (*Destination, error) {
			one, err := a.Get(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return a.destination(ctx, one, time.Now())
		})
	web.Get(s, "/api/alerts/{id}/why", web.Op{ID: "explain-alert", Summary: "Explain why an alert fires: its expression part by part", Tag: "alerts"},
		func(ctx context.Context, in *byID) (*Explanation, error) { return a.Why(ctx, in.ID) })
	web.Get(s, "/api/explain", web.Op{ID: "explain-expression", Summary: "Explain an expression: what each part of it evaluates to, and what it costs", Tag: "metrics"},
		func(ctx context.Context, in *explain) (*Explanation, error) {
			at := in.At
			if at.IsZero() {
				at = time.Now()
			}
			return a.Explain(ctx, in.Expr, at.UTC(), nil)
		})
}
