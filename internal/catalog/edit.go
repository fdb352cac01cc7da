package catalog

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/schedule"
)

// managed refuses to change what a file declares.
func managed(kind Kind, name, file string) error {
	if file == "" {
		return nil
	}
	return problem.New(problem.Conflict, "%s %q is declared in %s", kind, name, file).
		WithMend("change it in %s and reload", file)
}

// twice refuses a name that another entry of the kind has.
func twice(kind Kind, name, file string) error {
	err := problem.New(problem.Conflict, "there is a %s %q already", kind, shorten(name)).WithField("name").WithMend("choose another name")
	if file != "" {
		err = problem.New(problem.Conflict, "there is a %s %q already, in %s", kind, shorten(name), file).WithField("name").WithMend("choose another name")
	}
	return err
}

func missing(kind Kind, ref string) error {
	return problem.New(problem.NotFound, "there is no %s %q", kind, shorten(ref))
}

// SavePerson makes a person, or replaces the one of that ID: name, addresses, time zone. Contacts and rules have methods of their own.
func (l *Live) SavePerson(ctx context.Context, p Person) (Person, error) {
	p.Contacts, p.Rules, p.File, p.Warnings = nil, nil, "", nil
	return save(ctx, l, KindPerson, p, shape[Person]{
		id: func(p *Person) *string { return &p.ID }, name: func(p *Person) *string { return &p.Name }, file: func(p Person) string { return p.File },
		saved: func(p *Person) **Saved { return &p.Saved },
		list:  func(c *Catalog) []Person { return c.People }, check: func(_ *Catalog, p Person) error { return checkPerson(p) },
	})
}

// SaveTeam makes a team, or replaces the one of that ID.
func (l *Live) SaveTeam(ctx context.Context, t Team) (Team, error) {
	t.File = ""
	return save(ctx, l, KindTeam, t, shape[Team]{
		id: func(t *Team) *string { return &t.ID }, name: func(t *Team) *string { return &t.Name }, file: func(t Team) string { return t.File },
		saved: func(t *Team) **Saved { return &t.Saved },
		list:  func(c *Catalog) []Team { return c.Teams }, check: (*Catalog).checkTeam,
	})
}

// SaveSchedule makes a schedule, or puts the zone and layers of the one of that ID in force from now on, see schedule.Revise. Its
// overrides have methods of their own.
func (l *Live) SaveSchedule(ctx context.Context, s Schedule) (Schedule, error) {
	s.File, s.Overrides = "", nil
	return save(ctx, l, KindSchedule, s, shape[Schedule]{
		id: func(s *Schedule) *string { return &s.ID }, name: func(s *Schedule) *string { return &s.Name }, file: func(s Schedule) string { return s.File },
		saved: func(s *Schedule) **Saved { return &s.Saved },
		list:  func(c *Catalog) []Schedule { return c.Schedules }, check: (*Catalog).checkSchedule,
		next: func(before *Schedule, s Schedule, now time.Time) (Schedule, error) {
			if faults := s.Check(); len(faults) > 0 {
				return s, refuse(faults[0].Field, faults[0].Mend, "%s", faults[0].Message)
			}
			if before != nil {
				s.Layers = schedule.Revise(before.Definition, s.Zone, s.Layers, now)
			}
			for i := range s.Layers {
				l := &s.Layers[i]
				l.ID = cmp.Or(l.ID, newID())
				if before == nil && l.From.IsZero() {
					l.From = now // nobody was on call for what was not there
				}
			}
			return s, nil
		},
	})
}

// SavePolicy makes an escalation policy, or replaces the one of that ID.
func (l *Live) SavePolicy(ctx context.Context, p Policy) (Policy, error) {
	p.File = ""
	return save(ctx, l, KindPolicy, p, shape[Policy]{
		id: func(p *Policy) *string { return &p.ID }, name: func(p *Policy) *string { return &p.Name }, file: func(p Policy) string { return p.File },
		saved: func(p *Policy) **Saved { return &p.Saved },
		list:  func(c *Catalog) []Policy { return c.Policies }, check: (*Catalog).checkPolicy,
	})
}

// SaveService makes a service, or replaces the one of that ID. Integrations without ids or keys get them; signals and objectives that
// are not given stay as they are.
func (l *Live) SaveService(ctx context.Context, s Service) (Service, error) {
	s.File = ""
	return save(ctx, l, KindService, s, shape[Service]{
		id: func(s *Service) *string { return &s.ID }, name: func(s *Service) *string { return &s.Name }, file: func(s Service) string { return s.File },
		saved: func(s *Service) **Saved { return &s.Saved },
		list:  func(c *Catalog) []Service { return c.Services }, check: (*Catalog).checkService,
		next: completeService,
	})
}

// SavePriority makes a priority, or replaces the one of that ID.
func (l *Live) SavePriority(ctx context.Context, p Priority) (Priority, error) {
	p.File = ""
	return save(ctx, l, KindPriority, p, shape[Priority]{
		id: func(p *Priority) *string { return &p.ID }, name: func(p *Priority) *string { return &p.Name }, file: func(p Priority) string { return p.File },
		saved: func(p *Priority) **Saved { return &p.Saved },
		list:  func(c *Catalog) []Priority { return c.Priorities }, check: func(_ *Catalog, p Priority) error { return checkName(KindPriority, p.Name) },
	})
}

// SaveMaintenance makes a maintenance window, or replaces the one of that ID.
func (l *Live) SaveMaintenance(ctx context.Context, m Maintenance) (Maintenance, error) {
	m.File = ""
	return save(ctx, l, KindMaintenance, m, shape[Maintenance]{
		id: func(m *Maintenance) *string { return &m.ID }, file: func(m Maintenance) string { return m.File },
		saved: func(m *Maintenance) **Saved { return &m.Saved },
		list:  func(c *Catalog) []Maintenance { return c.Maintenance }, check: (*Catalog).checkMaintenance,
	})
}

// shape is what save needs to know about a kind.
type shape[T any] struct {
	id, name func(*T) *string // name may be nil
	file     func(T) string
	saved    func(*T) **Saved
	list     func(*Catalog) []T
	check    func(*Catalog, T) error
	next     func(before *T, entry T, now time.Time) (T, error) // completes the entry; may be nil
}

// save makes or replaces an entry; one that says of which version it is replaces just that.
func save[T any](ctx context.Context, l *Live, kind Kind, entry T, of shape[T]) (saved T, err error) {
	given := entry
	err = l.edit(ctx, func(c *change, now *Catalog) error {
		entry := given
		var before *T
		if id := *of.id(&entry); id != "" {
			found, ok := find(of.list(now), func(t T) bool { return *of.id(&t) == id })
			if !ok {
				return missing(kind, id)
			}
			if err := managed(kind, called(&found, of), of.file(found)); err != nil {
				return err
			}
			for _, r := range c.shelf.rows[kind] {
				if r.id != id {
					continue
				}
				if err := r.saved().Check(*of.saved(&entry), fmt.Sprintf("%s %q", kind, called(&found, of))); err != nil {
					return err
				}
			}
			before = &found
		} else {
			*of.id(&entry) = newID()
		}
		if of.name != nil {
			name := *of.name(&entry)
			other, ok := find(of.list(now), func(t T) bool { return *of.name(&t) == name && *of.id(&t) != *of.id(&entry) })
			if ok {
				return twice(kind, name, of.file(other))
			}
			if before != nil && *of.name(before) != name {
				if err := l.unnamed(c, kind, *of.name(before)); err != nil {
					return err
				}
				if err := c.rename(now, kind, *of.name(before), name); err != nil {
					return err
				}
			}
		}
		*of.saved(&entry) = nil // it is worked out from what is stored
		if of.next != nil {
			var err error
			if entry, err = of.next(before, entry, c.now); err != nil {
				return err
			}
		}
		saved = entry
		return c.put(kind, *of.id(&entry), "", entry)
	}, func(after *Catalog) error { return of.check(after, saved) })
	if err != nil {
		var none T
		return none, err
	}
	id := *of.id(&saved)
	saved, _ = find(of.list(l.Current()), func(t T) bool { return *of.id(&t) == id })
	return saved, nil
}

func called[T any](entry *T, of shape[T]) string {
	if of.name == nil {
		return *of.id(entry)
	}
	return *of.name(entry)
}

// Delete removes an entry by its id. What others refer to stays, with who they are as the reason.
func (l *Live) Delete(ctx context.Context, kind Kind, id string) error {
	return l.edit(ctx, func(c *change, now *Catalog) error {
		name, file, ok := now.entry(kind, id)
		if !ok {
			return missing(kind, id)
		}
		if err := managed(kind, name, file); err != nil {
			return err
		}
		if users := now.users(kind, name); len(users) > 0 {
			return problem.New(problem.Conflict, "%s %q is used by %s", kind, name, users[0].what()).WithMend("change what uses it first")
		}
		if err := l.unnamed(c, kind, name); err != nil {
			return err
		}
		for _, child := range []Kind{KindContact, KindRule, KindOverride, kindCode, kindSent} {
			if err := c.dropOf(child, id); err != nil {
				return err
			}
		}
		return c.drop(kind, id)
	}, func(*Catalog) error { return nil })
}

// entry finds the name and file of an entry.
func (c *Catalog) entry(kind Kind, id string) (name, file string, ok bool) {
	switch kind {
	case KindPerson:
		p, ok := find(c.People, func(p Person) bool { return p.ID == id })
		return p.Name, p.File, ok
	case KindTeam:
		t, ok := find(c.Teams, func(t Team) bool { return t.ID == id })
		return t.Name, t.File, ok
	case KindSchedule:
		s, ok := find(c.Schedules, func(s Schedule) bool { return s.ID == id })
		return s.Name, s.File, ok
	case KindPolicy:
		p, ok := find(c.Policies, func(p Policy) bool { return p.ID == id })
		return p.Name, p.File, ok
	case KindService:
		s, ok := find(c.Services, func(s Service) bool { return s.ID == id })
		return s.Name, s.File, ok
	case KindPriority:
		p, ok := find(c.Priorities, func(p Priority) bool { return p.ID == id })
		return p.Name, p.File, ok
	case KindMaintenance:
		m, ok := find(c.Maintenance, func(m Maintenance) bool { return m.ID == id })
		return m.Name, m.File, ok
	}
	return "", "", false
}
