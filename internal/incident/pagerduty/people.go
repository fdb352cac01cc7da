package pagerduty

import (
	"cmp"
	"slices"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Entries of the catalog are known by their names, which are what ids are here.
func (a *API) userID(name string) string     { return name }
func (a *API) teamID(name string) string     { return name }
func (a *API) serviceID(name string) string  { return name }
func (a *API) policyID(name string) string   { return name }
func (a *API) priorityID(name string) string { return name }

func (a *API) userName(id string) string     { return id }
func (a *API) serviceName(id string) string  { return id }
func (a *API) policyName(id string) string   { return id }
func (a *API) priorityName(id string) string { return id }

func (a *API) peopleRoutes() {
	a.read("/abilities", func(request) (any, error) { return ref{"abilities": abilities}, nil })
	a.read("/abilities/{id}", func(r request) (any, error) {
		if !slices.Contains(abilities, r.PathValue("id")) {
			return nil, problem.New(problem.NotFound, "there is no ability %q", clip(r.PathValue("id"), 100))
		}
		return nil, nil
	})
	a.read("/users", a.listUsers)
	a.read("/users/me", a.getMe)
	a.read("/users/{id}", a.getUser)
	a.read("/teams", a.listTeams)
	a.read("/teams/{id}", a.getTeam)
	a.read("/teams/{id}/members", a.listMembers)
}

// abilities are those of the original that clients ask for and that are here.
var abilities = []string{"teams", "urgencies", "service_support_hours", "time_based_alert_grouping", "response_operations", "advanced_reports", "coordinated_responding"}

func (a *API) showUser(p catalog.Person) ref {
	id := a.userID(p.Name)
	teams := []any{}
	for _, t := range a.Catalog.Current().Teams {
		if slices.Contains(t.Members, p.Name) {
			teams = append(teams, a.reference("team", "teams", a.teamID(t.Name), t.Name))
		}
	}
	return ref{"id": id, "type": "user", "summary": cmp.Or(p.FullName, p.Name), "name": cmp.Or(p.FullName, p.Name), "email": p.Email, "time_zone": cmp.Or(p.TimeZone, "Etc/UTC"),
		"role": "user", "self": a.self("users", id), "html_url": a.PublicURL, "teams": teams, "contact_methods": []any{}, "notification_rules": []any{}}
}

func (a *API) listUsers(r request) (any, error) {
	p, err := r.page()
	items, search := []any{}, strings.ToLower(r.URL.Query().Get("query"))
	for _, u := range a.Catalog.Current().People {
		if strings.Contains(strings.ToLower(u.Name+" "+u.FullName+" "+u.Email), search) {
			items = append(items, a.showUser(u))
		}
	}
	return slice(p, "users", items), err
}

func (a *API) person(id string) (catalog.Person, error) {
	p, ok := a.Catalog.Current().Person(a.userName(id))
	if !ok {
		return p, problem.New(problem.NotFound, "there is no user %q", clip(id, 100))
	}
	return p, nil
}

func (a *API) getUser(r request) (any, error) {
	p, err := a.person(r.PathValue("id"))
	return ref{"user": a.showUser(p)}, err
}

func (a *API) getMe(r request) (any, error) {
	p, err := a.person(a.actor(r))
	if err != nil {
		return nil, problem.New(problem.NotFound, "%s is no person of the catalog", auth.FromContext(r.Context()))
	}
	return ref{"user": a.showUser(p)}, nil
}

func (a *API) showTeam(t catalog.Team) ref {
	id := a.teamID(t.Name)
	return ref{"id": id, "type": "team", "summary": t.Name, "name": t.Name, "description": "", "self": a.self("teams", id), "html_url": a.PublicURL}
}

func (a *API) listTeams(r request) (any, error) {
	p, err := r.page()
	items, search := []any{}, strings.ToLower(r.URL.Query().Get("query"))
	for _, t := range a.Catalog.Current().Teams {
		if strings.Contains(strings.ToLower(t.Name), search) {
			items = append(items, a.showTeam(t))
		}
	}
	return slice(p, "teams", items), err
}

func (a *API) team(id string) (catalog.Team, error) {
	for _, t := range a.Catalog.Current().Teams {
		if a.teamID(t.Name) == id {
			return t, nil
		}
	}
	return catalog.Team{}, problem.New(problem.NotFound, "there is no team %q", clip(id, 100))
}

func (a *API) getTeam(r request) (any, error) {
	t, err := a.team(r.PathValue("id"))
	return ref{"team": a.showTeam(t)}, err
}

func (a *API) listMembers(r request) (any, error) {
	p, err := r.page()
	if err != nil {
		return nil, err
	}
	t, err := a.team(r.PathValue("id"))
	items := []any{}
	for _, m := range t.Members {
		items = append(items, ref{"user": a.userRef(m), "role": "responder"})
	}
	return slice(p, "members", items), err
}
