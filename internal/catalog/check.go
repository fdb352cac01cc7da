package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// refuse is a problem of one field.
func refuse(field, mend, format string, args ...any) error {
	return problem.New(problem.Invalid, format, args...).WithField(field).WithMend("%s", mend)
}

// checkName is for names of entries made through the API: what a person would call a thing.
func checkName(kind Kind, name string) error {
	if name == "" || len(name) > 100 || strings.TrimSpace(name) != name || strings.ContainsAny(name, "/\\") || strings.ContainsFunc(name, unicode.IsControl) {
		return refuse("name", "use up to 100 letters, digits, spaces and signs, but no slash", "%q cannot be the name of a %s", shorten(name), kind)
	}
	return nil
}

func (c *Catalog) needPeople(field string, names []string) error {
	for i, name := range names {
		if _, ok := c.Person(name); !ok {
			return refuse(fmt.Sprintf("%s[%d]", field, i), "name one of GET /api/people", "there is no person %q", shorten(name))
		}
	}
	return nil
}

func (c *Catalog) needTeam(name string) error {
	if _, ok := c.Team(name); name != "" && !ok {
		return refuse("team", "name one of GET /api/teams", "there is no team %q", shorten(name))
	}
	return nil
}

func checkPerson(p Person) error {
	if err := checkName(KindPerson, p.Name); err != nil {
		return err
	}
	for _, c := range builtin(p) {
		if why, mend := checkAddress(c.Channel, c.Address); why != "" {
			return refuse(c.Channel, mend, "%s", why)
		}
	}
	if _, err := time.LoadLocation(p.TimeZone); err != nil || p.TimeZone == "Local" {
		return refuse("timeZone", "use a name of the IANA list such as Europe/Paris", "%q is not a time zone", shorten(p.TimeZone))
	}
	return nil
}

func (c *Catalog) checkTeam(t Team) error {
	if err := checkName(KindTeam, t.Name); err != nil {
		return err
	}
	return c.needPeople("members", t.Members)
}

func (c *Catalog) checkSchedule(s Schedule) error {
	if err := checkName(KindSchedule, s.Name); err != nil {
		return err
	}
	if err := c.needTeam(s.Team); err != nil {
		return err
	}
	if faults := s.Check(); len(faults) > 0 {
		f := faults[0]
		return refuse(f.Field, f.Mend, "%s", f.Message)
	}
	for i, l := range s.Layers {
		if !l.Until.IsZero() {
			continue // it may name people who have left
		}
		if err := c.needPeople(fmt.Sprintf("layers[%d].members", i), l.Members); err != nil {
			return err
		}
	}
	return nil
}

func (c *Catalog) checkPolicy(p Policy) error {
	if err := checkName(KindPolicy, p.Name); err != nil {
		return err
	}
	if err := c.needTeam(p.Team); err != nil {
		return err
	}
	if len(p.Levels) == 0 || len(p.Levels) > 50 {
		return refuse("levels", "give 1 to 50 levels", "the policy has %d levels", len(p.Levels))
	}
	if p.Repeat < 0 || p.Repeat > maxRepeat {
		return refuse("repeat", "write a whole number from 0 to 9", "repeat cannot be %d", p.Repeat)
	}
	for i, l := range p.Levels {
		if len(l.Targets) == 0 {
			return refuse(fmt.Sprintf("levels[%d].targets", i), "name a person or a schedule", "level %d pages nobody", i+1)
		}
		if l.After < 0 || i > 0 && l.After <= p.Levels[i-1].After {
			return refuse(fmt.Sprintf("levels[%d].after", i), "let it grow from level to level: it counts from the opening of the incident",
				"level %d comes at %s, not later than the one before it", i+1, l.After)
		}
		for j, t := range l.Targets {
			if err := c.checkTarget(fmt.Sprintf("levels[%d].targets[%d]", i, j), t); err != nil {
				return err
			}
		}
	}
	return c.checkThen(p)
}

func (c *Catalog) checkTarget(field string, t Target) error {
	switch t.Kind {
	case ToPerson:
		if _, ok := c.Person(t.Name); !ok {
			return refuse(field, "name one of GET /api/people", "there is no person %q", shorten(t.Name))
		}
	case ToSchedule:
		if _, ok := c.Schedule(t.Name); !ok {
			return refuse(field, "name one of GET /api/schedules", "there is no schedule %q", shorten(t.Name))
		}
	default:
		return refuse(field+".kind", "use person or schedule", "%q is not a kind of target", shorten(t.Kind))
	}
	return nil
}

func (c *Catalog) checkThen(p Policy) error {
	seen := []string{p.Name}
	for next := p.Then; next != ""; {
		other, ok := c.Policy(next)
		switch {
		case !ok:
			return refuse("then", "name one of GET /api/policies", "there is no escalation policy %q", shorten(next))
		case slices.Contains(seen, next):
			return refuse("then", "let one of them end", "escalation policies go on in a circle: %s → %s", strings.Join(seen, " → "), next)
		}
		seen, next = append(seen, next), other.Then
	}
	return nil
}

func (c *Catalog) checkService(s Service) error {
	if err := checkName(KindService, s.Name); err != nil {
		return err
	}
	if err := c.needTeam(s.Team); err != nil {
		return err
	}
	if _, ok := c.Policy(s.EscalationPolicy); s.EscalationPolicy != "" && !ok {
		return refuse("escalationPolicy", "name one of GET /api/policies", "there is no escalation policy %q", shorten(s.EscalationPolicy))
	}
	for i, name := range s.DependsOn {
		if _, ok := c.Service(name); !ok {
			return refuse(fmt.Sprintf("dependsOn[%d]", i), "name one of GET /api/services", "there is no service %q", shorten(name))
		}
	}
	for field, at := range map[string]string{"repository": s.Repository, "runbook": s.Runbook} {
		if why, mend := checkURL(at, "an http or https URL"); at != "" && why != "" {
			return refuse(field, mend, "%s", why)
		}
	}
	if s.Urgency != "" && s.Urgency != High && s.Urgency != Low && s.Urgency != BySeverity {
		return refuse("urgency", "use high, low or severity", "%q is not an urgency", shorten(s.Urgency))
	}
	for field, d := range map[string]Duration{"ackTimeout": s.AckTimeout, "autoResolve": s.AutoResolve} {
		if d < 0 || time.Duration(d) > MaxTimeout {
			return refuse(field, "write a duration up to 30d, or leave it out", "%s is not possible for %s", d, field)
		}
	}
	if g := s.Grouping; g != nil && (g.Within < 0 || slices.Contains(g.By, "")) {
		return refuse("grouping", "name labels or fields of the event, and a time that is not negative", "alerts cannot be grouped like this")
	}
	if err := checkHours(s.SupportHours); err != nil {
		return err
	}
	return c.checkIntegrations(s)
}

// MaxTimeout is the longest time after which an incident changes by itself.
const MaxTimeout = 30 * 24 * time.Hour

func checkHours(h *SupportHours) error {
	if h == nil {
		return nil
	}
	if _, err := time.LoadLocation(h.TimeZone); err != nil || h.TimeZone == "" || h.TimeZone == "Local" {
		return refuse("supportHours.timeZone", "use a name of the IANA list such as Europe/Paris", "%q is not a time zone", shorten(h.TimeZone))
	}
	if len(h.Windows) == 0 {
		return refuse("supportHours.windows", "give at least one, or leave the support hours out", "the support hours have no window")
	}
	for i, w := range h.Windows {
		if why, mend := w.Fault(); why != "" {
			return refuse(fmt.Sprintf("supportHours.windows[%d]", i), mend, "%s", why)
		}
	}
	if h.Outside != High && h.Outside != Low {
		return refuse("supportHours.outside", "use high or low", "%q is not an urgency", shorten(h.Outside))
	}
	return nil
}

func (c *Catalog) checkIntegrations(s Service) error {
	for i, integration := range s.Integrations {
		field := fmt.Sprintf("integrations[%d]", i)
		if integration.Name == "" || len(integration.Name) > 100 || !keyForm.MatchString(integration.Key) {
			return refuse(field, "give it a name, and a key of 16 to 64 letters and digits", "the integration has no name, or no key that can be one")
		}
		if slices.ContainsFunc(s.Integrations[:i], func(o Integration) bool { return o.ID == integration.ID }) {
			return refuse(field+".id", "leave it out, and a new one is made", "two integrations have the id %q", shorten(integration.ID))
		}
		for _, other := range c.Services {
			for _, o := range other.Integrations {
				if o.Key == integration.Key && (o.ID != integration.ID || other.ID != s.ID) {
					return refuse(field+".key", "leave it out, and a new one is made", "the key is in use by %s", other.Name)
				}
			}
		}
	}
	return nil
}

func (c *Catalog) checkMaintenance(m Maintenance) error {
	if len(m.Services) == 0 {
		return refuse("services", "name one of GET /api/services", "the maintenance window is for no service")
	}
	for i, name := range m.Services {
		if _, ok := c.Service(name); !ok {
			return refuse(fmt.Sprintf("services[%d]", i), "name one of GET /api/services", "there is no service %q", shorten(name))
		}
	}
	if !m.Start.Before(m.End) {
		return refuse("end", "let it end after it starts", "the maintenance window does not end after it starts")
	}
	return nil
}

func checkContact(p Person, c Contact) error {
	if why, mend := checkAddress(c.Channel, c.Address); why != "" {
		field := "address"
		if !slices.Contains(Channels(), c.Channel) {
			field = "channel"
		}
		return refuse(field, mend, "%s", why)
	}
	if len(p.Contacts) > 50 {
		return refuse("", "remove one first", "%s has %d contacts already", p.Name, len(p.Contacts)-1)
	}
	return nil
}

func checkRule(p Person, r Rule) error {
	if r.Urgency != High && r.Urgency != Low {
		return refuse("urgency", "use high or low", "%q is not an urgency", shorten(r.Urgency))
	}
	if r.After < 0 || time.Duration(r.After) > 24*time.Hour {
		return refuse("after", "write a duration up to 24h", "a delay of %s is not possible", r.After)
	}
	if !slices.ContainsFunc(p.Contacts, func(c Contact) bool { return c.ID == r.Contact || c.Called() == r.Contact || c.Channel == r.Contact }) {
		return refuse("contact", "name one of their contacts", "%s has no contact %q", p.Name, shorten(r.Contact))
	}
	return nil
}
