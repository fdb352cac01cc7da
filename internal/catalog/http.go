package catalog

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/web"
)

type none struct{}

type byRef struct {
	Ref string `path:"ref" doc:"an id or a name"`
}

// Routes registers the catalog's part of the API. What is written in daytwo.yml is changed there.
func (l *Live) Routes(s *web.Server) {
	type byName struct {
		Name string `path:"name"`
	}
	web.Get(s, "/api/services", op("list-services", "List the services of the catalog; the keys of their integrations are masked"),
		func(context.Context, *none) (*web.List[Service], error) {
			services := slices.Clone(l.Current().Services)
			for i := range services {
				services[i] = services[i].masked()
			}
			return &web.List[Service]{Items: services}, nil
		})
	web.Get(s, "/api/services/{name}", op("get-service", "Get a service of the catalog"),
		func(ctx context.Context, in *byName) (*Service, error) {
			service, ok := l.Current().Service(in.Name)
			if !ok {
				return nil, problem.New(problem.NotFound, "there is no service %q in the catalog", in.Name).
					WithMend("add it to %s, or see GET /api/services", FileName)
			}
			if auth.FromContext(ctx).Allows(auth.Operator) != nil {
				service = service.masked()
			}
			return &service, nil
		})
	web.Get(s, "/api/teams", op("list-teams", "List the teams"),
		func(context.Context, *none) (*web.List[Team], error) {
			return &web.List[Team]{Items: l.Current().Teams}, nil
		})
	web.Get(s, "/api/people", op("list-people", "List the people who can be paged; addresses that hold secrets are masked"),
		func(context.Context, *none) (*web.List[Person], error) {
			people := slices.Clone(l.Current().People)
			for i := range people {
				people[i] = people[i].masked()
			}
			return &web.List[Person]{Items: people}, nil
		})
	web.Get(s, "/api/policies", op("list-policies", "List the escalation policies"),
		func(context.Context, *none) (*web.List[Policy], error) {
			return &web.List[Policy]{Items: l.Current().Policies}, nil
		})
	web.Get(s, "/api/priorities", op("list-priorities", "List the priorities, the most urgent first"),
		func(context.Context, *none) (*web.List[Priority], error) {
			return &web.List[Priority]{Items: l.Current().Priorities}, nil
		})
	web.Get(s, "/api/maintenance", op("list-maintenance", "List the maintenance windows"),
		func(context.Context, *none) (*web.List[Maintenance], error) {
			return &web.List[Maintenance]{Items: l.Current().Maintenance}, nil
		})
	l.entryRoutes(s)
	l.scheduleRoutes(s)
	l.overrideRoutes(s)
	l.personRoutes(s)
	l.feedRoutes(s)
	l.statusPageRoutes(s)
}

func op(id, summary string) web.Op {
	return web.Op{ID: id, Summary: summary, Tag: "catalog"}
}

func changing(id, summary string, role auth.Role, audit string) web.Op {
	o := op(id, summary)
	o.Role, o.Audit = role, audit
	return o
}

// masked keeps the host of a webhook: its path or query is often the secret.
func masked(webhook string) string {
	u, err := url.Parse(webhook)
	if webhook == "" || err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/…"
}

// masked is the person as answers show them.
func (p Person) masked() Person {
	p.Warnings = p.warnings()
	p.Webhook = masked(p.Webhook)
	p.Contacts = slices.Clone(p.Contacts)
	for i := range p.Contacts {
		p.Contacts[i] = p.Contacts[i].Masked()
	}
	return p
}

func (s Service) masked() Service {
	s.Integrations = slices.Clone(s.Integrations)
	for i, integration := range s.Integrations {
		if len(integration.Key) > 8 {
			s.Integrations[i].Key = integration.Key[:4] + "…"
		}
	}
	return s
}

// The bodies of entries: what people say of them. Ids, files and what is derived are not theirs to give.
type (
	teamBody struct {
		Name        string   `json:"name"`
		Description string   `json:"description,omitempty"`
		Members     []string `json:"members"`
	}
	priorityBody struct {
		Name        string `json:"name"`
		Description string `json:"description,omitempty"`
		Color       string `json:"color,omitempty" doc:"as a8171c"`
	}
	policyBody struct {
		Name        string  `json:"name"`
		Description string  `json:"description,omitempty"`
		Team        string  `json:"team,omitempty"`
		Levels      []Level `json:"levels"`
		Repeat      int     `json:"repeat,omitempty" minimum:"0" maximum:"9"`
		Then        string  `json:"then,omitempty"`
	}
	maintenanceBody struct {
		Name        string   `json:"name,omitempty"`
		Description string   `json:"description,omitempty"`
		Services    []string `json:"services"`
		Start       string   `json:"start" doc:"RFC 3339, or relative like now"`
		End         string   `json:"end" doc:"as start, like now+2h"`
	}
)

// which is the entry that a body replaces: its id, empty for a new one, and the version of it that was seen.
type which struct {
	id   string
	seen *Saved
}

// entryRoutes registers how entries are made, replaced and removed.
func (l *Live) entryRoutes(s *web.Server) {
	routesOf(s, "team", "teams", KindTeam, l, func(ctx context.Context, w which, b teamBody) (Team, error) {
		return l.SaveTeam(ctx, Team{ID: w.id, Saved: w.seen, Name: b.Name, Description: b.Description, Members: b.Members})
	})
	routesOf(s, "policy", "policies", KindPolicy, l, func(ctx context.Context, w which, b policyBody) (Policy, error) {
		return l.SavePolicy(ctx, Policy{ID: w.id, Saved: w.seen, Name: b.Name, Description: b.Description, Team: b.Team, Levels: b.Levels, Repeat: b.Repeat, Then: b.Then})
	})
	routesOf(s, "priority", "priorities", KindPriority, l, func(ctx context.Context, w which, b priorityBody) (Priority, error) {
		return l.SavePriority(ctx, Priority{ID: w.id, Saved: w.seen, Name: b.Name, Description: b.Description, Color: b.Color})
	})
	routesOf(s, "maintenance", "maintenance", KindMaintenance, l, func(ctx context.Context, w which, b maintenanceBody) (Maintenance, error) {
		m := Maintenance{ID: w.id, Saved: w.seen, Name: b.Name, Description: b.Description, Services: b.Services, By: auth.FromContext(ctx).String()}
		var err error
		if m.Start, err = web.TimeParam("start", b.Start); err == nil {
			m.End, err = web.TimeParam("end", b.End)
		}
		if err != nil {
			return m, err
		}
		return l.SaveMaintenance(ctx, m)
	})
	routesOf(s, "schedule", "schedules", KindSchedule, l, l.saveSchedule)
	routesOf(s, "person", "people", KindPerson, l, l.savePerson)
	routesOf(s, "service", "services", KindService, l, l.saveService)
}

// routesOf registers POST, PUT and DELETE of one kind.
func routesOf[B, T any](s *web.Server, noun, plural string, kind Kind, l *Live, save func(ctx context.Context, w which, b B) (T, error)) {
	type makeInput struct{ Body B }
	type replaceInput struct {
		ID      string `path:"id"`
		IfMatch string `header:"If-Match" maxLength:"100" doc:"the version that was looked at, see saved.version: if there is another by now, the answer is 409 and nothing changes; absent: whatever is there is replaced"`
		Body    B
	}
	type removeInput struct {
		ID string `path:"id"`
	}
	pointer := func(t T, err error) (*T, error) { return &t, err }
	made := changing("create-"+noun, "Make a "+noun, auth.Operator, noun+".create")
	made.Status = http.StatusCreated
	web.Post(s, "/api/"+plural, made, func(ctx context.Context, in *makeInput) (*T, error) { return pointer(save(ctx, which{}, in.Body)) })
	web.Put(s, "/api/"+plural+"/{id}", changing("replace-"+noun, "Replace a "+noun+", unless a file declares it", auth.Operator, noun+".replace"),
		func(ctx context.Context, in *replaceInput) (*T, error) {
			return pointer(save(ctx, which{in.ID, Seen(in.IfMatch)}, in.Body))
		})
	web.Delete(s, "/api/"+plural+"/{id}", changing("delete-"+noun, "Remove a "+noun+" that nothing refers to", auth.Operator, noun+".delete"),
		func(ctx context.Context, in *removeInput) (*struct{}, error) { return nil, l.Delete(ctx, kind, in.ID) })
}
