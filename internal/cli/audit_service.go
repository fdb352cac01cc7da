package cli

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/daytwo-dev/daytwo/internal/audit"
)

// serviceFacts asks a server what it knows of a service.
func serviceFacts(ctx context.Context, c *client, name string) (audit.ServiceFacts, error) {
	var service struct {
		Name, Team, Repository, Runbook, EscalationPolicy string
	}
	if err := c.get(ctx, "/api/services/"+url.PathEscape(name), &service); err != nil {
		return audit.ServiceFacts{}, err
	}
	f := audit.ServiceFacts{
		Name: service.Name, Team: service.Team, Repository: service.Repository, Runbook: service.Runbook, Policy: service.EscalationPolicy,
	}
	of := url.QueryEscape(service.Name)
	for _, ask := range []func(context.Context, *client, *audit.ServiceFacts, string) error{onCallFacts, objectiveFacts, alertFacts, deployFacts} {
		if err := ask(ctx, c, &f, of); err != nil {
			return f, err
		}
	}
	return f, nil
}

func onCallFacts(ctx context.Context, c *client, f *audit.ServiceFacts, _ string) error {
	var policies struct {
		Items []struct {
			Policy string
			Levels []struct{ People []string }
		}
	}
	if err := c.get(ctx, "/api/oncalls", &policies); err != nil {
		return err
	}
	for _, p := range policies.Items {
		if p.Policy == f.Policy {
			for _, l := range p.Levels {
				f.Levels = append(f.Levels, l.People)
			}
		}
	}
	var schedules struct{ Items []scheduleNow }
	if err := c.get(ctx, "/api/oncall", &schedules); err != nil {
		return err
	}
	for _, s := range schedules.Items {
		if !slices.Contains(s.Services, f.Name) {
			continue
		}
		f.Schedules = append(f.Schedules, s.Schedule)
		for _, g := range s.Gaps {
			f.Gaps = append(f.Gaps, audit.Gap{Schedule: s.Schedule, Start: g.Start, End: g.End})
		}
	}
	return nil
}

func objectiveFacts(ctx context.Context, c *client, f *audit.ServiceFacts, of string) error {
	var slos struct {
		Items []struct {
			Name            string
			Objective       float64
			BudgetRemaining *float64
		}
	}
	err := c.get(ctx, "/api/slos?service="+of, &slos)
	for _, o := range slos.Items {
		f.Objectives = append(f.Objectives, audit.Objective{Name: o.Name, Percent: o.Objective, Remaining: o.BudgetRemaining})
	}
	return err
}

func alertFacts(ctx context.Context, c *client, f *audit.ServiceFacts, of string) error {
	var alerts struct {
		Items []struct{ StartsAt time.Time }
	}
	err := c.get(ctx, "/api/alerts?limit=1&service="+of, &alerts)
	if len(alerts.Items) > 0 { // the newest is the first
		f.LastFired = alerts.Items[0].StartsAt
	}
	return err
}

func deployFacts(ctx context.Context, c *client, f *audit.ServiceFacts, of string) error {
	var entries struct {
		Items []struct {
			Time  time.Time
			Title string
		}
	}
	err := c.get(ctx, "/api/timeline?kind=change&action=deploy&limit=1&service="+of, &entries)
	if len(entries.Items) > 0 {
		f.Deployed, f.Deploy = entries.Items[0].Time, entries.Items[0].Title
	}
	return err
}
