package pagerduty

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/schedule"
)

func (a *API) serviceRoutes() {
	a.read("/services", a.listServices)
	a.read("/services/{id}", a.getService)
	a.route("POST /services", auth.Operator, "service.create", a.saveService)
	a.route("PUT /services/{id}", auth.Operator, "service.change", a.saveService)
	a.route("DELETE /services/{id}", auth.Operator, "service.remove", func(r request) (any, error) {
		s, err := a.service(r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		return nil, a.Catalog.Delete(r.Context(), catalog.KindService, s.ID)
	})
	a.read("/services/{id}/integrations/{integration}", func(r request) (any, error) {
		s, at, err := a.integration(r)
		if err != nil {
			return nil, err
		}
		return ref{"integration": a.showIntegration(r, s, s.Integrations[at])}, nil
	})
	a.route("POST /services/{id}/integrations", auth.Operator, "integration.create", a.saveIntegration)
	a.route("PUT /services/{id}/integrations/{integration}", auth.Operator, "integration.change", a.saveIntegration)
	a.route("DELETE /services/{id}/integrations/{integration}", auth.Operator, "integration.remove", func(r request) (any, error) {
		s, at, err := a.integration(r)
		if err != nil {
			return nil, err
		}
		s.Integrations = slices.Delete(slices.Clone(s.Integrations), at, at+1)
		_, err = a.Catalog.SaveService(r.Context(), s)
		return nil, err
	})
	a.policyRoutes()
	a.maintenanceRoutes()
	a.read("/priorities", func(r request) (any, error) {
		p, err := r.page()
		items := []any{}
		for _, x := range a.Catalog.Current().Priorities {
			items = append(items, ref{"id": x.ID, "type": "priority", "summary": x.Name, "name": x.Name, "description": x.Description, "color": x.Color,
				"self": a.self("priorities", x.ID), "html_url": nil})
		}
		return slice(p, "priorities", items), err
	})
}

func (a *API) showService(r request, s catalog.Service) (ref, error) {
	latest, _, err := a.Incidents.Find(r.Context(), incident.Search{Services: []string{s.Name}, Limit: 1}, false)
	open, _, failed := a.Incidents.Find(r.Context(), incident.Search{Services: []string{s.Name}, Statuses: []string{"triggered", "acknowledged"}, Limit: 100}, false)
	status, lastAt := "active", any(nil)
	for _, i := range open {
		if status == "active" {
			status = "warning"
		}
		if i.Status == incident.Triggered && i.Urgency == "high" {
			status = "critical"
		}
	}
	if _, ok := a.Catalog.Current().InMaintenance(s.Name, time.Now()); ok {
		status = "maintenance"
	}
	for _, i := range latest {
		lastAt = rfc(i.OpenedAt)
	}
	integrations := []any{}
	for _, i := range s.Integrations {
		integrations = append(integrations, a.showIntegration(r, s, i))
	}
	out := ref{"id": s.ID, "type": "service", "summary": s.Name, "name": s.Name, "description": s.Description, "self": a.self("services", s.ID), "html_url": a.PublicURL + "/services/" + s.Name,
		"status": status, "last_incident_timestamp": lastAt, "escalation_policy": a.policyRef(s.EscalationPolicy), "teams": a.teamRefs(s.Name),
		"alert_creation": "create_alerts_and_incidents", "integrations": integrations, "acknowledgement_timeout": seconds(s.AckTimeout), "auto_resolve_timeout": seconds(s.AutoResolve),
		"alert_grouping_parameters": showGrouping(s.Grouping), "support_hours": showHours(s.SupportHours), "scheduled_actions": []any{}, "addons": []any{}, "response_play": nil}
	out["incident_urgency_rule"] = showUrgency(s)
	if err == nil {
		err = failed
	}
	return out, err
}

func seconds(d catalog.Duration) any {
	if d == 0 {
		return nil
	}
	return int64(time.Duration(d).Seconds())
}

func showUrgency(s catalog.Service) ref {
	urgency := func(u string) string {
		if u == catalog.BySeverity {
			return "severity_based"
		}
		return cmp.Or(u, "high")
	}
	if h := s.SupportHours; h != nil {
		return ref{"type": "use_support_hours", "during_support_hours": ref{"type": "constant", "urgency": urgency(s.Urgency)},
			"outside_support_hours": ref{"type": "constant", "urgency": cmp.Or(h.Outside, "low")}}
	}
	return ref{"type": "constant", "urgency": urgency(s.Urgency)}
}

// showHours shows windows that are the same on every day they are on: all that the original can say.
func showHours(h *catalog.SupportHours) any {
	if h == nil || len(h.Windows) == 0 {
		return nil
	}
	days := []int{}
	for _, w := range h.Windows {
		if !w.Weekly {
			days = []int{1, 2, 3, 4, 5, 6, 7}
			break
		}
		day := int(w.Weekday)
		if day == 0 {
			day = 7
		}
		days = append(days, day)
	}
	slices.Sort(days)
	w := h.Windows[0]
	return ref{"type": "fixed_time_per_day", "time_zone": h.TimeZone, "start_time": clock(w.Start), "end_time": clock((w.Start + w.Duration) % 86400), "days_of_week": days}
}

func clock(seconds int) string {
	return time.Unix(int64(seconds), 0).UTC().Format(time.TimeOnly)
}

func showGrouping(g *catalog.Grouping) any {
	switch {
	case g == nil:
		return ref{"type": "time", "config": ref{"timeout": 0}}
	case slices.Equal(g.By, []string{incident.DedupKeyField}):
		return ref{"type": nil, "config": nil}
	case len(g.By) == 0:
		return ref{"type": "time", "config": ref{"timeout": int(time.Duration(g.Within).Minutes())}}
	}
	return ref{"type": "content_based", "config": ref{"aggregate": "all", "fields": g.By, "time_window": int(time.Duration(g.Within).Seconds())}}
}

func (a *API) listServices(r request) (any, error) {
	p, err := r.page()
	if err != nil {
		return nil, err
	}
	all, search, teams := []catalog.Service{}, strings.ToLower(r.URL.Query().Get("query")), r.values("team_ids")
	for _, s := range a.Catalog.Current().Services {
		if strings.Contains(strings.ToLower(s.Name), search) && (len(teams) == 0 || s.Team != "" && slices.Contains(teams, a.teamID(s.Team))) {
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
	s, err := a.service(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	shown, err := a.showService(r, s)
	return ref{"service": shown}, err
}

// serviceBody is what clients say of a service.
type serviceBody struct {
	Name        string  `json:"name"`
	Description *string `json:"description"`
	Policy      *given  `json:"escalation_policy"`
	Teams       []given `json:"teams"`
	AckTimeout  *int64  `json:"acknowledgement_timeout"`
	AutoResolve *int64  `json:"auto_resolve_timeout"`
	Urgency     *struct {
		Type    string `json:"type"`
		Urgency string `json:"urgency"`
		During  *struct {
			Urgency string `json:"urgency"`
		} `json:"during_support_hours"`
		Outside *struct {
			Urgency string `json:"urgency"`
		} `json:"outside_support_hours"`
	} `json:"incident_urgency_rule"`
	Hours *struct {
		TimeZone string `json:"time_zone"`
		Start    string `json:"start_time"`
		End      string `json:"end_time"`
		Days     []int  `json:"days_of_week"`
	} `json:"support_hours"`
	Grouping *struct {
		Type   *string `json:"type"`
		Config *struct {
			Timeout    *int64   `json:"timeout"` // minutes
			TimeWindow *int64   `json:"time_window"`
			Fields     []string `json:"fields"`
		} `json:"config"`
	} `json:"alert_grouping_parameters"`
	Integrations []struct {
		Name string `json:"name"`
		Type string `json:"type"`
	} `json:"integrations"`
}

func (a *API) saveService(r request) (any, error) {
	var in struct {
		Service *serviceBody `json:"service"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if in.Service == nil {
		return nil, problem.New(problem.Invalid, "there is no service in the body").WithField("service")
	}
	var s catalog.Service
	if id := r.PathValue("id"); id != "" {
		var err error
		if s, err = a.service(id); err != nil {
			return nil, err
		}
	}
	if err := a.applyService(&s, *in.Service); err != nil {
		return nil, err
	}
	s, err := a.Catalog.SaveService(r.Context(), s)
	if err != nil {
		return nil, err
	}
	shown, err := a.showService(r, s)
	return ref{"service": shown}, err
}

// maxName is how much of the name of an integration is kept, in bytes before the sign that it was cut: the catalog takes 100.
const maxName = 100 - len("…")

func (a *API) applyService(s *catalog.Service, b serviceBody) error {
	s.Name = cmp.Or(strings.TrimSpace(b.Name), s.Name)
	if b.Description != nil {
		s.Description = *b.Description
	}
	if b.Policy.id() != "" {
		p, err := a.policy(b.Policy.ID)
		if err != nil {
			return problem.New(problem.Invalid, "there is no escalation policy %q", clip(b.Policy.ID, 100)).WithField("service.escalation_policy")
		}
		s.EscalationPolicy = p.Name
	}
	if len(b.Teams) > 0 {
		t, err := a.team(b.Teams[0].ID)
		if err != nil {
			return err
		}
		s.Team = t.Name
	}
	for given, to := range map[*int64]*catalog.Duration{b.AckTimeout: &s.AckTimeout, b.AutoResolve: &s.AutoResolve} {
		if given != nil {
			*to = catalog.Duration(min(time.Duration(min(max(*given, 0), 1<<31))*time.Second, catalog.MaxTimeout))
		}
	}
	if u := b.Urgency; u != nil {
		s.Urgency = strings.TrimSuffix(u.Urgency, "_based")
		if u.Type == "use_support_hours" {
			if u.During != nil {
				s.Urgency = strings.TrimSuffix(u.During.Urgency, "_based")
			}
		} else if b.Hours == nil {
			s.SupportHours = nil
		}
	}
	if b.Hours != nil {
		h, err := b.hours()
		if err != nil {
			return err
		}
		s.SupportHours = h
	}
	if g := b.Grouping; g != nil {
		s.Grouping = &catalog.Grouping{By: []string{incident.DedupKeyField}} // no grouping: every alert its own incident
		if g.Type != nil && *g.Type != "" {
			s.Grouping.By = []string{}
			if c := g.Config; c != nil {
				s.Grouping.By = slices.DeleteFunc(append(s.Grouping.By, c.Fields...), func(f string) bool { return f == "" })
				if c.Timeout != nil {
					s.Grouping.Within = catalog.Duration(time.Duration(min(max(*c.Timeout, 0), 1<<20)) * time.Minute)
				}
				if c.TimeWindow != nil {
					s.Grouping.Within = catalog.Duration(time.Duration(min(max(*c.TimeWindow, 0), 1<<26)) * time.Second)
				}
			}
		}
	}
	for _, i := range b.Integrations {
		s.Integrations = append(slices.Clone(s.Integrations), catalog.Integration{Name: clip(cmp.Or(i.Name, i.Type, "events"), maxName), Type: strings.TrimSuffix(i.Type, "_integration")})
	}
	return nil
}

// hours are the support hours of a body.
func (b serviceBody) hours() (*catalog.SupportHours, error) {
	start, err := time.Parse(time.TimeOnly, b.Hours.Start)
	end, failed := time.Parse(time.TimeOnly, b.Hours.End)
	if err != nil || failed != nil {
		return nil, problem.New(problem.Invalid, "%q to %q are no times of a day", clip(b.Hours.Start, 20), clip(b.Hours.End, 20)).
			WithField("service.support_hours").WithMend("write them as 09:00:00")
	}
	from := start.Hour()*3600 + start.Minute()*60 + start.Second()
	length := int(end.Sub(start).Seconds())
	if length <= 0 {
		length += 24 * 3600
	}
	h := &catalog.SupportHours{TimeZone: b.Hours.TimeZone, Outside: "low"}
	if b.Urgency != nil && b.Urgency.Outside != nil {
		if h.Outside = cmp.Or(b.Urgency.Outside.Urgency, catalog.Low); h.Outside == "severity_based" {
			h.Outside = catalog.High // there is no such choice outside of the hours: nobody is left out
		}
	}
	for _, day := range b.Hours.Days {
		if day < 1 || day > 7 {
			return nil, problem.New(problem.Invalid, "%d is no day of a week", day).WithField("service.support_hours.days_of_week").WithMend("1 is Monday, 7 is Sunday")
		}
		h.Windows = append(h.Windows, schedule.Restriction{Weekly: true, Weekday: time.Weekday(day % 7), Start: from, Duration: length})
	}
	return h, nil
}

func (a *API) integration(r request) (s catalog.Service, at int, err error) {
	if s, err = a.service(r.PathValue("id")); err != nil {
		return s, 0, err
	}
	at = slices.IndexFunc(s.Integrations, func(i catalog.Integration) bool { return i.ID == r.PathValue("integration") })
	if at < 0 {
		err = none("integration", r.PathValue("integration"))
	}
	return s, at, err
}

// showIntegration shows the key to those who may change the service alone.
func (a *API) showIntegration(r request, s catalog.Service, i catalog.Integration) ref {
	key := i.Key
	if auth.FromContext(r.Context()).Allows(auth.Operator) != nil && len(key) > 8 {
		key = key[:4] + "…"
	}
	kind := cmp.Or(i.Type, "events_api_v2_inbound")
	return ref{"id": i.ID, "type": strings.TrimSuffix(kind, "_integration") + "_integration", "summary": i.Name, "name": i.Name, "integration_key": key,
		"self": a.self("services", s.ID+"/integrations/"+i.ID), "html_url": nil, "service": a.serviceRef(s.Name), "vendor": nil}
}

func (a *API) saveIntegration(r request) (any, error) {
	var in struct {
		Integration *struct {
			Name string `json:"name"`
			Type string `json:"type"`
		} `json:"integration"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if in.Integration == nil {
		return nil, problem.New(problem.Invalid, "there is no integration in the body").WithField("integration")
	}
	var s catalog.Service
	var at int
	var err error
	if r.PathValue("integration") != "" {
		s, at, err = a.integration(r)
	} else if s, err = a.service(r.PathValue("id")); err == nil {
		at = len(s.Integrations)
		s.Integrations = append(slices.Clone(s.Integrations), catalog.Integration{Type: strings.TrimSuffix(in.Integration.Type, "_integration")})
	}
	if err != nil {
		return nil, err
	}
	s.Integrations = slices.Clone(s.Integrations)
	s.Integrations[at].Name = clip(cmp.Or(in.Integration.Name, s.Integrations[at].Name, in.Integration.Type, "events"), maxName)
	if s, err = a.Catalog.SaveService(r.Context(), s); err != nil {
		return nil, err
	}
	return ref{"integration": a.showIntegration(r, s, s.Integrations[at])}, nil
}
