package schedule

import (
	"fmt"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Limits of a definition.
const (
	MinTurn      = 15 * time.Minute
	MaxTurn      = 366 * 24 * time.Hour
	maxLayers    = 100 // those that are over count too
	maxMembers   = 200
	maxRestricts = 100
)

// Fault is something that makes a definition impossible.
type Fault struct {
	Field   string // timeZone, layers[0].members, …
	Message string
	Mend    string
}

func (f Fault) problem() error {
	return problem.New(problem.Invalid, "%s", f.Message).WithField(f.Field).WithMend("%s", f.Mend)
}

// Check says everything that is wrong with a definition by itself. Whether the people exist is not known here.
func (d Definition) Check() (faults []Fault) {
	add := func(field, mend, format string, args ...any) {
		faults = append(faults, Fault{field, fmt.Sprintf(format, args...), mend})
	}
	if _, err := time.LoadLocation(d.Zone); d.Zone == "" || err != nil || d.Zone == "Local" {
		add("timeZone", "use a name of the IANA list such as Europe/Paris or UTC", "%q is not a time zone", clip(d.Zone))
	}
	if len(d.Layers) > maxLayers {
		add("layers", "make several schedules of it", "%d layers are more than %d", len(d.Layers), maxLayers)
	}
	for i, l := range d.Layers {
		for _, f := range l.Check() {
			f.Field = fmt.Sprintf("layers[%d].%s", i, f.Field)
			faults = append(faults, f)
		}
	}
	for i, o := range d.Overrides {
		at := fmt.Sprintf("overrides[%d]", i)
		if o.Person == "" {
			add(at+".person", "name who is on call instead", "the override names nobody")
		}
		if !o.Start.Before(o.End) {
			add(at+".end", "let it end after it starts", "the override ends at %s, not after its start", o.End.Format(time.RFC3339))
		}
	}
	return faults
}

// Check says everything that is wrong with a layer by itself.
func (l Layer) Check() (faults []Fault) {
	add := func(field, mend, format string, args ...any) {
		faults = append(faults, Fault{field, fmt.Sprintf(format, args...), mend})
	}
	if _, err := time.LoadLocation(l.Zone); err != nil || l.Zone == "Local" {
		add("timeZone", "use a name of the IANA list such as Europe/Paris or UTC", "%q is not a time zone", clip(l.Zone))
	}
	switch n := len(l.Members); {
	case n == 0:
		add("members", "name who takes turns", "the layer has no members")
	case n > maxMembers:
		add("members", "make several layers of it", "%d members are more than %d", n, maxMembers)
	}
	switch turn := l.Rotation; {
	case turn.Every < 1 || turn.Every > 1_000_000 || turn.seconds() == 0:
		add("rotation", "write daily, weekly, or a duration such as 12h or 2w", "a rotation of %d %q is not possible", turn.Every, clip(string(turn.Unit)))
	case turn.Length() < MinTurn || turn.Length() > MaxTurn:
		add("rotation", "write daily, weekly, or a duration such as 12h or 2w", "turns of %s are not possible: they last from 15 minutes to a year", turn.Length())
	}
	if l.Anchor.IsZero() || l.Anchor.Year() < 1970 || l.Anchor.Year() > 9999 {
		add("anchor", "write when any of the turns starts, such as 2026-01-05 09:00", "it is not said when turns change")
	}
	if l.Offset < 0 {
		add("offset", "count members from 0", "a layer cannot start with member %d", l.Offset)
	}
	if !l.From.IsZero() && !l.Until.IsZero() && !l.From.Before(l.Until) {
		add("until", "let it end after it starts", "the layer ends at %s, not after its start", l.Until.Format(time.RFC3339))
	}
	if len(l.Restrictions) > maxRestricts {
		add("restrictions", "join some of them", "%d restrictions are more than %d", len(l.Restrictions), maxRestricts)
	}
	for i, r := range l.Restrictions {
		if why, mend := r.Fault(); why != "" {
			add(fmt.Sprintf("restrictions[%d]", i), mend, "%s", why)
		}
	}
	return faults
}

// Fault says why a restriction is impossible, and what to do about it; nothing if it is not.
func (r Restriction) Fault() (why, mend string) {
	longest := day
	if r.Weekly {
		longest = 7 * day
	}
	switch {
	case r.Start < 0 || r.Start >= day:
		return "the restriction does not start within a day", "write its start as 00:00 to 23:59"
	case r.Duration < 1 || r.Duration > longest:
		return fmt.Sprintf("the restriction lasts %s", time.Duration(r.Duration)*time.Second), "at most 24h if it is daily, at most 7d if it is weekly"
	case r.Weekly && (r.Weekday < time.Sunday || r.Weekday > time.Saturday):
		return fmt.Sprintf("there is no day %d of the week", r.Weekday), "write 0 (Sunday) to 6"
	}
	return "", ""
}

func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
