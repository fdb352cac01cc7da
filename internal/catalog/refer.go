package catalog

import (
	"slices"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/schedule"
)

// user is an entry that refers to another.
type user struct {
	kind     Kind
	id, name string
	file     string
}

func (u user) what() string {
	if u.kind == "" {
		return "last_resort of " + u.file
	}
	return string(u.kind) + " " + u.name
}

// users are the entries that refer to one by its name.
func (c *Catalog) users(kind Kind, name string) (list []user) {
	add := func(used bool, u user) {
		if used {
			list = append(list, u)
		}
	}
	for _, t := range c.Teams {
		add(kind == KindPerson && slices.Contains(t.Members, name), user{KindTeam, t.ID, t.Name, t.File})
	}
	for _, s := range c.Schedules {
		add(kind == KindTeam && s.Team == name || kind == KindPerson && slices.ContainsFunc(s.Layers, func(l schedule.Layer) bool {
			return l.Until.IsZero() && slices.Contains(l.Members, name)
		}), user{KindSchedule, s.ID, s.Name, s.File})
	}
	for _, p := range c.Policies {
		used := kind == KindTeam && p.Team == name || kind == KindPolicy && p.Then == name
		for _, l := range p.Levels {
			used = used || slices.Contains(l.Targets, Target{string(kind), name})
		}
		add(used, user{KindPolicy, p.ID, p.Name, p.File})
	}
	for _, s := range c.Services {
		add(kind == KindTeam && s.Team == name || kind == KindPolicy && s.EscalationPolicy == name || kind == KindService && slices.Contains(s.DependsOn, name),
			user{KindService, s.ID, s.Name, s.File})
	}
	for _, m := range c.Maintenance {
		add(kind == KindService && slices.Contains(m.Services, name), user{KindMaintenance, m.ID, m.Name, m.File})
	}
	shown := func(m StatusComponent) bool { return m.Service == name }
	add(kind == KindService && slices.ContainsFunc(c.StatusPage.Components, shown), user{KindStatusPage, statusPageID, c.StatusPage.Title, c.StatusPage.File})
	add(kind == KindPerson && slices.Contains(c.LastResort, name), user{"", "", "", FileName})
	return list
}

// unnamed refuses to rename or remove a service that something beside the catalog names, which would not follow.
func (l *Live) unnamed(c *change, kind Kind, name string) error {
	if kind != KindService || l.Named == nil {
		return nil
	}
	by, err := l.Named(c.ctx, c.tx, name)
	if err != nil || len(by) == 0 {
		return err
	}
	return problem.New(problem.Conflict, "service %q is named by %s", name, strings.Join(by, ", ")).
		WithField("name").WithMend("change the rules and heartbeats that name it and resolve its incidents first")
}

// rename lets everything that refers to an entry follow its new name. What a file declares cannot follow.
func (c *change) rename(now *Catalog, kind Kind, from, to string) error {
	for _, u := range now.users(kind, from) {
		if u.file != "" {
			return problem.New(problem.Conflict, "%s %q is named by %s in %s", kind, from, u.what(), u.file).
				WithField("name").WithMend("change %s first", u.file)
		}
	}
	swap := func(name string) string {
		if name == from {
			return to
		}
		return name
	}
	if kind == KindPerson {
		return c.renamePerson(now, swap)
	}
	for _, u := range now.users(kind, from) {
		if err := c.renameIn(now, u, kind, swap); err != nil {
			return err
		}
	}
	return nil
}

func (c *change) renameIn(now *Catalog, u user, kind Kind, swap func(string) string) error {
	switch u.kind {
	case KindSchedule:
		s, _ := find(now.Schedules, func(s Schedule) bool { return s.ID == u.id })
		s.Team, s.Overrides = swap(s.Team), nil
		return c.put(u.kind, u.id, "", s)
	case KindPolicy:
		p, _ := find(now.Policies, func(p Policy) bool { return p.ID == u.id })
		switch kind {
		case KindTeam:
			p.Team = swap(p.Team)
		case KindPolicy:
			p.Then = swap(p.Then)
		default:
			p.Levels = retarget(p.Levels, string(kind), swap)
		}
		return c.put(u.kind, u.id, "", p)
	case KindService:
		s, _ := find(now.Services, func(s Service) bool { return s.ID == u.id })
		switch kind {
		case KindTeam:
			s.Team = swap(s.Team)
		case KindPolicy:
			s.EscalationPolicy = swap(s.EscalationPolicy)
		case KindService:
			s.DependsOn = each(s.DependsOn, swap)
		}
		return c.put(u.kind, u.id, "", s)
	case KindMaintenance:
		m, _ := find(now.Maintenance, func(m Maintenance) bool { return m.ID == u.id })
		m.Services = each(m.Services, swap)
		return c.put(u.kind, u.id, "", m)
	case KindStatusPage:
		page := now.StatusPage
		page.Components = slices.Clone(page.Components)
		for i := range page.Components {
			page.Components[i].Service = swap(page.Components[i].Service)
		}
		return c.put(u.kind, u.id, "", page)
	}
	return nil
}

// renamePerson also reaches into what is over: the past is told with the names of today.
func (c *change) renamePerson(now *Catalog, swap func(string) string) error {
	for _, t := range now.Teams {
		if members := each(t.Members, swap); !slices.Equal(members, t.Members) {
			t.Members = members
			if err := c.put(KindTeam, t.ID, "", t); err != nil {
				return err
			}
		}
	}
	for _, s := range now.Schedules {
		changed := false
		s.Layers = slices.Clone(s.Layers)
		for i := range s.Layers {
			members := each(s.Layers[i].Members, swap)
			changed = changed || !slices.Equal(members, s.Layers[i].Members)
			s.Layers[i].Members = members
		}
		if s.Overrides = nil; changed && s.File == "" {
			if err := c.put(KindSchedule, s.ID, "", s); err != nil {
				return err
			}
		}
	}
	for _, p := range now.Policies {
		levels := retarget(p.Levels, ToPerson, swap)
		same := slices.EqualFunc(levels, p.Levels, func(a, b Level) bool { return slices.Equal(a.Targets, b.Targets) })
		if !same && p.File == "" {
			p.Levels = levels
			if err := c.put(KindPolicy, p.ID, "", p); err != nil {
				return err
			}
		}
	}
	for _, r := range slices.Clone(c.shelf.rows[KindOverride]) {
		if o, ok := decode[schedule.Override](r); ok && swap(o.Person) != o.Person {
			o.Person = swap(o.Person)
			if err := c.put(KindOverride, r.id, r.parent, o); err != nil {
				return err
			}
		}
	}
	return nil
}

func retarget(levels []Level, kind string, swap func(string) string) []Level {
	levels = slices.Clone(levels)
	for i := range levels {
		levels[i].Targets = slices.Clone(levels[i].Targets)
		for j, t := range levels[i].Targets {
			if t.Kind == kind {
				levels[i].Targets[j].Name = swap(t.Name)
			}
		}
	}
	return levels
}

func each(names []string, swap func(string) string) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = swap(name)
	}
	return list
}
