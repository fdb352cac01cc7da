package alert

import (
	"context"

	"github.com/daytwo-dev/daytwo/internal/web"
)

// Routes registers the reads of alerts and objectives. Rules are read through the Prometheus API.
func (a *Alerts) Routes(s *web.Server) {
	type list struct {
		web.Page
		State   string `query:"state" enum:"firing,resolved" doc:"only these"`
		Service string `query:"service" doc:"only of this service"`
		Name    string `query:"name" doc:"only of this name: the history of a rule"`
	}
	type byID struct {
		ID string `path:"id"`
	}
	type ofService struct {
		Service string `query:"service" doc:"only of this service"`
	}
	web.Get(s, "/api/alerts", web.Op{ID: "list-alerts", Summary: "List alerts, newest first", Tag: "alerts"},
		func(ctx context.Context, in *list) (*web.List[*Alert], error) {
			after, err := in.Key(2)
			if err != nil {
				return nil, err
			}
			found, more, err := a.List(ctx, Filter{State: State(in.State), Service: in.Service, Name: in.Name, Limit: in.Limit, After: after})
			if err != nil {
				return nil, err
			}
			page := &web.List[*Alert]{Items: a.withSuppression(ctx, found)}
			if more {
				page.Next = web.Cursor(found[len(found)-1].place()...)
			}
			return page, nil
		})
	web.Get(s, "/api/alerts/{id}", web.Op{ID: "get-alert", Summary: "Get an alert", Tag: "alerts"},
		func(ctx context.Context, in *byID) (*Alert, error) {
			one, err := a.Get(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return a.withSuppression(ctx, []*Alert{one})[0], nil
		})
	web.Get(s, "/api/slos", web.Op{ID: "list-slos", Summary: "List objectives with their budgets and burn rates", Tag: "alerts"},
		func(ctx context.Context, in *ofService) (*web.List[Status], error) {
			all, err := a.Status(ctx, in.Service)
			return &web.List[Status]{Items: all}, err
		})
	a.firingRoute(s)
	a.routingRoutes(s)
	a.silenceRoutes(s)
}

// withSuppression are copies of alerts, those that fire with what holds them now.
func (a *Alerts) withSuppression(ctx context.Context, all []*Alert) []*Alert {
	told := make([]*Alert, 0, len(all))
	for _, one := range all {
		fresh := *one
		if sent, kept := a.sentLabels(one); kept && one.State == Firing {
			fresh.Suppressed = a.routing.Suppressed(ctx, sent)
		}
		told = append(told, &fresh)
	}
	return told
}
