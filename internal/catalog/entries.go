package catalog

import (
	"maps"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// maxRepeat keeps a forgotten incident from paging for ever.
const maxRepeat = 9

func (r *reader) catalog(root *yaml.Node) *Catalog {
	c := empty()
	refs := references{people: names{}, teams: names{}, schedules: names{}, policies: names{}, services: names{}}
	priorities := names{}
	r.fields(root, "the file", map[string]func(*yaml.Node){
		"people": func(n *yaml.Node) {
			r.items(n, "people", func(n *yaml.Node) { c.People = append(c.People, r.person(n, refs.people)) })
		},
		"teams": func(n *yaml.Node) {
			r.items(n, "teams", func(n *yaml.Node) { c.Teams = append(c.Teams, r.team(n, refs)) })
		},
		"schedules": func(n *yaml.Node) {
			r.items(n, "schedules", func(n *yaml.Node) { c.Schedules = append(c.Schedules, r.schedule(n, refs)) })
		},
		"escalation_policies": func(n *yaml.Node) {
			r.items(n, "escalation_policies", func(n *yaml.Node) { c.Policies = append(c.Policies, r.policy(n, refs)) })
		},
		"services": func(n *yaml.Node) {
			r.items(n, "services", func(n *yaml.Node) { c.Services = append(c.Services, r.service(n, refs)) })
		},
		"priorities": func(n *yaml.Node) {
			r.items(n, "priorities", func(n *yaml.Node) { c.Priorities = append(c.Priorities, r.priority(n, priorities)) })
		},
		"maintenance": func(n *yaml.Node) {
			r.items(n, "maintenance", func(n *yaml.Node) { c.Maintenance = append(c.Maintenance, r.maintenance(n, refs)) })
		},
		"status_page": func(n *yaml.Node) { c.StatusPage = r.statusPage(n, refs) },
		"last_resort": func(n *yaml.Node) { c.LastResort = r.names(n, "last_resort", "person", refs.people) },
	})
	r.later = append(r.later, func() { r.cycles(c.Services, refs.services) }, func() { r.policyCycles(c.Policies, refs.policies) },
		func() { r.keys(c.Services, refs.services) })
	return c
}

// names maps a name to where it is defined.
type names map[string]*yaml.Node

var nameForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)

// define checks the name of an entry and makes it known.
func (r *reader) define(entry *yaml.Node, kind, name string, at *yaml.Node, known names) {
	if at == nil {
		at = entry
	}
	switch {
	case name == "":
		r.errorf(at, "add `name: …`", "this %s has no name", kind)
	case len(name) > 100 || !nameForm.MatchString(name):
		r.errorf(at, "use letters, digits, and - _ . between them, at most 100", "%q cannot be the name of a %s", shorten(name), kind)
	case known[name] != nil:
		r.errorf(at, "give each its own name", "%s %q is already defined on line %d", kind, name, known[name].Line)
	default:
		known[name] = at
	}
}

// names reads a list of references to entries of one kind.
func (r *reader) names(n *yaml.Node, what, kind string, known names) []string {
	list := []string{}
	r.items(n, what, func(n *yaml.Node) {
		name := r.text(n, "a name in "+what)
		if slices.Contains(list, name) {
			r.errorf(n, "keep one of them", "%s names %q twice", what, name)
			return
		}
		r.refer(n, kind, name, known)
		list = append(list, name)
	})
	return list
}

// refer checks, once everything is read, that name is defined.
func (r *reader) refer(n *yaml.Node, kind, name string, known names) {
	r.later = append(r.later, func() {
		if name == "" || known[name] != nil {
			return
		}
		r.errorf(n, r.nearest(name, known), "there is no %s %q", kind, shorten(name))
	})
}

// nearest is the mend for a name that is not known.
func (r *reader) nearest(name string, known names) string {
	mend := "define it, or name one that exists"
	for other := range known {
		if problem.Resembles(other, name) {
			mend = "did you mean " + other + "?"
		}
	}
	return mend
}

func (r *reader) person(n *yaml.Node, people names) (p Person) {
	seen := r.fields(n, "a person", map[string]func(*yaml.Node){
		"name":      func(n *yaml.Node) { p.Name = r.text(n, "name") },
		"full_name": func(n *yaml.Node) { p.FullName = r.text(n, "full_name") },
		"email":     func(n *yaml.Node) { p.Email = r.email(n) },
		"notify":    func(*yaml.Node) {}, // read below, when the contacts are known
		"webhook":   func(n *yaml.Node) { p.Webhook = r.address(n, "webhook") },
		"time_zone": func(n *yaml.Node) { p.TimeZone = r.zone(n) },
		"job_title": func(n *yaml.Node) { p.JobTitle = r.text(n, "job_title") },
		"contacts": func(n *yaml.Node) {
			r.items(n, "contacts", func(n *yaml.Node) { p.Contacts = append(p.Contacts, r.contact(n)) })
		},
	})
	r.define(n, "person", p.Name, seen["name"], people)
	p.ID, p.File = idOf(KindPerson, p.Name), FileName
	p.Contacts = append(builtin(p), p.Contacts...)
	for i := range p.Contacts {
		c := &p.Contacts[i]
		c.ID, c.File = idOf(KindContact, p.Name, c.Channel, c.Address), FileName
	}
	if at := keyOf(n, "notify"); at != nil {
		p.Rules = r.rules(at, p)
	}
	if len(p.Contacts) == 0 {
		r.warnf(n, "add an email or a webhook", "nobody can page %s: no address is given", p.Name)
	}
	return p
}

// builtin are the contacts that have a key of their own.
func builtin(p Person) []Contact {
	list := []Contact{}
	if p.Email != "" {
		list = append(list, Contact{Channel: "email", Address: p.Email})
	}
	if p.Webhook != "" {
		list = append(list, Contact{Channel: "webhook", Address: p.Webhook})
	}
	return list
}

func (r *reader) contact(n *yaml.Node) (c Contact) {
	seen := r.fields(n, "a contact", map[string]func(*yaml.Node){
		"channel": func(n *yaml.Node) { c.Channel = r.text(n, "channel") },
		"label":   func(n *yaml.Node) { c.Label = r.text(n, "label") },
		"address": func(n *yaml.Node) { c.Address = r.text(n, "address") },
	})
	at := seen["address"]
	if at == nil || !slices.Contains(Channels(), c.Channel) {
		at = n
		if seen["channel"] != nil {
			at = seen["channel"]
		}
	}
	if why, mend := checkAddress(c.Channel, c.Address); why != "" {
		r.errorf(at, mend, "%s", why)
	}
	return c
}

// rules reads notify: {high: [{by: push}, {by: sms, after: 2m}], low: [{by: email}]}.
func (r *reader) rules(n *yaml.Node, p Person) []Rule {
	list := []Rule{}
	read := func(urgency string) func(*yaml.Node) {
		return func(n *yaml.Node) {
			r.items(n, urgency, func(n *yaml.Node) { list = append(list, r.rule(n, urgency, p)) })
		}
	}
	r.fields(n, "notify", map[string]func(*yaml.Node){High: read(High), Low: read(Low)})
	for i := range list {
		list[i].ID, list[i].File = idOf(KindRule, p.Name, list[i].Urgency, list[i].Contact, list[i].After.String()), FileName
	}
	return list
}

func (r *reader) rule(n *yaml.Node, urgency string, p Person) Rule {
	rule := Rule{Urgency: urgency}
	seen := r.fields(n, "a rule", map[string]func(*yaml.Node){
		"by":    func(n *yaml.Node) { rule.Contact = r.text(n, "by") },
		"after": func(n *yaml.Node) { rule.After, _ = r.duration(n, "after") },
	})
	at := seen["by"]
	if at == nil {
		at = n
	}
	known := slices.ContainsFunc(p.Contacts, func(c Contact) bool { return c.Called() == rule.Contact || c.Channel == rule.Contact })
	if !known && !slices.Contains(Channels(), rule.Contact) { // a channel may come by a contact made through the API
		r.errorf(at, "name the label or the channel of a contact", "%s has no contact %q", p.Name, shorten(rule.Contact))
	} else if !known {
		r.warnf(at, "add one, or let them add it under Settings", "%s has no contact by %s in this file", p.Name, rule.Contact)
	}
	return rule
}

func (r *reader) email(n *yaml.Node) string {
	s := r.text(n, "email")
	if a, err := mail.ParseAddress(s); s != "" && (err != nil || a.Address != s || strings.ContainsAny(s, "\r\n")) {
		r.errorf(n, "write it as ada@example.com", "%q is not an e-mail address", shorten(s))
	}
	return s
}

// address reads an absolute HTTP URL. The value is not repeated in the message: a webhook may hold a secret.
func (r *reader) address(n *yaml.Node, what string) string {
	s := r.text(n, what)
	if u, err := url.Parse(s); s != "" && (err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https")) {
		r.errorf(n, "write it as https://example.com/path", "%s is not an http or https URL", what)
	}
	return s
}

func (r *reader) zone(n *yaml.Node) string {
	s := r.text(n, "time_zone")
	if _, err := time.LoadLocation(s); s != "" && (err != nil || s == "Local") {
		r.errorf(n, "use a name of the IANA list such as Europe/Paris or UTC", "%q is not a time zone", shorten(s))
	}
	return s
}

func (r *reader) team(n *yaml.Node, refs references) (t Team) {
	t.Members = []string{}
	seen := r.fields(n, "a team", map[string]func(*yaml.Node){
		"name":        func(n *yaml.Node) { t.Name = r.text(n, "name") },
		"description": func(n *yaml.Node) { t.Description = r.text(n, "description") },
		"members":     func(n *yaml.Node) { t.Members = r.names(n, "members", "person", refs.people) },
	})
	r.define(n, "team", t.Name, seen["name"], refs.teams)
	t.ID, t.File = idOf(KindTeam, t.Name), FileName
	return t
}

func (r *reader) policy(n *yaml.Node, refs references) (p Policy) {
	p.Levels = []Level{}
	seen := r.fields(n, "an escalation policy", map[string]func(*yaml.Node){
		"name":        func(n *yaml.Node) { p.Name = r.text(n, "name") },
		"description": func(n *yaml.Node) { p.Description = r.text(n, "description") },
		"team":        func(n *yaml.Node) { p.Team = r.text(n, "team"); r.refer(n, "team", p.Team, refs.teams) },
		"then":        func(n *yaml.Node) { p.Then = r.text(n, "then"); r.refer(n, "escalation policy", p.Then, refs.policies) },
		"levels": func(n *yaml.Node) {
			r.items(n, "levels", func(n *yaml.Node) { p.Levels = append(p.Levels, r.level(n, p.Levels, refs)) })
		},
		"repeat": func(n *yaml.Node) {
			v, ok := r.number(n, "repeat")
			if p.Repeat = int(v); ok && (v < 0 || v > maxRepeat || v != float64(p.Repeat)) {
				r.errorf(n, "write a whole number from 0 to 9", "repeat cannot be %v", v)
				p.Repeat = 0
			}
		},
	})
	r.define(n, "escalation policy", p.Name, seen["name"], refs.policies)
	p.ID, p.File = idOf(KindPolicy, p.Name), FileName
	if len(p.Levels) == 0 {
		r.errorf(n, "add `levels: [{targets: [ada], after: 0s}]`", "escalation policy %q has no levels", p.Name)
	}
	return p
}

func (r *reader) level(n *yaml.Node, before []Level, refs references) (l Level) {
	l.Targets = []Target{}
	seen := r.fields(n, "a level", map[string]func(*yaml.Node){
		"targets":     func(n *yaml.Node) { l.Targets = r.targets(n, refs) },
		"after":       func(n *yaml.Node) { l.After, _ = r.duration(n, "after") },
		"round_robin": func(n *yaml.Node) { l.RoundRobin = r.boolean(n, "round_robin") },
	})
	if len(l.Targets) == 0 {
		r.errorf(n, "add `targets: [ada]`", "this level pages nobody")
	}
	if len(before) > 0 && l.After <= before[len(before)-1].After {
		at := n
		if seen["after"] != nil {
			at = seen["after"]
		}
		r.errorf(at, "`after` counts from the opening of the incident: let it grow from level to level",
			"this level comes at %s, not later than the one before it (%s)", l.After, before[len(before)-1].After)
	}
	return l
}

// targets reads names of people and schedules. A name that is both says which it means: {schedule: primary}.
func (r *reader) targets(n *yaml.Node, refs references) []Target {
	list := []Target{}
	r.items(n, "targets", func(n *yaml.Node) {
		var t Target
		if n.Kind == yaml.MappingNode {
			r.fields(n, "a target", map[string]func(*yaml.Node){
				ToPerson: func(n *yaml.Node) {
					t = Target{ToPerson, r.text(n, ToPerson)}
					r.refer(n, ToPerson, t.Name, refs.people)
				},
				ToSchedule: func(n *yaml.Node) {
					t = Target{ToSchedule, r.text(n, ToSchedule)}
					r.refer(n, ToSchedule, t.Name, refs.schedules)
				},
			})
		} else {
			t = Target{Name: r.text(n, "a name in targets")}
		}
		if slices.Contains(list, t) {
			r.errorf(n, "keep one of them", "targets names %q twice", t.Name)
			return
		}
		list = append(list, t)
		if t.Kind == "" {
			at := len(list) - 1
			r.later = append(r.later, func() { list[at].Kind = r.targetKind(n, t.Name, refs) })
		}
	})
	return list
}

func (r *reader) targetKind(n *yaml.Node, name string, refs references) string {
	person, schedule := refs.people[name] != nil, refs.schedules[name] != nil
	switch {
	case person && schedule:
		r.errorf(n, "write {person: "+name+"} or {schedule: "+name+"}", "%q is a person and a schedule", name)
	case schedule:
		return ToSchedule
	case !person && name != "":
		all := names{}
		maps.Copy(all, refs.people)
		maps.Copy(all, refs.schedules)
		r.errorf(n, r.nearest(name, all), "there is no person %q, and no schedule", shorten(name))
	}
	return ToPerson
}

// policyCycles refuses policies that would page for ever.
func (r *reader) policyCycles(policies []Policy, at names) {
	then := map[string]string{}
	for _, p := range policies {
		then[p.Name] = p.Then
	}
	for _, p := range policies {
		path := []string{p.Name}
		for next := p.Then; next != "" && at[next] != nil; next = then[next] {
			path = append(path, next)
			if next == p.Name {
				r.errorf(at[p.Name], "let one of them end without `then`", "escalation policies go on in a circle: %s", strings.Join(path, " → "))
			}
			if slices.Contains(path[:len(path)-1], next) {
				break
			}
		}
	}
}

func (r *reader) statusPage(n *yaml.Node, refs references) (s StatusPage) {
	s.Components, s.File = []StatusComponent{}, FileName
	r.fields(n, "status_page", map[string]func(*yaml.Node){
		"title":   func(n *yaml.Node) { s.Title = r.text(n, "title") },
		"updates": func(n *yaml.Node) { s.Updates = r.boolean(n, "updates") },
		"components": func(n *yaml.Node) {
			r.items(n, "components", func(n *yaml.Node) {
				var c StatusComponent
				r.fields(n, "a component", map[string]func(*yaml.Node){
					"name":        func(n *yaml.Node) { c.Name = r.text(n, "name") },
					"description": func(n *yaml.Node) { c.Description = r.text(n, "description") },
					"service":     func(n *yaml.Node) { c.Service = r.text(n, "service"); r.refer(n, "service", c.Service, refs.services) },
				})
				if c.Service == "" {
					r.errorf(n, "add `service: checkout`", "this component shows no service")
				}
				s.Components = append(s.Components, c)
			})
		},
	})
	return s
}

func (r *reader) priority(n *yaml.Node, known names) (p Priority) {
	seen := r.fields(n, "a priority", map[string]func(*yaml.Node){
		"name":        func(n *yaml.Node) { p.Name = r.text(n, "name") },
		"description": func(n *yaml.Node) { p.Description = r.text(n, "description") },
		"color":       func(n *yaml.Node) { p.Color = r.text(n, "color") },
	})
	r.define(n, "priority", p.Name, seen["name"], known)
	p.ID, p.File = idOf(KindPriority, p.Name), FileName
	return p
}

func (r *reader) maintenance(n *yaml.Node, refs references) (m Maintenance) {
	r.fields(n, "a maintenance window", map[string]func(*yaml.Node){
		"name":        func(n *yaml.Node) { m.Name = r.text(n, "name") },
		"description": func(n *yaml.Node) { m.Description = r.text(n, "description") },
		"services":    func(n *yaml.Node) { m.Services = r.names(n, "services", "service", refs.services) },
		"from":        func(n *yaml.Node) { m.Start = r.moment(n, "from", time.UTC) },
		"to":          func(n *yaml.Node) { m.End = r.moment(n, "to", time.UTC) },
	})
	m.ID, m.File = idOf(KindMaintenance, m.Name, m.Start.String(), strings.Join(m.Services, ",")), FileName
	switch {
	case len(m.Services) == 0:
		r.errorf(n, "add `services: [checkout]`", "this maintenance window is for no service")
	case !m.Start.Before(m.End):
		r.errorf(n, "write `from` and, later, `to`", "this maintenance window does not end after it starts")
	}
	return m
}
