package catalog

import (
	"context"
	"net/url"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// Routes registers the reads of the catalog in force. What is written in daytwo.yml is changed there.
func (l *Live) Routes(s *web.Server) {
	type none struct{}
	type byName struct {
		Name string `path:"name"`
	}
	web.Get(s, "/api/services", op("list-services", "List the services of the catalog"),
		func(context.Context, *none) (*web.List[Service], error) {
			return &web.List[Service]{Items: l.Current().Services}, nil
		})
	web.Get(s, "/api/services/{name}", op("get-service", "Get a service of the catalog"),
		func(_ context.Context, in *byName) (*Service, error) {
			service, ok := l.Current().Service(in.Name)
			if !ok {
				return nil, problem.New(problem.NotFound, "there is no service %q in the catalog", in.Name).
					WithMend("add it to %s, or see GET /api/services", FileName)
			}
			return &service, nil
		})
	web.Get(s, "/api/teams", op("list-teams", "List the teams"),
		func(context.Context, *none) (*web.List[Team], error) {
			return &web.List[Team]{Items: l.Current().Teams}, nil
		})
	web.Get(s, "/api/people", op("list-people", "List the people who can be paged; webhooks are shown without their path"),
		func(context.Context, *none) (*web.List[Person], error) {
			people := append([]Person{}, l.Current().People...)
			for i := range people {
				people[i].Webhook = masked(people[i].Webhook)
			}
			return &web.List[Person]{Items: people}, nil
		})
	web.Get(s, "/api/policies", op("list-policies", "List the escalation policies"),
		func(context.Context, *none) (*web.List[Policy], error) {
			return &web.List[Policy]{Items: l.Current().Policies}, nil
		})
}

func op(id, summary string) web.Op {
	return web.Op{ID: id, Summary: summary, Tag: "catalog"}
}

// masked keeps the host of a webhook: its path or query is often the secret.
func masked(webhook string) string {
	u, err := url.Parse(webhook)
	if webhook == "" || err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/…"
}
