package catalog

import (
	"slices"
	"time"

	"github.com/daytwo-dev/daytwo/internal/schedule"
)

// declared is what files said of the overrides of one schedule: what was in force stays so, whatever the file says now.
type declared struct {
	Past  []schedule.Override `json:"past"`           // of files before this one, as far as they were in force
	File  []schedule.Override `json:"file"`           // of the file as it is
	Since time.Time           `json:"since"`          // from when on that one counts
	First bool                `json:"first,omitzero"` // there was none before it: it counts since ever
}

// overrides are those in force, the oldest first.
func (d declared) overrides() []schedule.Override {
	if d.First {
		return d.File
	}
	list := slices.Clone(d.Past)
	for _, o := range d.File {
		if o.Start.Before(d.Since) {
			o.Start = d.Since
		}
		if o.Start.Before(o.End) {
			list = append(list, o)
		}
	}
	return list
}

// revise puts what another file says in force from now on. What it takes away ends now, and what it adds to the past never was.
func (d declared) revise(file []schedule.Override, now time.Time) declared {
	if slices.EqualFunc(d.File, file, sameOverride) {
		return d
	}
	next := declared{Past: []schedule.Override{}, File: file, Since: now}
	for _, o := range d.overrides() {
		if !o.Start.Before(now) {
			continue
		}
		if o.End.After(now) {
			o.End = now
			o.ID = idOf("override", o.ID, now.String()) // the file may go on with it under its own
		}
		next.Past = append(next.Past, o)
	}
	return next
}

func sameOverride(a, b schedule.Override) bool {
	return a.ID == b.ID && a.Person == b.Person && a.Start.Equal(b.Start) && a.End.Equal(b.End)
}

// declare notes what the file says of the overrides of a schedule.
func (c *change) declare(x Schedule) error {
	file := x.Overrides
	if file == nil {
		file = []schedule.Override{}
	}
	next := declared{File: file, Since: c.now, First: true}
	for _, r := range c.shelf.rows[kindDeclared] {
		if before, ok := decode[declared](r); ok && r.id == x.ID {
			next = before.revise(file, c.now)
		}
	}
	return c.putIfNew(kindDeclared, x.ID, next)
}
