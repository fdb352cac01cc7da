package pagerduty

import (
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func (a *API) serviceRoutes() {
	a.read("/services", a.listServices)
	a.read("/services/{id}", a.getService)
	a.read("/escalation_policies", a.listPolicies)
	a.read("/escalation_policies/{id}", a.getPolicy)
	a.read("/priorities", a.listPriorities)
}

func (a *API) showService(r request, s catalog.Service) (ref, error) {
	id := a.serviceID(s.Name)
	open, _, err := a.Incidents.Find(r.Context(), incident.Search{Services: []string{s.Name}, Limit: 1}, false)
	status, lastAt := "active", any(nil)
	for _, i := range open {
		lastAt = rfc(i.OpenedAt)
		switch {
		case i.Status == incident.Triggered && i.Urgency == "high":
			status = "critical"
		case i.Open():
			status = "warning"
		}
	}
	return ref{"id": id, "type": "service", "summary": s.Name, "name": s.Name, "description": s.Description, "self": a.self("services", id), "html_url": a.PublicURL + "/services/" + s.Name,
		"status": status, "last_incident_timestamp": lastAt, "escalation_policy": a.policyRef(s.EscalationPolicy), "teams": a.teamRefs(s.Name),
		"alert_creation": "create_alerts_and_incidents", "integrations": []any{}}, err
}

func (a *API) listServices(r request) (any, error) {
	p, err := r.page()
	if err != nil {
		return nil, err
	}
	all, search := []catalog.Service{}, strings.ToLower(r.URL.Query().Get("query"))
	for _, s := range a.Catalog.Current().Services {
		if strings.Contains(strings.ToLower(s.Name), search) {
			all = append(all, s)
		}
	}
	out := slice(p, "services", all)
	items := []any{}
	for _, s := range out["services"].([]catalog.Service) {
		shown, err := a.showService(r, s)
		if err != nil {
			return nil, err
		}
		items = append(items, shown)
	}
	out["services"] = items
	return out, nil
}

func (a *API) getService(r request) (any, error) {
	s, ok := a.Catalog.Current().Service(a.serviceName(r.PathValue("id")))
	if !ok {
		return nil, problem.New(problem.NotFound, "there is no service %q", clip(r.PathValue("id"), 100))
	}
	shown, err := a.showService(r, s)
	return ref{"service": shown}, err
}

func (a *API) showPolicy(p catalog.Policy) ref {
	id := a.policyID(p.Name)
	rules, services := []any{}, []any{}
	for i, l := range p.Levels {
		targets := []any{}
		for _, t := range l.Targets {
			targets = append(targets, a.userRef(t))
		}
		delay := 5 * time.Minute
		if i+1 < len(p.Levels) {
			delay = time.Duration(p.Levels[i+1].After - l.After)
		}
		rules = append(rules, ref{"id": id + "." + string(rune('1'+i)), "escalation_delay_in_minutes": max(int(delay.Minutes()), 1), "targets": targets})
	}
	for _, s := range a.Catalog.Current().Services {
		if s.EscalationPolicy == p.Name {
			services = append(services, a.serviceRef(s.Name))
		}
	}
	return ref{"id": id, "type": "escalation_policy", "summary": p.Name, "name": p.Name, "description": "", "self": a.self("escalation_policies", id), "html_url": a.PublicURL,
		"escalation_rules": rules, "num_loops": p.Repeat, "services": services, "teams": []any{}, "on_call_handoff_notifications": "if_has_services"}
}

func (a *API) listPolicies(r request) (any, error) {
	p, err := r.page()
	items, search := []any{}, strings.ToLower(r.URL.Query().Get("query"))
	for _, e := range a.Catalog.Current().Policies {
		if strings.Contains(strings.ToLower(e.Name), search) {
			items = append(items, a.showPolicy(e))
		}
	}
	return slice(p, "escalation_policies", items), err
}

func (a *API) getPolicy(r request) (any, error) {
	p, ok := a.Catalog.Current().Policy(a.policyName(r.PathValue("id")))
	if !ok {
		return nil, problem.New(problem.NotFound, "there is no escalation policy %q", clip(r.PathValue("id"), 100))
	}
	return ref{"escalation_policy": a.showPolicy(p)}, nil
}

func (a *API) listPriorities(r request) (any, error) {
	p, err := r.page()
	items := []any{}
	for _, name := range []string{"P1", "P2", "P3", "P4", "P5"} {
		items = append(items, a.priorityRef(name))
	}
	return slice(p, "priorities", items), err
}
