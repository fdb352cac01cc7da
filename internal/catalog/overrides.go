package catalog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/schedule"
)

// maxOverrides of one schedule.
const maxOverrides = 10_000

// ScheduleBy finds a schedule by its id or name.
func (c *Catalog) ScheduleBy(ref string) (Schedule, error) {
	if s, ok := find(c.Schedules, func(s Schedule) bool { return s.ID == ref }); ok {
		return s, nil
	}
	if s, ok := c.Schedule(ref); ok {
		return s, nil
	}
	return Schedule{}, missing(KindSchedule, ref)
}

// PersonBy finds a person by their id or name.
func (c *Catalog) PersonBy(ref string) (Person, error) {
	if p, ok := find(c.People, func(p Person) bool { return p.ID == ref }); ok {
		return p, nil
	}
	if p, ok := c.Person(ref); ok {
		return p, nil
	}
	return Person{}, missing(KindPerson, ref)
}

// Override puts people in for whoever would be on call, whoever declares the schedule. What lies in the past cannot be changed any
// more: a start before now becomes now. Overrides with a source replace those of the same source.
func (l *Live) Override(ctx context.Context, ref string, overrides ...schedule.Override) (made []schedule.Override, err error) {
	err = l.edit(ctx, func(c *change, now *Catalog) error {
		s, err := now.ScheduleBy(ref)
		if err != nil {
			return err
		}
		made, err = c.override(now, s, overrides)
		return err
	}, func(*Catalog) error { return nil })
	return made, err
}

func (c *change) override(now *Catalog, s Schedule, overrides []schedule.Override) (made []schedule.Override, err error) {
	if err := roomFor(s, len(s.Overrides)+len(overrides)); err != nil {
		return nil, err
	}
	for i, o := range overrides {
		at := ""
		if len(overrides) > 1 {
			at = fmt.Sprintf("overrides[%d].", i)
		}
		if _, ok := now.Person(o.Person); !ok {
			return nil, refuse(at+"person", "name one of GET /api/people", "there is no person %q", shorten(o.Person))
		}
		o.Start, o.End = o.Start.UTC().Truncate(time.Second), o.End.UTC().Truncate(time.Second)
		if !o.Start.Before(o.End) {
			return nil, refuse(at+"end", "let it end after it starts", "the override does not end after it starts")
		}
		if !o.End.After(c.now) {
			return nil, refuse(at+"end", "let it end later than now", "the override is over already: what was cannot be changed")
		}
		if o.Start.Before(c.now) {
			o.Start = c.now
		}
		o.ID = newID()
		if err := c.put(KindOverride, o.ID, s.ID, o); err != nil {
			return nil, err
		}
		made = append(made, o)
	}
	return made, nil
}

// roomFor refuses more overrides of a schedule than it may have.
func roomFor(s Schedule, overrides int) error {
	if overrides > maxOverrides {
		return problem.New(problem.TooLarge, "%q would have more than %d overrides", s.Name, maxOverrides)
	}
	return nil
}

// Import replaces the overrides that came from calendars of that source by those given. Those that are over stay.
func (l *Live) Import(ctx context.Context, ref, source string, overrides []schedule.Override) (made []schedule.Override, err error) {
	err = l.edit(ctx, func(c *change, now *Catalog) error {
		made = nil
		s, err := now.ScheduleBy(ref)
		if err != nil {
			return err
		}
		others := len(s.Overrides)
		for _, o := range s.Overrides {
			if o.Source == source && o.End.After(c.now) {
				if !o.Start.Before(c.now) {
					others-- // it goes
				}
				if err := c.endOverride(s.ID, o); err != nil {
					return err
				}
			}
		}
		for i, o := range overrides {
			if !o.End.After(c.now) {
				continue
			}
			if _, ok := now.Person(o.Person); !ok {
				return refuse(fmt.Sprintf("events[%d]", i), "name one of GET /api/people", "there is no person %q", shorten(o.Person))
			}
			if o.Start.Before(c.now) {
				o.Start = c.now
			}
			o.ID, o.Source = newID(), source
			if err := c.put(KindOverride, o.ID, s.ID, o); err != nil {
				return err
			}
			made = append(made, o)
			if err := roomFor(s, others+len(made)); err != nil {
				return err
			}
		}
		return nil
	}, func(*Catalog) error { return nil })
	return made, err
}

// Swap lets two people take each other's place in a schedule. Whom that moves is worked out of what is in force when it is written: if
// somebody else gave one of the shifts away since the call began, or swapped the two already, it is a conflict.
func (l *Live) Swap(ctx context.Context, ref string, a, b schedule.Span, by string) (made []schedule.Override, err error) {
	_, asked, err := l.Current().swap(ref, a, b)
	if err != nil {
		return nil, err
	}
	err = l.edit(ctx, func(c *change, now *Catalog) error {
		made = nil
		s, overrides, err := now.swap(ref, a, b)
		if err != nil {
			return err
		}
		if !slices.Equal(overrides, asked) {
			return problem.New(problem.Conflict, "somebody else changed one of the shifts meanwhile").WithMend("look who has them now, and swap again if you still want to")
		}
		id := newID()
		for i := range overrides {
			overrides[i].Swap, overrides[i].By = id, by
		}
		made, err = c.override(now, s, overrides)
		return err
	}, func(*Catalog) error { return nil })
	return made, err
}

// swap is what would let two people take each other's place.
func (c *Catalog) swap(ref string, a, b schedule.Span) (s Schedule, overrides []schedule.Override, err error) {
	s, err = c.ScheduleBy(ref)
	if err != nil {
		return s, nil, err
	}
	calendar, ok := c.Calendar(s.Name)
	if !ok {
		return s, nil, missing(KindSchedule, ref)
	}
	if overrides, err = calendar.Swap(a, b); err != nil {
		return s, nil, err
	}
	of := func(span schedule.Span) string { // the swap by which somebody has it
		for _, shift := range calendar.Final(span.Start, span.End) {
			o, _ := find(s.Overrides, func(o schedule.Override) bool { return o.ID == shift.Override })
			return o.Swap
		}
		return ""
	}
	if swapped := of(a); swapped != "" && swapped == of(b) {
		return s, nil, problem.New(problem.Conflict, "these two shifts are swapped already").WithMend("take that swap back if they should not be")
	}
	return s, overrides, nil
}

// EndOverride takes an override back, and with it the other half of its swap: one to come goes, one under way ends now, one that is
// over stays as it was.
func (l *Live) EndOverride(ctx context.Context, ref, id string) error {
	return l.edit(ctx, func(c *change, now *Catalog) error {
		s, err := now.ScheduleBy(ref)
		if err != nil {
			return err
		}
		o, ok := find(s.Overrides, func(o schedule.Override) bool { return o.ID == id })
		switch {
		case !ok:
			return missing(KindOverride, id)
		case !slices.ContainsFunc(c.shelf.rows[KindOverride], func(r stored) bool { return r.id == id }):
			return managed(KindOverride, id, FileName)
		case !o.End.After(c.now):
			return problem.New(problem.Conflict, "the override ended at %s: what was cannot be changed", o.End.Format(time.RFC3339))
		}
		for _, other := range s.Overrides {
			if other.ID == id || o.Swap != "" && other.Swap == o.Swap {
				if err := c.endOverride(s.ID, other); err != nil {
					return err
				}
			}
		}
		return nil
	}, func(*Catalog) error { return nil })
}

func (c *change) endOverride(schedule string, o schedule.Override) error {
	switch {
	case !o.End.After(c.now):
		return nil
	case o.Start.Before(c.now):
		o.End = c.now
		return c.put(KindOverride, o.ID, schedule, o)
	}
	return c.drop(KindOverride, o.ID)
}

// SaveContact adds a way to reach a person, or replaces the one of that ID. It is used once it is verified, see Contact.Usable.
func (l *Live) SaveContact(ctx context.Context, person string, contact Contact) (saved Contact, err error) {
	err = l.edit(ctx, func(c *change, now *Catalog) error {
		p, err := now.PersonBy(person)
		if err != nil {
			return err
		}
		saved = contact
		saved.File = ""
		if saved.ID == "" {
			saved.ID = newID()
		} else if err := ownContact(c, p, saved.ID); err != nil {
			return err
		}
		return c.put(KindContact, saved.ID, p.ID, saved)
	}, func(after *Catalog) error {
		p, err := after.PersonBy(person)
		if err != nil {
			return err
		}
		return checkContact(p, saved)
	})
	return saved, err
}

func ownContact(c *change, p Person, id string) error {
	known, ok := find(p.Contacts, func(k Contact) bool { return k.ID == id })
	switch {
	case !ok:
		return missing(KindContact, id)
	case known.File != "":
		return managed(KindContact, known.Called(), known.File)
	case !slices.ContainsFunc(c.shelf.rows[KindContact], func(r stored) bool { return r.id == id }):
		return problem.New(problem.Conflict, "this is the %s of %s itself", known.Channel, p.Name).WithMend("change the person")
	}
	return nil
}

// DeleteContact removes a contact and the rules that use it.
func (l *Live) DeleteContact(ctx context.Context, person, id string) error {
	return l.edit(ctx, func(c *change, now *Catalog) error {
		p, err := now.PersonBy(person)
		if err != nil {
			return err
		}
		if err := ownContact(c, p, id); err != nil {
			return err
		}
		for _, r := range slices.Clone(c.shelf.rows[KindRule]) {
			if rule, ok := decode[Rule](r); ok && r.parent == p.ID && rule.Contact == id {
				if err := c.drop(KindRule, r.id); err != nil {
					return err
				}
			}
		}
		if err := c.drop(kindCode, id); err != nil {
			return err
		}
		return c.drop(KindContact, id)
	}, func(*Catalog) error { return nil })
}

// SaveRule adds a notification rule of a person, or replaces the one of that ID. An urgency that a file has rules for is the file's.
func (l *Live) SaveRule(ctx context.Context, person string, rule Rule) (saved Rule, err error) {
	err = l.edit(ctx, func(c *change, now *Catalog) error {
		p, err := now.PersonBy(person)
		if err != nil {
			return err
		}
		for _, r := range p.Rules {
			if r.File != "" && (r.Urgency == rule.Urgency || r.ID == rule.ID) {
				return managed(KindRule, r.Urgency, r.File)
			}
		}
		saved = rule
		saved.File = ""
		if saved.ID == "" {
			saved.ID = newID()
		} else if !slices.ContainsFunc(c.shelf.rows[KindRule], func(r stored) bool { return r.id == saved.ID && r.parent == p.ID }) {
			return missing(KindRule, saved.ID)
		}
		return c.put(KindRule, saved.ID, p.ID, saved)
	}, func(after *Catalog) error {
		p, err := after.PersonBy(person)
		if err != nil {
			return err
		}
		return checkRule(p, saved)
	})
	return saved, err
}

// DeleteRule removes a notification rule of a person.
func (l *Live) DeleteRule(ctx context.Context, person, id string) error {
	return l.edit(ctx, func(c *change, now *Catalog) error {
		p, err := now.PersonBy(person)
		if err != nil {
			return err
		}
		rule, ok := find(p.Rules, func(r Rule) bool { return r.ID == id })
		if !ok {
			return missing(KindRule, id)
		}
		if err := managed(KindRule, rule.Urgency, rule.File); err != nil {
			return err
		}
		return c.drop(KindRule, id)
	}, func(*Catalog) error { return nil })
}
