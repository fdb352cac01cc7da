package incident

import "time"

// EndAlerts is what ends the alerts of an incident.
const EndAlerts = endAlerts

// Unhurried has one transaction take all that there is to do, before Run.
func (s *Incidents) Unhurried() { s.budget = time.Hour }

// Try compiles a rule and asks it about an event with these details.
func (r Rule) Try(details map[string]any) Verdict {
	c, err := r.compile()
	if err != nil {
		return Verdict{Errors: []string{err.Error()}}
	}
	return judge([]compiled{c}, Trigger{Title: "t", Fields: Fields{Details: details}}.env(time.Unix(0, 0)))
}

// Ring makes the pager look at a clock that a test moved.
func (s *Incidents) Ring() { s.ring() }
