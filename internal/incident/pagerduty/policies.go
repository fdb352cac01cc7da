package pagerduty

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func (a *API) policyRoutes() {
	a.read("/escalation_policies", a.listPolicies)
	a.read("/escalation_policies/{id}", func(r request) (any, error) {
		p, err := a.policy(r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		return ref{"escalation_policy": a.showPolicy(p)}, nil
	})
	a.route("POST /escalation_policies", auth.Operator, "policy.create", a.savePolicy)
	a.route("PUT /escalation_policies/{id}", auth.Operator, "policy.change", a.savePolicy)
	a.route("DELETE /escalation_policies/{id}", auth.Operator, "policy.remove", func(r request) (any, error) {
		p, err := a.policy(r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		return nil, a.Catalog.Delete(r.Context(), catalog.KindPolicy, p.ID)
	})
	a.read("/escalation_policies/{id}/escalation_rules", func(r request) (any, error) {
		p, err := a.policy(r.PathValue("id"))
		return ref{"escalation_rules": a.showRules(p)}, err
	})
	a.route("POST /escalation_policies/{id}/escalation_rules", auth.Operator, "policy.change", a.saveRuleOf)
	a.route("PUT /escalation_policies/{id}/escalation_rules/{rule}", auth.Operator, "policy.change", a.saveRuleOf)
	a.route("DELETE /escalation_policies/{id}/escalation_rules/{rule}", auth.Operator, "policy.change", a.removeRuleOf)
	a.read("/escalation_policies/{id}/escalation_rules/{rule}", func(r request) (any, error) {
		p, err := a.policy(r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		for _, shown := range a.showRules(p) {
			if shown.(ref)["id"] == r.PathValue("rule") {
				return ref{"escalation_rule": shown}, nil
			}
		}
		return nil, none("escalation rule", r.PathValue("rule"))
	})
}

// saveRuleOf adds a level to a policy, or replaces the one of the path.
func (a *API) saveRuleOf(r request) (any, error) {
	var in struct {
		Rule *struct {
			Delay   int     `json:"escalation_delay_in_minutes"`
			Targets []given `json:"targets"`
		} `json:"escalation_rule"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if in.Rule == nil {
		return nil, problem.New(problem.Invalid, "there is no escalation rule in the body").WithField("escalation_rule")
	}
	p, at, err := a.ruleOf(r)
	if err != nil {
		return nil, err
	}
	var l catalog.Level
	for _, t := range in.Rule.Targets {
		target, err := a.target(t)
		if err != nil {
			return nil, err
		}
		l.Targets = append(l.Targets, target)
	}
	delays := delaysOf(p)
	if p.Levels = slices.Clone(p.Levels); at < 0 {
		at = len(p.Levels)
		p.Levels, delays = append(p.Levels, l), append(delays, 0)
	}
	p.Levels[at].Targets, delays[at] = l.Targets, time.Duration(min(max(in.Rule.Delay, 1), 7*24*60))*time.Minute
	space(p.Levels, delays)
	if p, err = a.Catalog.SavePolicy(r.Context(), p); err != nil {
		return nil, err
	}
	return ref{"escalation_rule": a.showRules(p)[at]}, nil
}

func (a *API) removeRuleOf(r request) (any, error) {
	p, at, err := a.ruleOf(r)
	if err != nil {
		return nil, err
	}
	delays := slices.Delete(delaysOf(p), at, at+1)
	p.Levels = slices.Delete(slices.Clone(p.Levels), at, at+1)
	space(p.Levels, delays)
	_, err = a.Catalog.SavePolicy(r.Context(), p)
	return nil, err
}

// ruleOf is the policy of the path and which of its levels is meant; -1: none is named.
func (a *API) ruleOf(r request) (p catalog.Policy, at int, err error) {
	if p, err = a.policy(r.PathValue("id")); err != nil || r.PathValue("rule") == "" {
		return p, -1, err
	}
	for i := range p.Levels {
		if p.ID+"."+strconv.Itoa(i+1) == r.PathValue("rule") {
			return p, i, nil
		}
	}
	return p, 0, none("escalation rule", r.PathValue("rule"))
}

// delaysOf are how long each level has; the last one as long as the one before it.
func delaysOf(p catalog.Policy) []time.Duration {
	delays, last := make([]time.Duration, len(p.Levels)), 30*time.Minute
	for i, l := range p.Levels {
		if i+1 < len(p.Levels) {
			last = time.Duration(p.Levels[i+1].After - l.After)
		}
		delays[i] = last
	}
	return delays
}

// space sets when levels come from how long each has.
func space(levels []catalog.Level, delays []time.Duration) {
	after := time.Duration(0)
	for i := range levels {
		levels[i].After = catalog.Duration(after)
		after += max(delays[i], time.Minute)
	}
}

// showRules shows levels: the time a level has is that to the next one.
func (a *API) showRules(p catalog.Policy) []any {
	rules, delays := []any{}, delaysOf(p)
	for i, l := range p.Levels {
		targets := []any{}
		for _, t := range l.Targets {
			if t.Kind == catalog.ToSchedule {
				targets = append(targets, a.scheduleRef(t.Name))
			} else {
				targets = append(targets, a.userRef(t.Name))
			}
		}
		shown := ref{"id": p.ID + "." + strconv.Itoa(i+1), "type": "escalation_rule", "escalation_delay_in_minutes": max(int(delays[i].Minutes()), 1), "targets": targets}
		if l.RoundRobin {
			shown["escalation_rule_assignment_strategy"] = ref{"type": "round_robin"}
		}
		rules = append(rules, shown)
	}
	return rules
}

func (a *API) showPolicy(p catalog.Policy) ref {
	services, teams := []any{}, []any{}
	for _, s := range a.Catalog.Current().Services {
		if s.EscalationPolicy == p.Name {
			services = append(services, a.serviceRef(s.Name))
		}
	}
	if p.Team != "" {
		teams = append(teams, a.reference("team", "teams", a.teamID(p.Team), p.Team))
	}
	return ref{"id": p.ID, "type": "escalation_policy", "summary": p.Name, "name": p.Name, "description": p.Description, "self": a.self("escalation_policies", p.ID), "html_url": a.PublicURL,
		"escalation_rules": a.showRules(p), "num_loops": p.Repeat, "services": services, "teams": teams, "on_call_handoff_notifications": "if_has_services"}
}

func (a *API) listPolicies(r request) (any, error) {
	p, err := r.page()
	items, search, teams, users := []any{}, strings.ToLower(r.URL.Query().Get("query")), r.values("team_ids"), r.values("user_ids")
	for _, e := range a.Catalog.Current().Policies {
		if !strings.Contains(strings.ToLower(e.Name), search) || len(teams) > 0 && (e.Team == "" || !slices.Contains(teams, a.teamID(e.Team))) {
			continue
		}
		names := slices.ContainsFunc(e.Levels, func(l catalog.Level) bool {
			return slices.ContainsFunc(l.Targets, func(t catalog.Target) bool {
				return t.Kind != catalog.ToSchedule && slices.Contains(users, a.userID(t.Name))
			})
		})
		if len(users) == 0 || names {
			items = append(items, a.showPolicy(e))
		}
	}
	return slice(p, "escalation_policies", items), err
}

func (a *API) savePolicy(r request) (any, error) {
	var in struct {
		Policy *struct {
			Name        string  `json:"name"`
			Description *string `json:"description"`
			Loops       *int    `json:"num_loops"`
			Teams       []given `json:"teams"`
			Rules       []struct {
				Delay    int     `json:"escalation_delay_in_minutes"`
				Targets  []given `json:"targets"`
				Strategy any     `json:"escalation_rule_assignment_strategy"`
			} `json:"escalation_rules"`
		} `json:"escalation_policy"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	b := in.Policy
	if b == nil {
		return nil, problem.New(problem.Invalid, "there is no escalation policy in the body").WithField("escalation_policy")
	}
	var p catalog.Policy
	if id := r.PathValue("id"); id != "" {
		var err error
		if p, err = a.policy(id); err != nil {
			return nil, err
		}
	}
	p.Name = cmp.Or(b.Name, p.Name)
	if b.Description != nil {
		p.Description = *b.Description
	}
	if b.Loops != nil {
		p.Repeat = *b.Loops
	}
	if len(b.Teams) > 0 {
		t, err := a.team(b.Teams[0].ID)
		if err != nil {
			return nil, err
		}
		p.Team = t.Name
	}
	if b.Rules != nil {
		p.Levels = []catalog.Level{}
		after := time.Duration(0)
		for _, rule := range b.Rules {
			l := catalog.Level{After: catalog.Duration(after)}
			if s, ok := rule.Strategy.(map[string]any); ok {
				l.RoundRobin = s["type"] == "round_robin"
			}
			for _, t := range rule.Targets {
				target, err := a.target(t)
				if err != nil {
					return nil, err
				}
				l.Targets = append(l.Targets, target)
			}
			p.Levels = append(p.Levels, l)
			after += time.Duration(min(max(rule.Delay, 1), 7*24*60)) * time.Minute
		}
	}
	p, err := a.Catalog.SavePolicy(r.Context(), p)
	if err != nil {
		return nil, err
	}
	return ref{"escalation_policy": a.showPolicy(p)}, nil
}

func (a *API) target(g given) (catalog.Target, error) {
	if strings.HasPrefix(g.Type, "schedule") {
		s, err := a.schedule(g.ID)
		if err != nil {
			return catalog.Target{}, problem.New(problem.Invalid, "there is no schedule %q", clip(g.ID, 100)).WithField("escalation_rules.targets")
		}
		return catalog.Target{Kind: catalog.ToSchedule, Name: s.Name}, nil
	}
	p, err := a.person(g.ID)
	if err != nil {
		return catalog.Target{}, problem.New(problem.Invalid, "there is no user %q", clip(g.ID, 100)).WithField("escalation_rules.targets")
	}
	return catalog.Target{Kind: catalog.ToPerson, Name: p.Name}, nil
}
