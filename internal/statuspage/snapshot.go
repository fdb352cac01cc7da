package statuspage

import (
	"slices"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
)

// snapshot is what the page shows.
type snapshot struct {
	Title       string
	Updated     time.Time
	Components  []component
	Incidents   []publicIncident // open, the newest first
	Past        []publicIncident // of the last two weeks, the newest first
	MorePast    int              // of them that are left out
	Maintenance []window
}

// maxPast is how many of the troubles that are over are shown, as Statuspage has it.
const maxPast = 50

// component is a service under its public name.
type component struct {
	ID, Name, Description string
	Service               string
	State                 string
	Days                  []day // the oldest first
	Uptime                float64
}

// day is how a component did on one day, in UTC.
type day struct {
	Date time.Time
	Down time.Duration
	Slow time.Duration
}

// publicIncident is a trouble the public was told of, or that a component shows.
type publicIncident struct {
	ID, Name   string
	Notice     bool   // people published it
	Impact     string // none, minor, major, critical
	State      string // investigating, identified, monitoring, resolved
	Start, End time.Time
	Components []component
	Updates    []Update
}

type window struct {
	ID, Name   string
	Start, End time.Time
	Components []component
}

// assemble makes a snapshot of what is known.
func assemble(c *catalog.Catalog, past map[string]*settled, troubles []Trouble, notices []Notice, now time.Time) *snapshot {
	s := &snapshot{Title: c.StatusPage.Title, Updated: now}
	if s.Title == "" {
		s.Title = "Status"
	}
	for _, listed := range c.StatusPage.Components {
		if _, ok := c.Service(listed.Service); ok { // one that left the catalog would be well for ever
			s.Components = append(s.Components, componentOf(c, listed, past[listed.Service], troubles, notices, now))
		}
	}
	for _, t := range troubles {
		if i, ok := s.incident(c, t); ok && !slices.ContainsFunc(notices, func(n Notice) bool { return n.replaces(t) }) {
			s.list(i, now)
		}
	}
	for _, n := range notices {
		if i := s.notice(n); len(i.Components) > 0 {
			s.list(i, now)
		}
	}
	newest := func(a, b publicIncident) int { return b.Start.Compare(a.Start) }
	slices.SortStableFunc(s.Incidents, newest)
	slices.SortStableFunc(s.Past, newest)
	if more := len(s.Past) - maxPast; more > 0 {
		s.Past, s.MorePast = s.Past[:maxPast], more
	}
	for _, m := range c.Maintenance {
		w := window{ID: m.ID, Name: m.Name, Start: m.Start, End: m.End, Components: s.of(m.Services...)}
		if w.Name == "" {
			w.Name = "Maintenance"
		}
		if len(w.Components) > 0 && m.End.After(now) {
			s.Maintenance = append(s.Maintenance, w)
		}
	}
	return s
}

// replaces tells whether a notice stands for a trouble: one that has ended does no more for a trouble that lasts.
func (n Notice) replaces(t Trouble) bool {
	return n.Incident != "" && n.Incident == t.ID && (n.End == nil || !t.End.IsZero())
}

// list puts an incident where it is read.
func (s *snapshot) list(i publicIncident, now time.Time) {
	switch {
	case i.End.IsZero():
		s.Incidents = append(s.Incidents, i)
	case now.Sub(i.End) < listedDays*day24:
		s.Past = append(s.Past, i)
	}
}

// notice is what people published, as the public sees it: without who wrote it.
func (s *snapshot) notice(n Notice) publicIncident {
	i := publicIncident{ID: n.ID, Notice: true, Name: n.Name, Impact: n.Impact, State: n.State, Start: n.Start, Components: s.of(n.Services...)}
	if n.End != nil {
		i.End = *n.End
	}
	for _, u := range n.Updates {
		u.By = ""
		i.Updates = append(i.Updates, u)
	}
	return i
}

// of are the components that show some services.
func (s *snapshot) of(services ...string) (list []component) {
	for _, m := range s.Components {
		if slices.Contains(services, m.Service) {
			list = append(list, m)
		}
	}
	return list
}

// incident is a trouble as the public sees it; one that touches no component is not shown. Its title is internal and stays so: the
// public reads the component's name and what people told it.
func (s *snapshot) incident(c *catalog.Catalog, t Trouble) (publicIncident, bool) {
	i := publicIncident{ID: t.ID, Start: t.Start, End: t.End, Components: s.of(t.Service), Updates: t.Updates, Impact: impactOf(t.Severity), State: "investigating"}
	if !c.StatusPage.Updates {
		i.Updates = nil
	}
	if len(i.Components) == 0 || t.Severity != "critical" && len(i.Updates) == 0 {
		return i, false
	}
	i.Name = "Trouble with " + i.Components[0].Name
	switch {
	case !t.End.IsZero():
		i.State = "resolved"
	case !t.Taken.IsZero():
		i.State = "identified"
	}
	return i, true
}

func impactOf(severity string) string {
	switch severity {
	case "critical":
		return "major"
	case "warning":
		return "minor"
	}
	return "none"
}

func componentOf(c *catalog.Catalog, listed catalog.StatusComponent, past *settled, troubles []Trouble, notices []Notice, now time.Time) component {
	service, _ := c.Service(listed.Service)
	m := component{ID: service.ID, Service: listed.Service, Name: listed.Name, Description: listed.Description, State: Operational}
	if m.Name == "" {
		m.Name = listed.Service
	}
	var all endured
	if past != nil {
		all = past.clone()
	}
	for _, t := range troubles {
		if t.Service != listed.Service {
			continue
		}
		if t.End.IsZero() {
			m.State = worse(m.State, stateOf(t.Severity))
		}
		all.add(t, now)
	}
	for _, n := range notices {
		if slices.Contains(n.Services, listed.Service) {
			m.told(n, &all, now)
		}
	}
	if _, maintained := c.InMaintenance(listed.Service, now); maintained {
		m.State = Maintenance
	}
	all.merge()
	today := now.Truncate(day24)
	whole := span{today.AddDate(0, 0, 1-historyDays), now}
	for d := whole.from; !d.After(today); d = d.AddDate(0, 0, 1) {
		one := span{d, d.AddDate(0, 0, 1)}
		m.Days = append(m.Days, day{d, all.down.within(one), all.slow.within(one)})
	}
	m.Uptime = 100 * (1 - float64(all.down.within(whole))/float64(whole.to.Sub(whole.from)))
	return m
}

// told lets a notice show on a component. One that tells of an incident leaves the past to that.
func (m *component) told(n Notice, all *endured, now time.Time) {
	severity, state := "info", Operational
	switch n.Impact {
	case "critical":
		severity, state = "critical", Major
	case "major":
		severity, state = "critical", Partial
	case "minor":
		severity, state = "warning", Degraded
	}
	t := Trouble{Severity: severity, Start: n.Start}
	if n.End == nil {
		m.State = worse(m.State, state)
	} else {
		t.End = *n.End
	}
	if n.Incident == "" {
		all.add(t, now)
	}
}

func stateOf(severity string) string {
	switch severity {
	case "critical":
		return Major
	case "warning":
		return Degraded
	}
	return Operational
}

var order = []string{Operational, Maintenance, Degraded, Partial, Major}

func worse(a, b string) string {
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// indicator is the state of the whole, in Statuspage's words.
func (s *snapshot) indicator() (indicator, description string) {
	state, worst := Operational, 0
	for _, c := range s.Components {
		state = worse(state, c.State)
		if c.State == Major {
			worst++
		}
	}
	switch {
	case state == Major && worst == len(s.Components):
		return "critical", "Major System Outage"
	case state == Major:
		return "major", "Partial System Outage"
	case state == Partial || state == Degraded:
		return "minor", "Minor Service Outage"
	case state == Maintenance:
		return "maintenance", "Service Under Maintenance"
	}
	return "none", "All Systems Operational"
}
