package pagerduty

import (
	"slices"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Entries of the catalog refer to each other by name; clients know them by their ids, and may use the name where they have only that.

func (a *API) userID(name string) string {
	p, _ := a.Catalog.Current().Person(name)
	return p.ID
}

func (a *API) teamID(name string) string {
	t, _ := a.Catalog.Current().Team(name)
	return t.ID
}

func (a *API) serviceID(name string) string {
	s, ok := a.Catalog.Current().Service(name)
	if !ok {
		return name // of an incident whose service is gone
	}
	return s.ID
}

func (a *API) policyID(name string) string {
	p, ok := a.Catalog.Current().Policy(name)
	if !ok {
		return name
	}
	return p.ID
}

func (a *API) priorityID(name string) string {
	for _, p := range a.Catalog.Current().Priorities {
		if p.Name == name {
			return p.ID
		}
	}
	return name
}

// byRef finds an entry by id, or else by name.
func byRef[T any](entries []T, of func(T) (id, name string), ref string) (T, bool) {
	for _, same := range []func(id, name string) bool{
		func(id, _ string) bool { return id == ref },
		func(_, name string) bool { return name == ref },
	} {
		if i := slices.IndexFunc(entries, func(e T) bool { return same(of(e)) }); i >= 0 {
			return entries[i], true
		}
	}
	var none T
	return none, false
}

func none(kind, ref string) error {
	return problem.New(problem.NotFound, "there is no %s %q", kind, clip(ref, 100))
}

func (a *API) person(ref string) (catalog.Person, error) {
	p, ok := byRef(a.Catalog.Current().People, func(p catalog.Person) (string, string) { return p.ID, p.Name }, ref)
	if !ok {
		return p, none("user", ref)
	}
	return p, nil
}

func (a *API) team(ref string) (catalog.Team, error) {
	t, ok := byRef(a.Catalog.Current().Teams, func(t catalog.Team) (string, string) { return t.ID, t.Name }, ref)
	if !ok {
		return t, none("team", ref)
	}
	return t, nil
}

func (a *API) service(ref string) (catalog.Service, error) {
	s, ok := byRef(a.Catalog.Current().Services, func(s catalog.Service) (string, string) { return s.ID, s.Name }, ref)
	if !ok {
		return s, none("service", ref)
	}
	return s, nil
}

func (a *API) policy(ref string) (catalog.Policy, error) {
	p, ok := byRef(a.Catalog.Current().Policies, func(p catalog.Policy) (string, string) { return p.ID, p.Name }, ref)
	if !ok {
		return p, none("escalation policy", ref)
	}
	return p, nil
}

func (a *API) schedule(ref string) (catalog.Schedule, error) {
	s, ok := byRef(a.Catalog.Current().Schedules, func(s catalog.Schedule) (string, string) { return s.ID, s.Name }, ref)
	if !ok {
		return s, none("schedule", ref)
	}
	return s, nil
}

// What a reference means by name; one that means nothing stays as it is, so that whoever looks it up says so.

func (a *API) userName(ref string) string {
	if p, err := a.person(ref); err == nil {
		return p.Name
	}
	return ref
}

func (a *API) serviceName(ref string) string {
	if s, err := a.service(ref); err == nil {
		return s.Name
	}
	return ref
}

func (a *API) policyName(ref string) string {
	if p, err := a.policy(ref); err == nil {
		return p.Name
	}
	return ref
}

func (a *API) priorityName(ref string) string {
	p, ok := byRef(a.Catalog.Current().Priorities, func(p catalog.Priority) (string, string) { return p.ID, p.Name }, ref)
	if !ok {
		return ref
	}
	return p.Name
}

// names are references as names.
func names(refs []given, of func(string) string) []string {
	list := []string{}
	for _, r := range refs {
		if name := of(r.ID); !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}
