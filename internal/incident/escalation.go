package incident

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/notify"
)

// Escalation is a policy with its people and addresses, kept with the incident as it was when the incident opened: an edit of the
// catalog changes nobody's night halfway. Who a schedule has on call is looked up when its turn comes.
type Escalation struct {
	Policy     string    `json:"policy,omitempty"`
	Levels     []Level   `json:"levels,omitempty"`
	Repeat     int       `json:"repeat,omitempty"`
	Then       []Part    `json:"then,omitempty"` // the policies that go on when this one ran out, in order
	LastResort []Contact `json:"lastResort,omitempty"`
	Missing    string    `json:"missing,omitempty"` // why there is no policy
}

// Part is one policy of an escalation.
type Part struct {
	Policy string  `json:"policy"`
	Levels []Level `json:"levels"`
	Repeat int     `json:"repeat,omitempty"`
}

// Level is one level of an escalation.
type Level struct {
	After     time.Duration `json:"after"` // since the opening, or since the policy's turn began
	People    []Contact     `json:"people"`
	Schedules []string      `json:"schedules,omitempty"`
	// Turns are the targets of a round robin in their order; of each incident that reaches the level, one is paged.
	Turns []catalog.Target `json:"turns,omitempty"`
}

// Contact is a person with the addresses that reach them.
type Contact struct {
	Name      string               `json:"name"`
	TimeZone  string               `json:"timeZone,omitempty"`
	Addresses []notify.Address     `json:"addresses,omitempty"`
	Plans     map[string][]Planned `json:"plans,omitempty"` // by urgency: when to use which address
}

// Planned is an address and how long after the page was decided it is used.
type Planned struct {
	notify.Address
	After time.Duration `json:"after,omitempty"`
}

// pause is what passes after the last level of a policy with one level before it starts over, or gives up.
const pause = 5 * time.Minute

// snapshot takes down the escalation of a service.
func snapshot(c *catalog.Catalog, service string) Escalation {
	found, known := c.Service(service)
	if _, ok := c.Policy(found.EscalationPolicy); ok {
		return ofPolicy(c, found.EscalationPolicy)
	}
	e := Escalation{LastResort: contacts(c, c.WithoutPolicy())}
	switch {
	case service == "":
		e.Missing = "the alert names no service"
	case !known:
		e.Missing = fmt.Sprintf("%s is not in the catalog", service)
	default:
		e.Missing = fmt.Sprintf("%s has no escalation policy", service)
	}
	return e
}

// ofPolicy takes down a policy and those that go on after it.
func ofPolicy(c *catalog.Catalog, name string) Escalation {
	e := Escalation{LastResort: contacts(c, c.LastResort)}
	for i, p := range c.Chain(name) {
		part := Part{Policy: p.Name, Levels: levelsOf(c, p), Repeat: p.Repeat}
		if i == 0 {
			e.Policy, e.Levels, e.Repeat = part.Policy, part.Levels, part.Repeat
			continue
		}
		e.Then = append(e.Then, part)
	}
	return e
}

// renewed is an escalation as it would be taken down now: of the same policy, or of the same people.
func (e Escalation) renewed(c *catalog.Catalog, service string) Escalation {
	if e.Policy != "" {
		if _, ok := c.Policy(e.Policy); ok {
			return ofPolicy(c, e.Policy)
		}
		return e
	}
	if len(e.Levels) == 0 {
		return snapshot(c, service)
	}
	list := slices.Clone(e.Levels[0].People)
	for n, p := range list {
		if _, ok := c.Person(p.Name); ok {
			list[n] = contacts(c, []string{p.Name})[0]
		}
	}
	return Escalation{Levels: []Level{{People: list}}, LastResort: contacts(c, c.LastResort)}
}

// same tells whether two escalations are stored alike.
func (e Escalation) same(other Escalation) bool {
	a, errA := json.Marshal(e)
	b, errB := json.Marshal(other)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

func levelsOf(c *catalog.Catalog, p catalog.Policy) (levels []Level) {
	for _, l := range p.Levels {
		level, people := Level{After: time.Duration(l.After)}, []string{}
		for _, t := range l.Targets {
			if t.Kind == catalog.ToSchedule {
				level.Schedules = append(level.Schedules, t.Name)
			} else {
				people = append(people, t.Name)
			}
		}
		level.People = contacts(c, people)
		if l.RoundRobin && len(l.Targets) > 1 {
			level.Turns = slices.Clone(l.Targets)
		}
		levels = append(levels, level)
	}
	return levels
}

// contacts are people with every way to reach them that may be used.
func contacts(c *catalog.Catalog, people []string) []Contact {
	list := []Contact{}
	for _, name := range people {
		p, _ := c.Person(name)
		contact := Contact{Name: name, TimeZone: p.TimeZone}
		for _, way := range p.Contacts {
			if way.Usable() {
				contact.Addresses = append(contact.Addresses, notify.Address{Channel: way.Channel, To: way.Address})
			}
		}
		for _, urgency := range []string{catalog.High, catalog.Low} {
			for _, n := range p.Plan(urgency) {
				if contact.Plans == nil {
					contact.Plans = map[string][]Planned{}
				}
				at := Planned{notify.Address{Channel: n.Contact.Channel, To: n.Contact.Address}, n.After}
				contact.Plans[urgency] = append(contact.Plans[urgency], at)
			}
		}
		list = append(list, contact)
	}
	return list
}

// step is one thing the pager does: page some people.
type step struct {
	wait      time.Duration // since the step before was taken, or since the opening
	policy    string
	level     int // 0: the last resort, after which nothing comes
	round     int // from 1
	people    []Contact
	schedules []string
	turns     []catalog.Target
	gaps      []string // why schedules have nobody, once they were asked
	passed    []string // why targets before the one whose turn it is were passed over
}

// steps lays an escalation out: every level in each round of each policy, then the last resort, which is there even if it is
// nobody, so that running out is a step like any other and leaves its trace. A round, or the next policy, begins as long after the
// last level of the one before as that level came after its predecessor. Waits count from the step before rather than from the
// opening: whoever is paged has their time to answer also when daytwo was down in between.
func (e Escalation) steps() []step {
	var list []step
	between := pause
	for n, part := range append([]Part{{e.Policy, e.Levels, e.Repeat}}, e.Then...) {
		if len(part.Levels) == 0 {
			continue
		}
		own := pause
		if n := len(part.Levels); n > 1 {
			own = part.Levels[n-1].After - part.Levels[n-2].After
		}
		for round := 1; round <= part.Repeat+1; round++ {
			before := time.Duration(0)
			for i, l := range part.Levels {
				wait := l.After - before
				switch {
				case i == 0 && round > 1:
					wait = own
				case i == 0 && n > 0:
					wait = between
				}
				list = append(list, step{wait: wait, policy: part.Policy, level: i + 1, round: round, people: l.People, schedules: l.Schedules, turns: l.Turns})
				before = l.After
			}
		}
		between = own
	}
	last := step{round: e.Repeat + 1, people: e.LastResort}
	if len(list) > 0 {
		last.wait = between
	}
	return append(list, last)
}

// resolve finds out who the schedules of a step have on call now.
func (s *Incidents) resolve(st step, now time.Time) step {
	c := s.catalog.Current()
	st.people = slices.Clone(st.people)
	for _, name := range st.schedules {
		person, why := c.OnCall(catalog.Target{Kind: catalog.ToSchedule, Name: name}, now)
		switch {
		case person == "":
			st.gaps = append(st.gaps, why)
		case !slices.ContainsFunc(st.people, func(p Contact) bool { return p.Name == person }):
			st.people = append(st.people, contacts(c, []string{person})...)
		}
	}
	return st
}

// count is how many times somebody was paged up to and with the step of that number.
func (e Escalation) count(number int) (n int) {
	for i, s := range e.steps() {
		if i <= number && (len(s.reachable()) > 0 || len(s.schedules) > 0) {
			n++
		}
	}
	return n
}

// reachable are the people of a step who have an address.
func (s step) reachable() (list []Contact) {
	for _, p := range s.people {
		if len(p.Addresses) > 0 {
			list = append(list, p)
		}
	}
	return list
}

// unreachable says why a step reaches nobody.
func (s step) unreachable() string {
	why := slices.Clone(s.gaps)
	if len(s.people) > 0 {
		why = append(why, names(s.people)+" has neither e-mail nor webhook, nor any other way that may be used")
	}
	return strings.Join(why, "; ")
}

// String says what the step does.
func (s step) String() string {
	who := names(s.people)
	if len(s.schedules) > 0 {
		who = strings.TrimPrefix(who+", whoever is on call for "+strings.Join(s.schedules, ", "), ", ")
	}
	if len(s.turns) > 0 {
		who = "one of " + who + " in turn"
	}
	switch {
	case s.level > 0 && s.round > 1:
		return fmt.Sprintf("page %s (level %d, round %d)", who, s.level, s.round)
	case s.level > 0:
		return fmt.Sprintf("page %s (level %d)", who, s.level)
	case len(s.people) > 0:
		return fmt.Sprintf("page %s (last resort)", who)
	}
	return "give up: nobody is left to page"
}

func names(people []Contact) string {
	list := make([]string, len(people))
	for i, p := range people {
		list[i] = p.Name
	}
	return strings.Join(list, ", ")
}

// next is what NextStep shows: only a triggered incident has one.
func (i Incident) next() *NextStep {
	if i.Status != Triggered {
		return nil
	}
	steps := i.escalation.steps()
	if i.nextAt.IsZero() || i.step >= len(steps) && i.Unreached == "" {
		return &NextStep{What: "nothing: nobody is left to page"}
	}
	at := i.nextAt
	if i.step >= len(steps) {
		return &NextStep{At: &at, What: "start over: nobody could be reached"}
	}
	return &NextStep{At: &at, What: steps[i.step].String()}
}

// reach is how a person is told of an incident of some urgency.
func (p Contact) reach(urgency string) (list []Planned) {
	if plan := p.Plans[urgency]; len(plan) > 0 {
		return plan
	}
	for _, a := range p.Addresses {
		list = append(list, Planned{Address: a})
	}
	return list
}
