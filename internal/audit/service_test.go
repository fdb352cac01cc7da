package audit

import (
	"slices"
	"testing"
	"time"
)

func TestJudgeService(t *testing.T) {
	left, over, yes, no := 0.5, -0.2, true, false
	ready := func() ServiceFacts {
		return ServiceFacts{
			Name: "web", Team: "web", Runbook: "https://runbooks.example.org/web", Policy: "web",
			Levels: [][]string{{"ada"}, {"linus"}}, Schedules: []string{"primary"},
			Objectives: []Objective{{"availability", 99.9, &left}}, LastFired: time.Unix(0, 0),
			Deployed: time.Unix(100, 0), Deploy: "web v2", Graceful: &yes, Stopped: "ended",
		}
	}
	for _, x := range []struct {
		name   string
		change func(*ServiceFacts)
		factor Factor
		want   Grade
	}{
		{"all is known", func(*ServiceFacts) {}, "", Pass},
		{"no team", func(f *ServiceFacts) { f.Team = "" }, Ownership, Fail},
		{"no policy", func(f *ServiceFacts) { f.Policy = "" }, OnCall, Fail},
		{"nobody", func(f *ServiceFacts) { f.Levels = [][]string{{}} }, OnCall, Fail},
		{"one person twice", func(f *ServiceFacts) { f.Levels = [][]string{{"ada"}, {"ada"}} }, OnCall, Partial},
		{"a gap", func(f *ServiceFacts) { f.Gaps = []Gap{{Schedule: "primary"}} }, OnCall, Fail},
		{"no runbook", func(f *ServiceFacts) { f.Runbook = "" }, Runbook, Fail},
		{"no objective", func(f *ServiceFacts) { f.Objectives = nil }, Objectives, Fail},
		{"nothing measured", func(f *ServiceFacts) { f.Objectives[0].Remaining = nil }, Objectives, NotTested},
		{"overspent", func(f *ServiceFacts) { f.Objectives[0].Remaining = &over }, Objectives, Partial},
		{"silent alerts", func(f *ServiceFacts) { f.LastFired = time.Time{} }, Alerts, NotTested},
		{"killed", func(f *ServiceFacts) { f.Graceful = &no }, Deploys, Partial},
		{"unknown how it ended", func(f *ServiceFacts) { f.Graceful = nil }, Deploys, Partial},
		{"a failed deploy since", func(f *ServiceFacts) { f.Failed = time.Unix(200, 0) }, Deploys, Partial},
		{"a failed deploy before", func(f *ServiceFacts) { f.Failed = time.Unix(50, 0) }, "", Pass},
		{"never deployed", func(f *ServiceFacts) { f.Deployed = time.Time{} }, Deploys, NotTested},
	} {
		f := ready()
		x.change(&f)
		for _, got := range JudgeService(f).Findings {
			want := Pass
			switch {
			case got.Factor == x.factor:
				want = x.want
			case slices.Contains([]Factor{Dashboards, Limits, Chaos, Restores}, got.Factor):
				want = NotTested // never guessed
			}
			if got.Grade != want {
				t.Errorf("%s: %s is %s, want %s", x.name, got.Factor, got.Grade, want)
			}
		}
	}
}
