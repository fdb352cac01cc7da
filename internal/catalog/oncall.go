package catalog

import (
	"slices"
	"time"

	"github.com/daytwo-dev/daytwo/internal/schedule"
)

// Schedule says who is on call, see package schedule.
type Schedule struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Team        string `json:"team,omitempty"`
	schedule.Definition
	File  string `json:"file,omitempty" doc:"the file that declares it: all but its overrides is changed there"`
	Saved *Saved `json:"saved,omitempty" doc:"absent: a file declares it; overrides have no part in it"`
}

// Calendar answers questions about a schedule; false if there is none of that name.
func (c *Catalog) Calendar(name string) (*schedule.Schedule, bool) {
	s, ok := c.calendars[name]
	return s, ok
}

// seal prepares what is derived. A definition that does not work has no calendar; it was refused when it was made.
func (c *Catalog) seal() *Catalog {
	c.calendars = make(map[string]*schedule.Schedule, len(c.Schedules))
	for _, s := range c.Schedules {
		if calendar, err := schedule.New(s.Definition); err == nil {
			c.calendars[s.Name] = calendar
		}
	}
	return c
}

// OnCall is the person a target means at a time; empty, with the reason, if that is nobody.
func (c *Catalog) OnCall(t Target, at time.Time) (person, reason string) {
	if t.Kind != ToSchedule {
		if _, ok := c.Person(t.Name); !ok {
			return "", "there is no person " + t.Name
		}
		return t.Name, ""
	}
	calendar, ok := c.Calendar(t.Name)
	if !ok {
		return "", "there is no schedule " + t.Name
	}
	shift, ok := calendar.At(at)
	if !ok {
		return "", "nobody is on call for " + t.Name
	}
	if _, ok := c.Person(shift.Person); !ok {
		return "", "there is no person " + shift.Person + ", who is on call for " + t.Name
	}
	return shift.Person, ""
}

// Chain is a policy and those that go on after it, in order; each at most once.
func (c *Catalog) Chain(name string) (list []Policy) {
	seen := map[string]bool{}
	for name != "" && !seen[name] {
		p, ok := c.Policy(name)
		if !ok {
			return list
		}
		seen[name] = true
		list, name = append(list, p), p.Then
	}
	return list
}

// OnCallOf are the people that targets mean at a time, each once.
func (c *Catalog) OnCallOf(targets []Target, at time.Time) []string {
	list := []string{}
	for _, t := range targets {
		if person, _ := c.OnCall(t, at); person != "" && !slices.Contains(list, person) {
			list = append(list, person)
		}
	}
	return list
}

// ZoneOf is where a person lives; UTC if that is not known.
func (c *Catalog) ZoneOf(person string) *time.Location {
	p, _ := c.Person(person)
	if loc, err := time.LoadLocation(p.TimeZone); err == nil {
		return loc
	}
	return time.UTC
}
