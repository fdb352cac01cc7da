package alert

import (
	"testing"
	"time"

	"github.com/prometheus/prometheus/rules"
)

func TestJudge(t *testing.T) {
	now := time.Unix(1000, 0)
	for _, c := range []struct {
		name       string
		was        bool
		state      rules.AlertState // StateUnknown: the rule does not know of it
		mayResolve time.Time
		is         bool
		why        string
	}{
		{"new", false, rules.StateFiring, now, true, whyHolds},
		{"new, right after the start", false, rules.StateFiring, now.Add(1), true, whyHolds},
		{"goes on", true, rules.StateFiring, now, true, whySame},
		{"not long enough", false, rules.StatePending, now, false, whyUnnoticed},
		{"not long enough since a restart", true, rules.StatePending, now, true, whyPending},
		{"over", true, rules.StateInactive, now, false, whyGone},
		{"over, and forgotten by the rule", true, rules.StateUnknown, now, false, whyGone},
		{"seems over, right after the start", true, rules.StateUnknown, now.Add(1), true, whySettling},
		{"long over", false, rules.StateInactive, now, false, whyUnnoticed},
	} {
		firing, seen := map[string]*Alert{}, map[string]observation{}
		if c.was {
			firing["print"] = new(Alert)
		}
		if c.state != rules.StateUnknown {
			seen["print"] = observation{state: c.state}
		}
		got := judge(firing, seen, now, c.mayResolve)
		if want := (verdict{"print", c.was, c.is, c.why}); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %+v, want %+v", c.name, got, want)
		}
	}
}
