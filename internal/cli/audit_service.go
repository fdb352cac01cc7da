package cli

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
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
	type entries struct {
		Items []struct {
			Time  time.Time
			Title string
			Data  map[string]string
		}
	}
	var deploys, failures entries
	const newest = "/api/timeline?kind=change&limit=1&service="
	if err := errors.Join(c.get(ctx, newest+of+"&action=deploy", &deploys), c.get(ctx, newest+of+"&action=deploy_failed", &failures)); err != nil {
		return err
	}
	if len(deploys.Items) > 0 {
		e := deploys.Items[0]
		f.Deployed, f.Deploy, f.Stopped = e.Time, e.Title, e.Data["stopped"]
		if graceful, err := strconv.ParseBool(e.Data["graceful"]); err == nil {
			f.Graceful = &graceful
		}
	}
	if len(failures.Items) > 0 {
		f.Failed, f.Failure = failures.Items[0].Time, failures.Items[0].Title
	}
	return nil
}
