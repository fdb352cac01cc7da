package alertmanager

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/marker"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/common/model"
)

// Path is one route that an alert takes.
type Path struct {
	Receiver       string            `json:"receiver"`
	Integrations   []string          `json:"integrations" doc:"what the receiver notifies: webhook, email …; empty: nothing"`
	Steps          []string          `json:"steps" doc:"the matchers from the root of the tree down to the route; the root has none"`
	ID             string            `json:"id" doc:"of the route, as in the tree"`
	GroupKey       string            `json:"groupKey"`
	GroupLabels    map[string]string `json:"groupLabels"`
	GroupWait      string            `json:"groupWait"`
	GroupInterval  string            `json:"groupInterval"`
	RepeatInterval string            `json:"repeatInterval"`
	MutedBy        []string          `json:"mutedBy" doc:"time intervals that hold it now"`
	Incident       bool              `json:"incident" doc:"its alerts become incidents here"`

	route    *dispatch.Route
	explicit bool
}

// Held is something that keeps an alert from being told.
type Held struct {
	ID   string `json:"id" doc:"of the silence, or Alertmanager's fingerprint of the alert that inhibits"`
	Text string `json:"text"`
}

// Fate is where an alert with certain labels goes now.
type Fate struct {
	Paths       []Path    `json:"paths"`
	SilencedBy  []Held    `json:"silencedBy"`
	InhibitedBy []Held    `json:"inhibitedBy"`
	Told        []Outcome `json:"told" doc:"what the last notifications of it came to, since the server started"`
	Incident    bool      `json:"incident" doc:"it becomes an incident, at once or when it is no longer withheld"`
	Withheld    string    `json:"withheld,omitempty" doc:"why it does not become an incident now"`
}

// Fate says where an alert goes at a time. starts is since when it fires.
func (m *Manager) Fate(ctx context.Context, set map[string]string, starts, now time.Time) (Fate, error) {
	on, err := m.current()
	if err != nil {
		return Fate{}, err
	}
	lset := labelSet(set)
	f := Fate{Paths: on.routing.paths(lset, now), SilencedBy: m.silencedBy(ctx, lset), InhibitedBy: m.inhibitedBy(ctx, on, lset), Told: m.outcomes.about(lset)}
	f.Incident, f.Withheld = decide(f, starts, now)
	return f, nil
}

// Withheld says why an alert does not become an incident now; empty: it does. explicit tells whether alertmanager.yml asks for an
// incident in so many words. Until everything is in place it is withheld.
func (m *Manager) Withheld(ctx context.Context, set map[string]string, starts, now time.Time) (why string, explicit bool) {
	f, err := m.Fate(ctx, set, starts, now)
	if err != nil {
		return "alerts are still starting", false
	}
	explicit = slices.ContainsFunc(f.Paths, func(p Path) bool { return p.Incident && p.explicit })
	return f.Withheld, explicit
}

// Suppressed says in a word what keeps an alert with certain labels from being told now: silenced, inhibited, muted by time
// intervals on every route that it takes, or empty.
func (m *Manager) Suppressed(ctx context.Context, set map[string]string) string {
	on, err := m.current()
	if err != nil {
		return ""
	}
	lset := labelSet(set)
	switch {
	case len(m.silencedBy(ctx, lset)) > 0:
		return "silenced"
	case len(m.inhibitedBy(ctx, on, lset)) > 0:
		return "inhibited"
	case !slices.ContainsFunc(on.routing.paths(lset, time.Now()), func(p Path) bool { return len(p.MutedBy) == 0 }):
		return "muted"
	}
	return ""
}

// decide is pure: the first reason that holds, in the order in which Alertmanager looks.
func decide(f Fate, starts, now time.Time) (incident bool, withheld string) {
	var here []Path
	var elsewhere []string
	for _, p := range f.Paths {
		if p.Incident {
			here = append(here, p)
			continue
		}
		elsewhere = append(elsewhere, p.Receiver)
	}
	if len(here) == 0 {
		return false, "alertmanager.yml routes it to " + strings.Join(elsewhere, ", ") + ", which opens no incident"
	}
	if len(f.InhibitedBy) > 0 {
		return true, "inhibited by " + f.InhibitedBy[0].Text
	}
	reasons := []string{}
	for _, p := range here {
		reasons = append(reasons, p.notNow(starts, now))
	}
	if !slices.Contains(reasons, "") {
		return true, reasons[0]
	}
	if len(f.SilencedBy) > 0 {
		return true, "silenced " + f.SilencedBy[0].Text
	}
	return true, ""
}

// notNow says what a route waits for.
func (p Path) notNow(starts, now time.Time) string {
	if len(p.MutedBy) > 0 {
		return "muted by the time interval " + strings.Join(p.MutedBy, ", ")
	}
	if until := starts.Add(p.route.RouteOpts.GroupWait); now.Before(until) {
		return fmt.Sprintf("waits until %s for other alerts of its group (group_wait %s)", until.UTC().Format(time.TimeOnly), p.GroupWait)
	}
	return ""
}

// paths are the routes that labels take through the tree.
func (r *Routing) paths(lset model.LabelSet, now time.Time) []Path {
	paths := []Path{}
	for _, route := range r.root.Match(lset) {
		p := r.describe(route)
		for name, value := range lset {
			if _, by := route.RouteOpts.GroupBy[name]; by || route.RouteOpts.GroupByAll {
				p.GroupLabels[string(name)] = string(value)
			}
		}
		p.GroupKey = fmt.Sprintf("%s:%s", route.Key(), labelSet(p.GroupLabels))
		p.MutedBy = r.mutedBy(route, now)
		paths = append(paths, p)
	}
	return paths
}

// describe is a route without an alert.
func (r *Routing) describe(route *dispatch.Route) Path {
	o := route.RouteOpts
	p := Path{
		Receiver: o.Receiver, Integrations: r.integrations(o.Receiver), Steps: r.steps(route), ID: route.ID(),
		GroupLabels: map[string]string{}, GroupWait: short(o.GroupWait), GroupInterval: short(o.GroupInterval),
		RepeatInterval: short(o.RepeatInterval), MutedBy: []string{}, route: route,
	}
	p.Incident, p.explicit = r.opens(route)
	return p
}

func short(d time.Duration) string { return model.Duration(d).String() }

// steps finds the way from the root down to a route.
func (r *Routing) steps(to *dispatch.Route) []string {
	var search func(at *dispatch.Route, above []string) []string
	search = func(at *dispatch.Route, above []string) []string {
		if at == to {
			return above
		}
		for _, below := range at.Routes {
			if found := search(below, append(slices.Clone(above), below.Matchers.String())); found != nil {
				return found
			}
		}
		return nil
	}
	return search(r.root, []string{})
}

// mutedBy names the time intervals that hold a route: those that mute it now, or all that it is active in, if it is in none.
func (r *Routing) mutedBy(route *dispatch.Route, now time.Time) []string {
	o := route.RouteOpts
	names := []string{}
	if _, in, err := r.intervals.Mutes(o.MuteTimeIntervals, now); err == nil {
		names = append(names, in...)
	}
	if active, _, err := r.intervals.Mutes(o.ActiveTimeIntervals, now); err == nil && !active && len(o.ActiveTimeIntervals) > 0 {
		for _, name := range o.ActiveTimeIntervals {
			names = append(names, "outside "+name)
		}
	}
	return names
}

func (m *Manager) silencedBy(ctx context.Context, lset model.LabelSet) []Held {
	held := []Held{}
	active, _, err := m.silences.Query(ctx, silence.QState(silence.SilenceStateActive), silence.QMatches(lset))
	if err != nil {
		m.cfg.Logger.Error("read silences", "error", err)
	}
	for _, s := range active {
		text := fmt.Sprintf("by %s until %s", s.CreatedBy, s.EndsAt.AsTime().UTC().Format("2006-01-02 15:04 MST"))
		if s.Comment != "" {
			text += ": " + s.Comment
		}
		held = append(held, Held{s.Id, text})
	}
	slices.SortFunc(held, func(a, b Held) int { return strings.Compare(a.ID, b.ID) })
	return held
}

func (m *Manager) inhibitedBy(ctx context.Context, on running, lset model.LabelSet) []Held {
	held := []Held{}
	seen := marker.NewAlertMarker()
	if !on.inhibitor.Mutes(marker.WithContext(ctx, seen), lset) {
		return held
	}
	for _, print := range seen.Status(lset.Fingerprint()).InhibitedBy {
		h := Held{print, print}
		if fp, err := model.ParseFingerprint(print); err == nil {
			if source, err := m.alerts.Get(fp); err == nil {
				h.Text = source.Name() + " " + withoutName(source.Labels)
			}
		}
		held = append(held, h)
	}
	return held
}

func withoutName(lset model.LabelSet) string {
	rest := maps.Clone(lset)
	delete(rest, model.AlertNameLabel)
	return rest.String()
}

// markStatus is how Alertmanager's API learns what holds an alert.
func (m *Manager) markStatus(ctx context.Context, lset model.LabelSet) {
	on, err := m.current()
	if err != nil {
		return
	}
	on.inhibitor.Mutes(ctx, lset)
	m.silencer.Mutes(ctx, lset)
}

// Node is one route of the tree.
type Node struct {
	Path
	Matchers  string   `json:"matchers" doc:"empty: every alert"`
	Continue  bool     `json:"continue" doc:"an alert that matches goes on to the next route too"`
	GroupBy   []string `json:"groupBy"`
	MutedIn   []string `json:"mutedIn" doc:"time intervals in which it is muted"`
	ActiveIn  []string `json:"activeIn" doc:"time intervals outside of which it is muted"`
	MutedNow  bool     `json:"mutedNow"`
	Depth     int      `json:"depth"`
	LeadsHere bool     `json:"root" doc:"the fallback for alerts that no other route takes"`
}

// Inhibition is one rule of inhibit_rules.
type Inhibition struct {
	Name   string   `json:"name,omitempty"`
	Source string   `json:"source" doc:"matchers of the alerts that inhibit"`
	Target string   `json:"target" doc:"matchers of the alerts that are inhibited"`
	Equal  []string `json:"equal" doc:"labels in which both must agree"`
}

// Tree is the routing in force, depth first.
type Tree struct {
	File        string       `json:"file,omitempty" doc:"absent: there is no alertmanager.yml, and every alert goes to its service's escalation policy"`
	Nodes       []Node       `json:"nodes"`
	Inhibitions []Inhibition `json:"inhibitions"`
	Intervals   []string     `json:"intervals" doc:"names of the time intervals"`
	Config      string       `json:"config" doc:"the file in force, secrets masked"`
}

// Tree describes the routing in force.
func (m *Manager) Tree(now time.Time) Tree {
	r := m.Routing()
	t := Tree{File: r.file, Nodes: []Node{}, Inhibitions: []Inhibition{}, Intervals: []string{}, Config: r.config.String()}
	var descend func(route *dispatch.Route, depth int)
	descend = func(route *dispatch.Route, depth int) {
		n := Node{Path: r.describe(route), Continue: route.Continue, Depth: depth, LeadsHere: depth == 0, GroupBy: []string{},
			MutedIn: append([]string{}, route.RouteOpts.MuteTimeIntervals...), ActiveIn: append([]string{}, route.RouteOpts.ActiveTimeIntervals...)}
		if len(route.Matchers) > 0 {
			n.Matchers = route.Matchers.String()
		}
		for name := range route.RouteOpts.GroupBy {
			n.GroupBy = append(n.GroupBy, string(name))
		}
		slices.Sort(n.GroupBy)
		if route.RouteOpts.GroupByAll {
			n.GroupBy = []string{"..."}
		}
		n.MutedBy = r.mutedBy(route, now)
		n.MutedNow = len(n.MutedBy) > 0
		t.Nodes = append(t.Nodes, n)
		for _, below := range route.Routes {
			descend(below, depth+1)
		}
	}
	descend(r.root, 0)
	for _, rule := range r.config.InhibitRules {
		made := inhibit.NewInhibitRule(rule)
		t.Inhibitions = append(t.Inhibitions, Inhibition{
			Name: made.Name, Source: made.SourceMatchers.String(), Target: made.TargetMatchers.String(), Equal: append([]string{}, rule.Equal...),
		})
	}
	for _, i := range r.config.MuteTimeIntervals {
		t.Intervals = append(t.Intervals, i.Name)
	}
	for _, i := range r.config.TimeIntervals {
		t.Intervals = append(t.Intervals, i.Name)
	}
	return t
}
