package incident

import (
	"fmt"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/notify"
)

// Escalation is a policy with its people and addresses, kept with the incident as it was when the incident opened: an edit of
// daytwo.yml changes nobody's night halfway.
type Escalation struct {
	Policy     string    `json:"policy,omitempty"`
	Levels     []Level   `json:"levels,omitempty"`
	Repeat     int       `json:"repeat,omitempty"`
	LastResort []Contact `json:"lastResort,omitempty"`
	Missing    string    `json:"missing,omitempty"` // why there is no policy
}

// Level is one level of an escalation.
type Level struct {
	After  time.Duration `json:"after"` // since the opening
	People []Contact     `json:"people"`
}

// Contact is a person with the addresses that reach them.
type Contact struct {
	Name      string           `json:"name"`
	TimeZone  string           `json:"timeZone,omitempty"`
	Addresses []notify.Address `json:"addresses,omitempty"`
}

// pause is what passes after the last level of a policy with one level before it starts over, or gives up.
const pause = 5 * time.Minute

// snapshot takes down the escalation of a service.
func snapshot(c *catalog.Catalog, service string) Escalation {
	e := Escalation{LastResort: contacts(c, c.LastResort)}
	found, known := c.Service(service)
	policy, ok := c.Policy(found.EscalationPolicy)
	if !ok {
		switch {
		case service == "":
			e.Missing = "the alert names no service"
		case !known:
			e.Missing = fmt.Sprintf("%s is not in the catalog", service)
		default:
			e.Missing = fmt.Sprintf("%s has no escalation policy", service)
		}
		e.LastResort = contacts(c, c.WithoutPolicy())
		return e
	}
	return ofPolicy(c, policy)
}

// ofPolicy takes down a policy.
func ofPolicy(c *catalog.Catalog, policy catalog.Policy) Escalation {
	e := Escalation{Policy: policy.Name, Repeat: policy.Repeat, LastResort: contacts(c, c.LastResort)}
	for _, l := range policy.Levels {
		e.Levels = append(e.Levels, Level{After: time.Duration(l.After), People: contacts(c, l.Targets)})
	}
	return e
}

func contacts(c *catalog.Catalog, people []string) []Contact {
	list := []Contact{}
	for _, name := range people {
		p, _ := c.Person(name)
		contact := Contact{Name: name, TimeZone: p.TimeZone}
		if p.Email != "" {
			contact.Addresses = append(contact.Addresses, notify.Address{Channel: notify.Email, To: p.Email})
		}
		if p.Webhook != "" {
			contact.Addresses = append(contact.Addresses, notify.Address{Channel: notify.Webhook, To: p.Webhook})
		}
		list = append(list, contact)
	}
	return list
}

// step is one thing the pager does: page some people.
type step struct {
	wait   time.Duration // since the step before was taken, or since the opening
	level  int           // 0: the last resort, after which nothing comes
	round  int           // from 1
	people []Contact
}

// steps lays an escalation out: every level in each round, then the last resort, which is there even if it is nobody, so that
// running out is a step like any other and leaves its trace. A round begins as long after the last level of the one before as
// that level came after its predecessor. Waits count from the step before rather than from the opening: whoever is paged has
// their time to answer also when daytwo was down in between.
func (e Escalation) steps() []step {
	var list []step
	between := pause
	if n := len(e.Levels); n > 1 {
		between = e.Levels[n-1].After - e.Levels[n-2].After
	}
	for round := 1; round <= e.Repeat+1; round++ {
		before := time.Duration(0)
		for i, l := range e.Levels {
			wait := l.After - before
			if i == 0 && round > 1 {
				wait = between
			}
			list = append(list, step{wait: wait, level: i + 1, round: round, people: l.People})
			before = l.After
		}
	}
	last := step{round: e.Repeat + 1, people: e.LastResort}
	if len(list) > 0 {
		last.wait = between
	}
	return append(list, last)
}

// count is how many times somebody was paged up to and with the step of that number.
func (e Escalation) count(number int) (n int) {
	for i, s := range e.steps() {
		if i <= number && len(s.reachable()) > 0 {
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

// String says what the step does.
func (s step) String() string {
	switch {
	case s.level > 0 && s.round > 1:
		return fmt.Sprintf("page %s (level %d, round %d)", names(s.people), s.level, s.round)
	case s.level > 0:
		return fmt.Sprintf("page %s (level %d)", names(s.people), s.level)
	case len(s.people) > 0:
		return fmt.Sprintf("page %s (last resort)", names(s.people))
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
	if i.step >= len(steps) || i.nextAt.IsZero() {
		return &NextStep{What: "nothing: nobody is left to page"}
	}
	at := i.nextAt
	return &NextStep{At: &at, What: steps[i.step].String()}
}

// reached is one address and how long after the step it is used.
type reached struct {
	notify.Address
	delay time.Duration
}

// reach are the addresses of a person for an incident of some urgency.
func (p Contact) reach(urgency string) (list []reached) {
	for _, a := range p.Addresses {
		list = append(list, reached{Address: a})
	}
	return list
}
