package pagerduty

import (
	"slices"
	"strconv"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func itoa(n int) string { return strconv.Itoa(n) }

func (a *API) teamRoutes() {
	a.read("/teams", a.listTeams)
	a.read("/teams/{id}", func(r request) (any, error) {
		t, err := a.team(r.PathValue("id"))
		return ref{"team": a.showTeam(t)}, err
	})
	a.route("POST /teams", auth.Operator, "team.create", a.saveTeam)
	a.route("PUT /teams/{id}", auth.Operator, "team.change", a.saveTeam)
	a.route("DELETE /teams/{id}", auth.Operator, "team.remove", func(r request) (any, error) {
		t, err := a.team(r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		return nil, a.Catalog.Delete(r.Context(), catalog.KindTeam, t.ID)
	})
	a.read("/teams/{id}/members", a.listMembers)
	a.route("PUT /teams/{id}/users/{user}", auth.Operator, "team.change", func(r request) (any, error) { return nil, a.member(r, true) })
	a.route("DELETE /teams/{id}/users/{user}", auth.Operator, "team.change", func(r request) (any, error) { return nil, a.member(r, false) })
	a.route("PUT /teams/{id}/escalation_policies/{policy}", auth.Operator, "policy.change", func(r request) (any, error) { return nil, a.teamPolicy(r, true) })
	a.route("DELETE /teams/{id}/escalation_policies/{policy}", auth.Operator, "policy.change", func(r request) (any, error) { return nil, a.teamPolicy(r, false) })
}

func (a *API) showTeam(t catalog.Team) ref {
	return ref{"id": t.ID, "type": "team", "summary": t.Name, "name": t.Name, "description": t.Description, "self": a.self("teams", t.ID), "html_url": a.PublicURL}
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

// saveTeam makes or changes a team. Clients send it with and without a wrapper.
func (a *API) saveTeam(r request) (any, error) {
	type body struct {
		Name        string  `json:"name"`
		Description *string `json:"description"`
	}
	var in struct {
		Team *body `json:"team"`
		body
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	b := in.body
	if in.Team != nil {
		b = *in.Team
	}
	var t catalog.Team
	if id := r.PathValue("id"); id != "" {
		var err error
		if t, err = a.team(id); err != nil {
			return nil, err
		}
	}
	if b.Name != "" {
		t.Name = b.Name
	}
	if b.Description != nil {
		t.Description = *b.Description
	}
	t, err := a.Catalog.SaveTeam(r.Context(), t)
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

// member takes somebody into a team, or out of it.
func (a *API) member(r request, in bool) error {
	t, err := a.team(r.PathValue("id"))
	if err != nil {
		return err
	}
	p, err := a.person(r.PathValue("user"))
	if err != nil {
		return err
	}
	t.Members = slices.DeleteFunc(slices.Clone(t.Members), func(m string) bool { return m == p.Name })
	if in {
		t.Members = append(t.Members, p.Name)
	}
	_, err = a.Catalog.SaveTeam(r.Context(), t)
	return err
}

// teamPolicy gives an escalation policy to a team, or takes it away.
func (a *API) teamPolicy(r request, in bool) error {
	t, err := a.team(r.PathValue("id"))
	if err != nil {
		return err
	}
	p, err := a.policy(r.PathValue("policy"))
	if err != nil {
		return err
	}
	switch {
	case in:
		p.Team = t.Name
	case p.Team != t.Name:
		return problem.New(problem.NotFound, "the escalation policy does not belong to the team")
	default:
		p.Team = ""
	}
	_, err = a.Catalog.SavePolicy(r.Context(), p)
	return err
}
