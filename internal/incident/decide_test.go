package incident

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/notify"
)

func TestDecideTrigger(t *testing.T) {
	one := Incident{ID: "1", Number: 1, Status: Triggered}
	over := Incident{ID: "2", Number: 2, Status: Resolved}
	for name, tt := range map[string]struct {
		before *seen
		open   *Incident
		want   Decision
	}{
		"first":                        {nil, nil, Decision{Open, "no incident of the same service is open"}},
		"second of the service":        {nil, &one, Decision{Join, "#1 of the same service is open"}},
		"duplicate":                    {&seen{one, true}, &one, Decision{Ignore, "it already fires in #1"}},
		"duplicate after a resolution": {&seen{over, true}, nil, Decision{Ignore, "it already fires in #2"}},
		"flapping":                     {&seen{one, false}, &one, Decision{Rejoin, "it fires again"}},
		"again":                        {&seen{over, false}, nil, Decision{Open, "it fires again after #2 was resolved"}},
		"again, into another":          {&seen{over, false}, &one, Decision{Join, "#1 of the same service is open"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := decideTrigger(tt.before, tt.open, "service"); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestDecideGroup(t *testing.T) {
	const service, rule = "", `{alertname="Down", job="node"}`
	for name, tt := range map[string]struct {
		service        string
		labels         event.Labels
		common, reason string
	}{
		"of a service":      {"checkout", event.Labels{"alertname": "Down", "job": "node"}, service, "service"},
		"of no service":     {"", event.Labels{"alertname": "Down", "job": "node"}, rule, "alertname, job"},
		"other labels":      {"", event.Labels{"alertname": "Down", "job": "node", "instance": "b:9100"}, rule, "alertname, job"},
		"of another place":  {"", event.Labels{"alertname": "Down", "cluster": "eu", "namespace": "web"}, `{alertname="Down", cluster="eu", namespace="web"}`, "alertname, cluster, namespace"},
		"of nothing at all": {"", nil, "", "kind, which name neither a service nor a rule,"},
	} {
		t.Run(name, func(t *testing.T) {
			if common, reason := decideGroup(tt.service, tt.labels); common != tt.common || reason != tt.reason {
				t.Errorf("got %q, %q", common, reason)
			}
		})
	}
}

func TestDecideCleared(t *testing.T) {
	for _, tt := range []struct {
		i      Incident
		firing int
		want   bool
	}{
		{Incident{Status: Triggered}, 0, true},
		{Incident{Status: Acknowledged}, 0, true},
		{Incident{Status: Triggered}, 1, false},
		{Incident{Status: Resolved}, 0, false},
		{Incident{Status: Triggered, OpenedBy: "ada"}, 0, false},
	} {
		if got, reason := decideCleared(tt.i, tt.firing); got != tt.want || reason == "" {
			t.Errorf("%+v with %d firing: %v, %q", tt.i, tt.firing, got, reason)
		}
	}
}

func TestDecideRespond(t *testing.T) {
	for _, tt := range []struct {
		from, to Status
		want     bool
	}{
		{Triggered, Acknowledged, true}, {Triggered, Resolved, true}, {Acknowledged, Resolved, true},
		{Acknowledged, Acknowledged, false}, {Resolved, Acknowledged, false}, {Resolved, Resolved, false},
	} {
		if got, reason := decideRespond(tt.from, tt.to); got != tt.want || got == (reason != "") {
			t.Errorf("%s to %s: %v, %q", tt.from, tt.to, got, reason)
		}
	}
}

func TestDecideFailedEnds(t *testing.T) {
	var total time.Duration
	attempts := 1
	for ; ; attempts++ {
		f := decideFailed(attempts, total, false)
		if f.reason == "" {
			t.Error("no reason")
		}
		if f.exhausted {
			break
		}
		if f.after < firstBackoff || f.after > maxBackoff {
			t.Errorf("attempt %d: wait %s", attempts, f.after)
		}
		total += f.after
	}
	if attempts != maxAttempts || total != 4*time.Minute+3*time.Second {
		t.Errorf("%d attempts over %s", attempts, total)
	}
	for ; ; attempts++ { // it is given up, and still tried for two days
		f := decideFailed(attempts, total, false)
		if !f.exhausted || f.after == 0 {
			break
		}
		if f.after < slowBackoff || f.after > idleBackoff {
			t.Errorf("attempt %d: wait %s", attempts, f.after)
		}
		total += f.after
	}
	if total < keepTrying || total > keepTrying+idleBackoff || attempts > 250 {
		t.Errorf("%d attempts over %s", attempts, total)
	}
	if f := decideFailed(1, 0, true); !f.exhausted || f.after != 0 {
		t.Error("tries again what cannot help")
	}
}

func TestSeverities(t *testing.T) {
	for _, tt := range [][3]string{
		{"warning", "critical", "critical"}, {"critical", "info", "critical"}, {"info", "info", "info"},
		{"warning", "page", "critical"}, {"info", "", "critical"}, {"info", "warning", "warning"},
	} {
		if got := worse(tt[0], tt[1]); got != tt[2] {
			t.Errorf("worse(%q, %q) = %q", tt[0], tt[1], got)
		}
	}
}

// Whatever the policy: the steps end with the last resort, each level comes once a round, and in the first round at its time.
func TestStepsProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := Escalation{Repeat: rapid.IntRange(0, 9).Draw(t, "repeat")}
		at := time.Duration(0)
		for k := range rapid.IntRange(0, 6).Draw(t, "levels") {
			at += time.Duration(rapid.IntRange(1, 900).Draw(t, "gap")) * time.Second
			person := Contact{Name: fmt.Sprint(k), Addresses: []notify.Address{{Channel: notify.Email, To: "x"}}}
			e.Levels = append(e.Levels, Level{After: at, People: []Contact{person}})
		}
		steps := e.steps()
		rounds := 1 + e.Repeat
		if want := rounds*len(e.Levels) + 1; len(steps) != want || steps[len(steps)-1].level != 0 {
			t.Fatalf("%d steps, want %d with the last resort at the end", len(steps), want)
		}
		now := time.Duration(0)
		for k, s := range steps {
			if s.wait < 0 || s.String() == "" || k > 0 && s.wait == 0 {
				t.Fatalf("step %d: %+v", k, s)
			}
			now += s.wait
			if k < len(e.Levels) && (now != e.Levels[k].After || s.level != k+1) {
				t.Fatalf("level %d comes at %s, not %s", s.level, now, e.Levels[k].After)
			}
		}
	})
}
