package loop

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

const (
	// lookBack is how long before an incident a change can have caused it.
	lookBack = time.Hour
	// halfLife is the time in which suspicion of a change halves.
	halfLife = 15 * time.Minute
	// rise is how much a failing share must grow to count as a rise.
	rise = 0.005
)

// Suspect is a change that may have caused an incident, with its proof.
type Suspect struct {
	Entry   timeline.Entry `json:"entry"`
	Score   float64        `json:"score" minimum:"0" maximum:"1" doc:"how strongly the evidence points to this change"`
	Reasons []string       `json:"reasons" doc:"the evidence in words, strongest first"`
	Action  *Action        `json:"action,omitempty" doc:"what undoes the change, where something does"`
}

// Action undoes a suspected change.
type Action struct {
	Kind     string `json:"kind" enum:"rollback"`
	Workload string `json:"workload"`
	Revision int    `json:"revision" doc:"the revision to go back to"`
	Title    string `json:"title" doc:"what the button says"`
}

// scene is what ranking knows of an incident.
type scene struct {
	service string
	at      time.Time // when it opened
	kin     map[string]relation
}

// shares are the shares of failed requests before and after a change, between
// 0 and 1; known is false where the service was not measured.
type shares struct {
	before, after float64
	known         bool
}

// rank orders the changes before an incident by suspicion. It is pure:
// measured gives what the signals say about each change, in the same order.
func rank(s scene, changes []timeline.Entry, measured []shares) []Suspect {
	suspects := []Suspect{}
	for i, change := range changes {
		before := s.at.Sub(change.Time)
		related, ok := s.kin[change.Service]
		if !ok || before < 0 || before > lookBack {
			continue
		}
		weight, evidence := weigh(s.service, measured[i])
		score := related.strength * weight * math.Exp2(-before.Minutes()/halfLife.Minutes())
		reasons := []string{evidence, related.how, fmt.Sprintf("%s before the incident opened", short(before))}
		if first(change) {
			reasons = append(reasons, "first deploy: nothing to roll back to")
		}
		suspects = append(suspects, Suspect{Entry: change, Score: math.Round(score*100) / 100, Reasons: reasons, Action: undo(change)})
	}
	slices.SortStableFunc(suspects, func(a, b Suspect) int {
		return cmp.Or(firstLast(a, b), cmp.Compare(b.Score, a.Score), b.Entry.Time.Compare(a.Entry.Time))
	})
	for i := 1; i < len(suspects); i++ { // whoever comes later is not more suspect
		suspects[i].Score = min(suspects[i].Score, suspects[i-1].Score)
	}
	return suspects
}

// first tells whether a change is a workload's first deploy: before it there
// was nothing that worked, so something else is the likelier cause of a change
// for the worse, and there is no way back.
func first(change timeline.Entry) bool {
	return change.Action == "deploy" && change.Data["workload"] != "" && change.Data["previousRevision"] == ""
}

// firstLast orders first deploys after all other changes.
func firstLast(a, b Suspect) int {
	switch {
	case first(a.Entry) == first(b.Entry):
		return 0
	case first(a.Entry):
		return 1
	}
	return -1
}

// relation says how strongly a change of a service bears on another: fully on
// itself, less with each dependency between them.
type relation struct {
	strength float64
	how      string
}

// relations are the services whose changes bear on service.
func relations(c *catalog.Catalog, service string) map[string]relation {
	kin := map[string]relation{service: {1, "it changed " + service + " itself"}}
	strength := 1.0
	for level := []string{service}; len(level) > 0; {
		strength *= 0.6
		var next []string
		for _, name := range level {
			s, _ := c.Service(name)
			for _, dep := range s.DependsOn {
				if _, seen := kin[dep]; !seen {
					kin[dep] = relation{strength, fmt.Sprintf("%s depends on %s", service, dep)}
					next = append(next, dep)
				}
			}
		}
		level = next
	}
	return kin
}

// weigh turns the measured shares into a weight and the words for it.
func weigh(service string, m shares) (float64, string) {
	switch {
	case !m.known:
		return 0.7, "failures of " + service + " were not measured around it"
	case m.after-m.before > rise && m.after > 2*m.before:
		return 1, fmt.Sprintf("failed requests of %s rose from %s before it to %s when the incident opened", service, percent(m.before), percent(m.after))
	}
	return 0.3, fmt.Sprintf("failed requests of %s did not rise: %s before it, %s when the incident opened", service, percent(m.before), percent(m.after))
}

func percent(share float64) string { return strconv.FormatFloat(share*100, 'f', 1, 64) + " %" }

// undo returns what takes change back, or nil.
func undo(change timeline.Entry) *Action {
	revision, err := strconv.Atoi(change.Data["previousRevision"])
	workload := change.Data["workload"]
	if err != nil || revision < 1 || workload == "" {
		return nil
	}
	title := "Roll back " + workload
	if v := change.Data["previous"]; v != "" {
		title += " to " + v
	}
	return &Action{Kind: "rollback", Workload: workload, Revision: revision, Title: title}
}

// short prints a duration with the two units that matter.
func short(d time.Duration) string {
	d = d.Round(time.Second)
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
}
