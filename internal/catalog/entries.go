package catalog

import (
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// maxRepeat keeps a forgotten incident from paging for ever.
const maxRepeat = 9

func (r *reader) catalog(root *yaml.Node) *Catalog {
	c := empty()
	people, teams, policies, services := names{}, names{}, names{}, names{}
	r.fields(root, "the file", map[string]func(*yaml.Node){
		"people": func(n *yaml.Node) {
			r.items(n, "people", func(n *yaml.Node) { c.People = append(c.People, r.person(n, people)) })
		},
		"teams": func(n *yaml.Node) {
			r.items(n, "teams", func(n *yaml.Node) { c.Teams = append(c.Teams, r.team(n, teams, people)) })
		},
		"escalation_policies": func(n *yaml.Node) {
			r.items(n, "escalation_policies", func(n *yaml.Node) { c.Policies = append(c.Policies, r.policy(n, policies, people)) })
		},
		"services": func(n *yaml.Node) {
			refs := references{teams: teams, policies: policies, services: services}
			r.items(n, "services", func(n *yaml.Node) { c.Services = append(c.Services, r.service(n, refs)) })
		},
		"last_resort": func(n *yaml.Node) { c.LastResort = r.names(n, "last_resort", "person", people) },
	})
	r.later = append(r.later, func() { r.cycles(c.Services, services) })
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
		mend := "define it, or name one that exists"
		for other := range known {
			if oneOff(other, name) || plain(other) == plain(name) {
				mend = "did you mean " + other + "?"
			}
		}
		r.errorf(n, mend, "there is no %s %q", kind, shorten(name))
	})
}

func (r *reader) person(n *yaml.Node, people names) (p Person) {
	seen := r.fields(n, "a person", map[string]func(*yaml.Node){
		"name":      func(n *yaml.Node) { p.Name = r.text(n, "name") },
		"full_name": func(n *yaml.Node) { p.FullName = r.text(n, "full_name") },
		"email":     func(n *yaml.Node) { p.Email = r.email(n) },
		"webhook":   func(n *yaml.Node) { p.Webhook = r.address(n, "webhook") },
		"time_zone": func(n *yaml.Node) { p.TimeZone = r.zone(n) },
	})
	r.define(n, "person", p.Name, seen["name"], people)
	if seen["email"] == nil && seen["webhook"] == nil {
		r.warnf(n, "add an email or a webhook", "nobody can page %s: no address is given", p.Name)
	}
	return p
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

func (r *reader) team(n *yaml.Node, teams, people names) (t Team) {
	t.Members = []string{}
	seen := r.fields(n, "a team", map[string]func(*yaml.Node){
		"name":    func(n *yaml.Node) { t.Name = r.text(n, "name") },
		"members": func(n *yaml.Node) { t.Members = r.names(n, "members", "person", people) },
	})
	r.define(n, "team", t.Name, seen["name"], teams)
	return t
}

func (r *reader) policy(n *yaml.Node, policies, people names) (p Policy) {
	p.Levels = []Level{}
	seen := r.fields(n, "an escalation policy", map[string]func(*yaml.Node){
		"name": func(n *yaml.Node) { p.Name = r.text(n, "name") },
		"levels": func(n *yaml.Node) {
			r.items(n, "levels", func(n *yaml.Node) { p.Levels = append(p.Levels, r.level(n, p.Levels, people)) })
		},
		"repeat": func(n *yaml.Node) {
			v, ok := r.number(n, "repeat")
			if p.Repeat = int(v); ok && (v < 0 || v > maxRepeat || v != float64(p.Repeat)) {
				r.errorf(n, "write a whole number from 0 to 9", "repeat cannot be %v", v)
				p.Repeat = 0
			}
		},
	})
	r.define(n, "escalation policy", p.Name, seen["name"], policies)
	if len(p.Levels) == 0 {
		r.errorf(n, "add `levels: [{targets: [ada], after: 0s}]`", "escalation policy %q has no levels", p.Name)
	}
	return p
}

func (r *reader) level(n *yaml.Node, before []Level, people names) (l Level) {
	l.Targets = []string{}
	seen := r.fields(n, "a level", map[string]func(*yaml.Node){
		"targets": func(n *yaml.Node) { l.Targets = r.names(n, "targets", "person", people) },
		"after":   func(n *yaml.Node) { l.After, _ = r.duration(n, "after") },
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
