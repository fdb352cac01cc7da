package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

type serviceBody struct {
	Name             string            `json:"name"`
	Description      string            `json:"description,omitempty"`
	Team             string            `json:"team,omitempty"`
	EscalationPolicy string            `json:"escalationPolicy,omitempty" doc:"absent: its incidents page the last resort"`
	Repository       string            `json:"repository,omitempty"`
	Runbook          string            `json:"runbook,omitempty"`
	DependsOn        []string          `json:"dependsOn,omitempty"`
	Urgency          string            `json:"urgency,omitempty" enum:"high,low,severity" doc:"severity: low for warnings and information; absent: high"`
	SupportHours     *SupportHours     `json:"supportHours,omitempty"`
	Integrations     []integrationBody `json:"integrations,omitempty" doc:"the keys by which events reach it: one that is left out opens nothing any more"`
	AckTimeout       Duration          `json:"ackTimeout,omitempty"`
	AutoResolve      Duration          `json:"autoResolve,omitempty"`
	Grouping         *Grouping         `json:"grouping,omitempty"`
}

type integrationBody struct {
	ID   string `json:"id,omitempty" doc:"of one that stays; absent: a new one"`
	Name string `json:"name"`
	Type string `json:"type,omitempty"`
	Key  string `json:"key,omitempty" doc:"16 to 64 letters and digits; absent: the one it has, or a new one"`
}

func (l *Live) saveService(ctx context.Context, w which, b serviceBody) (Service, error) {
	s := Service{ID: w.id, Saved: w.seen, Name: b.Name, Description: b.Description, Team: b.Team, EscalationPolicy: b.EscalationPolicy,
		Repository: b.Repository, Runbook: b.Runbook, DependsOn: b.DependsOn, Urgency: b.Urgency, SupportHours: b.SupportHours,
		AckTimeout: b.AckTimeout, AutoResolve: b.AutoResolve, Grouping: b.Grouping}
	for _, i := range b.Integrations {
		s.Integrations = append(s.Integrations, Integration(i))
	}
	return l.SaveService(ctx, s)
}

// completeService fills in what a service that is saved leaves out.
func completeService(before *Service, s Service, _ time.Time) (Service, error) {
	if before == nil {
		before = &Service{}
	}
	usual := Signals{}.orDefault(before.Name)
	if s.Signals == (Signals{}) {
		s.Signals = before.Signals
	}
	if s.Signals == usual { // they follow its name
		s.Signals = Signals{}
	}
	s.Signals = s.Signals.orDefault(s.Name)
	if s.SLOs == nil {
		s.SLOs = before.SLOs
	}
	s.DependsOn, s.SLOs = append([]string{}, s.DependsOn...), append([]SLO{}, s.SLOs...)
	s.Integrations = append([]Integration{}, s.Integrations...)
	for i := range s.Integrations {
		n := &s.Integrations[i]
		known := slices.IndexFunc(before.Integrations, func(o Integration) bool { return o.ID == n.ID })
		switch {
		case n.ID == "":
			n.ID = newID()
		case known < 0:
			return s, refuse(fmt.Sprintf("integrations[%d].id", i), "leave it out, and a new one is made", "the service has no integration %q", shorten(n.ID))
		default:
			n.Key = cmp.Or(n.Key, before.Integrations[known].Key)
		}
		n.Key = cmp.Or(n.Key, newKey())
	}
	return s, nil
}
