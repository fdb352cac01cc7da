package incident

import "time"

// Try compiles a rule and asks it about an event with these details.
func (r Rule) Try(details map[string]any) Verdict {
	c, err := r.compile()
	if err != nil {
		return Verdict{Errors: []string{err.Error()}}
	}
	return judge([]compiled{c}, Trigger{Title: "t", Fields: Fields{Details: details}}.env(time.Unix(0, 0)))
}
