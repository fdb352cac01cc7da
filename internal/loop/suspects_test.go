package loop

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

var opened = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func shopScene() scene {
	return scene{service: "checkout", at: opened, kin: relations(&catalog.Catalog{Services: []catalog.Service{
		{Name: "storefront", DependsOn: []string{"checkout"}},
		{Name: "checkout", DependsOn: []string{"payments"}},
		{Name: "payments", DependsOn: []string{"bank"}},
		{Name: "bank"},
		{Name: "catalog"},
	}}, "checkout")}
}

func deploy(service string, before time.Duration) timeline.Entry {
	return timeline.Entry{
		Service: service, Time: opened.Add(-before), Kind: timeline.Change, Action: "deploy",
		Data: map[string]string{"workload": service, "version": "v2", "previous": "v1", "revision": "2", "previousRevision": "1"},
	}
}

func TestRank(t *testing.T) {
	rose := shares{before: 0.001, after: 0.12, known: true}
	flat := shares{before: 0.12, after: 0.12, known: true}
	tests := []struct {
		name     string
		changes  []timeline.Entry
		measured []shares
		want     []string // services, most suspect first
	}{
		{"the service's own change before its dependency's", []timeline.Entry{deploy("payments", time.Minute), deploy("checkout", time.Minute)}, []shares{rose, rose}, []string{"checkout", "payments"}},
		{"the newer of two equal ones", []timeline.Entry{deploy("checkout", 20*time.Minute), deploy("payments", 5*time.Second)}, []shares{rose, rose}, []string{"payments", "checkout"}},
		{"what the failures followed", []timeline.Entry{deploy("checkout", time.Minute), deploy("payments", 2*time.Minute)}, []shares{flat, rose}, []string{"payments", "checkout"}},
		{"a dependency of a dependency", []timeline.Entry{deploy("bank", time.Minute)}, []shares{rose}, []string{"bank"}},
		{"not what does not bear on it", []timeline.Entry{deploy("catalog", time.Minute), deploy("storefront", time.Minute)}, []shares{rose, rose}, nil},
		{"not what came after, or long before", []timeline.Entry{deploy("checkout", -time.Second), deploy("checkout", 2*time.Hour)}, []shares{rose, rose}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range rank(shopScene(), tt.changes, tt.measured) {
				got = append(got, s.Entry.Service)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestReasonsAndAction(t *testing.T) {
	got := rank(shopScene(), []timeline.Entry{deploy("checkout", 41*time.Second)}, []shares{{before: 0, after: 0.113, known: true}})[0]
	want := []string{
		"failed requests of checkout rose from 0.0 % before it to 11.3 % when the incident opened",
		"it changed checkout itself",
		"41 s before the incident opened",
	}
	if !slices.Equal(got.Reasons, want) {
		t.Errorf("reasons %q", got.Reasons)
	}
	if got.Action == nil || got.Action.Revision != 1 || got.Action.Title != "Roll back checkout to v1" {
		t.Errorf("action %+v", got.Action)
	}
}

func TestFirstDeployHasNothingToGoBackTo(t *testing.T) {
	first := deploy("checkout", time.Minute)
	delete(first.Data, "previousRevision")
	alone := rank(shopScene(), []timeline.Entry{first}, []shares{{}})[0]
	if alone.Action != nil || !slices.Contains(alone.Reasons, "first deploy: nothing to roll back to") {
		t.Errorf("offers %+v, says %q", alone.Action, alone.Reasons)
	}
	changed := deploy("payments", 50*time.Minute)
	rose, flat := shares{before: 0, after: 1, known: true}, shares{known: true}
	got := rank(shopScene(), []timeline.Entry{first, changed}, []shares{rose, flat})
	if got[0].Entry.Service != "payments" || got[1].Score > got[0].Score {
		t.Errorf("the first deploy comes before a change of what ran: %+v", got)
	}
}

// Whatever the changes are, scores are in range and ordered, and every suspect
// says why.
func TestRankProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "n")
		changes, measured := make([]timeline.Entry, n), make([]shares, n)
		for i := range n {
			service := rapid.SampledFrom([]string{"checkout", "payments", "bank", "catalog", "unknown"}).Draw(t, "service")
			changes[i] = deploy(service, time.Duration(rapid.Int64Range(-100, 5000).Draw(t, "seconds"))*time.Second)
			if rapid.Bool().Draw(t, "first") {
				delete(changes[i].Data, "previousRevision")
			}
			measured[i] = shares{rapid.Float64Range(0, 1).Draw(t, "before"), rapid.Float64Range(0, 1).Draw(t, "after"), rapid.Bool().Draw(t, "known")}
		}
		last := 1.0
		for _, s := range rank(shopScene(), changes, measured) {
			if s.Score < 0 || s.Score > last {
				t.Fatalf("score %v after %v", s.Score, last)
			}
			if len(s.Reasons) < 3 || slices.ContainsFunc(s.Reasons, func(r string) bool { return strings.TrimSpace(r) == "" }) {
				t.Fatalf("reasons %q", s.Reasons)
			}
			last = s.Score
		}
	})
}
