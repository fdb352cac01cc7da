package audit

import (
	"slices"
	"time"
)

// The factors of a service's readiness for production.
const (
	Ownership  Factor = "owner"
	OnCall     Factor = "on-call"
	Runbook    Factor = "runbook"
	Objectives Factor = "objectives"
	Alerts     Factor = "alerts"
	Dashboards Factor = "dashboards"
	Limits     Factor = "limits"
	Deploys    Factor = "deploys"
	Chaos      Factor = "chaos experiment"
	Restores   Factor = "restore drill"
)

// ServiceFacts are what a running daytwo knows of a service.
type ServiceFacts struct {
	Name, Team, Repository, Runbook, Policy string

	Levels     [][]string // people of the escalation policy, level by level
	Schedules  []string
	Gaps       []Gap // in the next two weeks
	Objectives []Objective
	LastFired  time.Time // last alert of it; zero: never
	Deployed   time.Time // last; zero: never
	Deploy     string    // what that was
	Graceful   *bool     // whether the process that it replaced ended by itself in time; nil: unknown
	Stopped    string    // how that one ended
	Failed     time.Time // last deploy that failed; zero: none
	Failure    string    // what that was
}

// Gap is a time in which nobody is on call.
type Gap struct {
	Schedule   string
	Start, End time.Time
}

// Objective is a service level objective and what is left of its budget.
type Objective struct {
	Name      string
	Percent   float64
	Remaining *float64 // part of the budget; nil: unknown
}

// JudgeService grades whether a service is ready for production, by what is
// known of it.
func JudgeService(f ServiceFacts) Report {
	r := Report{Path: "service " + f.Name}
	for i, x := range []struct {
		factor Factor
		judge  func(ServiceFacts) []Evidence
	}{
		{Ownership, judgeOwner}, {OnCall, judgeOnCall}, {Runbook, judgeRunbook},
		{Objectives, judgeObjectives}, {Alerts, judgeAlerts},
		{Dashboards, unknown("daytwo keeps no dashboards, so it does not know whether there are any")},
		{Limits, unknown("daytwo sets no limits of memory and CPU, so it does not know whether there are any")},
		{Deploys, judgeDeploys},
		{Chaos, unknown("daytwo runs no chaos experiments, so it knows of none that it survived")},
		{Restores, unknown("daytwo makes no restore drills of services, so it knows of none")},
	} {
		evidence := x.judge(f)
		finding := Finding{Number: i + 1, Factor: x.factor, Grade: grade(evidence, true), Evidence: evidence}
		if finding.Grade == Pass {
			r.Passed++
		}
		r.Findings = append(r.Findings, finding)
	}
	return r
}

func judgeOwner(f ServiceFacts) []Evidence {
	var t tale
	if f.Team != "" {
		t.holds("belongs to the team %s", f.Team)
	} else {
		t.breaks("belongs to no team")
	}
	if f.Repository != "" {
		t.note("its source: %s", f.Repository)
	}
	return t
}

func judgeOnCall(f ServiceFacts) []Evidence {
	var t tale
	if f.Policy == "" {
		t.breaks("has no escalation policy: nobody is paged")
		return t
	}
	var people []string
	for _, level := range f.Levels {
		people = append(people, level...)
	}
	slices.Sort(people)
	switch people = slices.Compact(people); {
	case len(people) == 0:
		t.breaks("the policy %s reaches nobody now", f.Policy)
	case len(people) == 1:
		t.weakens("the policy %s reaches %s alone", f.Policy, people[0])
	default:
		t.holds("the policy %s reaches %s, on %d levels", f.Policy, firstOf(people, 5), len(f.Levels))
	}
	for _, g := range f.Gaps {
		t.breaks("nobody is on call in %s from %s to %s", g.Schedule, g.Start.UTC().Format("2006-01-02 15:04"), g.End.UTC().Format(minute))
	}
	if len(f.Schedules) > 0 && len(f.Gaps) == 0 {
		t.holds("no gap within two weeks in %s", firstOf(f.Schedules, 5))
	}
	return t
}

func judgeRunbook(f ServiceFacts) []Evidence {
	var t tale
	if f.Runbook != "" {
		t.holds("%s", f.Runbook)
	} else {
		t.breaks("there is no runbook")
	}
	return t
}

func judgeObjectives(f ServiceFacts) []Evidence {
	var t tale
	if len(f.Objectives) == 0 {
		t.breaks("there is no objective")
	}
	for _, o := range f.Objectives {
		switch {
		case o.Remaining == nil:
			t.untested("%s, %g %%: nothing was measured", o.Name, o.Percent)
		case *o.Remaining < 0:
			t.weakens("%s, %g %%: the error budget is overspent by %.0f %%", o.Name, o.Percent, -100**o.Remaining)
		default:
			t.holds("%s, %g %%: %.0f %% of the error budget is left", o.Name, o.Percent, 100**o.Remaining)
		}
	}
	return t
}

func judgeAlerts(f ServiceFacts) []Evidence {
	var t tale
	if !f.LastFired.IsZero() {
		t.holds("alerts have fired, the last at %s", f.LastFired.UTC().Format(minute))
	} else {
		t.untested("no alert of it is known to have fired")
	}
	return t
}

func judgeDeploys(f ServiceFacts) []Evidence {
	var t tale
	if f.Deployed.IsZero() {
		t.untested("no deploy of it is on the timeline")
	} else {
		t.holds("%s at %s", f.Deploy, f.Deployed.UTC().Format(minute))
		switch {
		case f.Graceful == nil:
			t.untested("how the process before it ended: that is known of deploys by daytwo that replaced a running process")
		case *f.Graceful:
			t.holds("the process before it %s", f.Stopped)
		default:
			t.weakens("the process before it %s", f.Stopped)
		}
	}
	if f.Failed.After(f.Deployed) {
		t.weakens("%s at %s", f.Failure, f.Failed.UTC().Format(minute))
	}
	return t
}

// unknown is a factor of which nothing is known, and why.
func unknown(why string) func(ServiceFacts) []Evidence {
	return func(ServiceFacts) []Evidence {
		var t tale
		t.untested("%s", why)
		return t
	}
}

const minute = "2006-01-02 15:04 UTC"
