// Package schedule calculates who is on call: from layers that rotate, restrictions that limit them, and overrides that come before
// them, in the wall-clock time of one time zone. It is pure: what it answers follows from a Definition and a time alone.
//
// The rules, from the strongest to the weakest: the newest override that covers a moment, then the highest layer that is in effect
// and not restricted then, then nobody (a gap). All spans are half open: whoever takes over at nine is on call at nine.
//
// Handoffs happen at local wall-clock time, each computed from the layer's anchor and never from the handoff before. A wall-clock
// time that a zone skips in spring means the moment it is skipped; one that comes twice in autumn means the first of the two. So a
// daily handoff at 02:30 is at 03:00 on one day of the year, and at 02:30 again the day after.
package schedule

import (
	"slices"
	"time"

	// Zones must be known on machines that carry no zone files.
	_ "time/tzdata"
)

// Definition is a schedule as it is written down and stored.
type Definition struct {
	Zone      string     `json:"timeZone" doc:"a name of the IANA list; handoffs and restrictions are in its wall-clock time"`
	Layers    []Layer    `json:"layers" doc:"the lowest first; a higher one comes before it"`
	Overrides []Override `json:"overrides,omitempty" doc:"the oldest first; a newer one comes before it"`
}

// Layer is one rotation through people, in effect from From until Until.
type Layer struct {
	ID           string        `json:"id,omitempty"`
	Name         string        `json:"name,omitempty"`
	Zone         string        `json:"timeZone,omitempty" doc:"its own; absent: that of the schedule"`
	Members      []string      `json:"members" doc:"whose turn it is, one after another"`
	Rotation     Rotation      `json:"rotation"`
	Anchor       time.Time     `json:"anchor" doc:"any handoff: its local wall-clock time is that of all others"`
	Offset       int           `json:"offset,omitempty" doc:"which member's turn begins at the anchor, from 0"`
	Restrictions []Restriction `json:"restrictions,omitempty" doc:"when the layer counts at all; none: always"`
	From         time.Time     `json:"from,omitzero" doc:"in effect from then on; absent: since ever"`
	Until        time.Time     `json:"until,omitzero" doc:"in effect up to then; absent: for ever"`
}

// Rotation is how long one turn lasts on the wall clock: a turn of one day from nine to nine has 23 or 25 hours twice a year.
type Rotation struct {
	Every int  `json:"every" minimum:"1"`
	Unit  Unit `json:"unit" enum:"minute,hour,day,week"`
}

// Unit is what a rotation counts in.
type Unit string

// The units.
const (
	Minute Unit = "minute"
	Hour   Unit = "hour"
	Day    Unit = "day"
	Week   Unit = "week"
)

// seconds of a turn on the wall clock; 0 for a unit that is not known.
func (r Rotation) seconds() int64 {
	return int64(r.Every) * map[Unit]int64{Minute: 60, Hour: 3600, Day: day, Week: 7 * day}[r.Unit]
}

// Length is how long a turn lasts on the wall clock.
func (r Rotation) Length() time.Duration { return time.Duration(r.seconds()) * time.Second }

// RotationOf is the rotation with turns of d, in the largest unit that fits.
func RotationOf(d time.Duration) Rotation {
	for _, u := range []struct {
		unit Unit
		size time.Duration
	}{{Week, 7 * 24 * time.Hour}, {Day, 24 * time.Hour}, {Hour, time.Hour}} {
		if d > 0 && d%u.size == 0 {
			return Rotation{int(d / u.size), u.unit}
		}
	}
	return Rotation{int(d / time.Minute), Minute}
}

// Restriction is a window on the wall clock, every day or on one day of every week, in which a layer counts.
type Restriction struct {
	Weekly   bool         `json:"weekly,omitempty" doc:"on Weekday alone rather than every day"`
	Weekday  time.Weekday `json:"weekday,omitempty" doc:"0 is Sunday" minimum:"0" maximum:"6"`
	Start    int          `json:"start" doc:"seconds after midnight" minimum:"0" maximum:"86399"`
	Duration int          `json:"duration" doc:"seconds on the wall clock; it may reach into the days after" minimum:"1" maximum:"604800"`
}

// Override puts a person in for whoever would be on call.
type Override struct {
	ID     string    `json:"id,omitempty"`
	Person string    `json:"person"`
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Swap   string    `json:"swap,omitempty" doc:"the same in both halves of a swap"`
	Source string    `json:"source,omitempty" doc:"the event of an imported calendar it comes from"`
	By     string    `json:"by,omitempty"`
}

// Span is a half-open stretch of time.
type Span struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Contains tells whether t lies in s.
func (s Span) Contains(t time.Time) bool { return !t.Before(s.Start) && t.Before(s.End) }

// meet is what a and b share; false if that is nothing.
func meet(a, b Span) (Span, bool) {
	if b.Start.After(a.Start) {
		a.Start = b.Start
	}
	if b.End.Before(a.End) {
		a.End = b.End
	}
	return a, a.Start.Before(a.End)
}

// Shift is a span for which one person is on call, and why it is them.
type Shift struct {
	Person string `json:"person"`
	Span
	Layer    string `json:"layer,omitempty" doc:"the layer that says so"`
	Override string `json:"override,omitempty" doc:"the override that says so"`
}

// Schedule answers questions about a Definition. It is read-only and may be used from any goroutine.
type Schedule struct {
	Definition
	zone   zone
	layers []layer
}

// New prepares a definition that has no faults; of one that has, it returns the first.
func New(d Definition) (*Schedule, error) {
	if faults := d.Check(); len(faults) > 0 {
		return nil, faults[0].problem()
	}
	loc, err := time.LoadLocation(d.Zone)
	if err != nil {
		return nil, err
	}
	s := &Schedule{Definition: d, zone: zone{loc}}
	for _, l := range d.Layers {
		s.layers = append(s.layers, s.zone.layer(l))
	}
	return s, nil
}

// Location is the time zone of the schedule.
func (s *Schedule) Location() *time.Location { return s.zone.loc }

// People are all who are on call at some time, each once.
func (s *Schedule) People() (list []string) {
	add := func(name string) {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	for _, l := range s.Layers {
		for _, m := range l.Members {
			add(m)
		}
	}
	for _, o := range s.Overrides {
		add(o.Person)
	}
	return list
}
