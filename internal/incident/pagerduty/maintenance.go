package pagerduty

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func (a *API) maintenanceRoutes() {
	a.read("/maintenance_windows", a.listMaintenance)
	a.read("/maintenance_windows/{id}", func(r request) (any, error) {
		m, err := a.maintenance(r.PathValue("id"))
		return ref{"maintenance_window": a.showMaintenance(m)}, err
	})
	a.route("POST /maintenance_windows", auth.Responder, "maintenance.create", a.saveMaintenance)
	a.route("PUT /maintenance_windows/{id}", auth.Responder, "maintenance.change", a.saveMaintenance)
	a.route("DELETE /maintenance_windows/{id}", auth.Responder, "maintenance.remove", func(r request) (any, error) {
		m, err := a.maintenance(r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		if now := time.Now(); m.Start.Before(now) && m.End.After(now) { // under way: it ends now, and what it kept back pages
			m.End = now.UTC().Truncate(time.Microsecond)
			_, err = a.Catalog.SaveMaintenance(r.Context(), m)
		} else {
			err = a.Catalog.Delete(r.Context(), catalog.KindMaintenance, m.ID)
		}
		if err != nil {
			return nil, err
		}
		return nil, a.Incidents.MaintenanceChanged(r.Context())
	})
}

func (a *API) maintenance(id string) (catalog.Maintenance, error) {
	m, ok := byRef(a.Catalog.Current().Maintenance, func(m catalog.Maintenance) (string, string) { return m.ID, m.ID }, id)
	if !ok {
		return m, none("maintenance window", id)
	}
	return m, nil
}

func (a *API) showMaintenance(m catalog.Maintenance) ref {
	services := []any{}
	for _, s := range m.Services {
		services = append(services, a.serviceRef(s))
	}
	return ref{"id": m.ID, "type": "maintenance_window", "summary": cmp.Or(m.Name, m.Description), "self": a.self("maintenance_windows", m.ID), "html_url": a.PublicURL,
		"sequence_number": 1, "start_time": rfc(m.Start), "end_time": rfc(m.End), "description": m.Description, "services": services, "teams": []any{}, "created_by": a.agentRef(m.By)}
}

func (a *API) listMaintenance(r request) (any, error) {
	p, err := r.page()
	items, now, services, filter := []any{}, time.Now(), r.values("service_ids"), r.URL.Query().Get("filter")
	for _, m := range a.Catalog.Current().Maintenance {
		state := "ongoing"
		switch {
		case !m.End.After(now):
			state = "past"
		case m.Start.After(now):
			state = "future"
		}
		fits := filter == "" || filter == "all" || filter == state || filter == "open" && state != "past"
		if fits && (len(services) == 0 || slices.ContainsFunc(m.Services, func(s string) bool { return slices.Contains(services, a.serviceID(s)) })) {
			items = append(items, a.showMaintenance(m))
		}
	}
	return slice(p, "maintenance_windows", items), err
}

// saveMaintenance makes or changes a window. Clients send a change without its wrapper.
func (a *API) saveMaintenance(r request) (any, error) {
	type body struct {
		Start       string  `json:"start_time"`
		End         string  `json:"end_time"`
		Description *string `json:"description"`
		Services    []given `json:"services"`
	}
	var wrapped struct {
		Window json.RawMessage `json:"maintenance_window"`
	}
	if err := r.decode(&wrapped); err != nil {
		return nil, err
	}
	if wrapped.Window != nil {
		r.body = wrapped.Window
	}
	var b body
	if err := r.decode(&b); err != nil {
		return nil, err
	}
	m := catalog.Maintenance{By: a.actor(r)}
	var err error
	if id := r.PathValue("id"); id != "" {
		if m, err = a.maintenance(id); err != nil {
			return nil, err
		}
	}
	for _, t := range []struct {
		name, text string
		to         *time.Time
	}{{"start_time", b.Start, &m.Start}, {"end_time", b.End, &m.End}} {
		if t.text != "" {
			if *t.to, err = parseTime(t.name, t.text); err != nil {
				return nil, err
			}
		}
	}
	if b.Description != nil {
		m.Description = *b.Description
	}
	if b.Services != nil {
		m.Services = names(b.Services, a.serviceName)
	}
	if m.End.IsZero() || m.Start.IsZero() || strings.TrimSpace(b.Start+b.End) == "" && r.PathValue("id") == "" {
		return nil, problem.New(problem.Invalid, "a maintenance window has a start_time and an end_time").WithField("start_time")
	}
	m, err = a.Catalog.SaveMaintenance(r.Context(), m)
	if err != nil {
		return nil, err
	}
	return ref{"maintenance_window": a.showMaintenance(m)}, a.Incidents.MaintenanceChanged(r.Context())
}
