package catalog

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/schedule"
)

// schedule reads
//
//	name: primary
//	time_zone: Europe/Paris
//	layers:
//	  - {members: [ada, grace], rotation: weekly, handoff: 2026-01-05 09:00, restrictions: [{days: [mon, fri], from: "09:00", to: "17:00"}]}
//	overrides:
//	  - {person: linus, from: 2026-03-01 09:00, to: 2026-03-02 09:00}
func (r *reader) schedule(n *yaml.Node, refs references) (s Schedule) {
	s.Layers = []schedule.Layer{}
	layers := names{}
	var nodes []map[string]*yaml.Node
	zone := time.UTC
	if at := keyOf(n, "time_zone"); at != nil {
		if loc, err := time.LoadLocation(at.Value); err == nil {
			zone = loc
		}
	}
	seen := r.fields(n, "a schedule", map[string]func(*yaml.Node){
		"name":        func(n *yaml.Node) { s.Name = r.text(n, "name") },
		"description": func(n *yaml.Node) { s.Description = r.text(n, "description") },
		"team":        func(n *yaml.Node) { s.Team = r.text(n, "team"); r.refer(n, "team", s.Team, refs.teams) },
		"time_zone":   func(n *yaml.Node) { s.Zone = r.zone(n) },
		"layers": func(n *yaml.Node) {
			r.items(n, "layers", func(n *yaml.Node) {
				l, at := r.layer(n, zone, len(s.Layers), layers, refs)
				s.Layers, nodes = append(s.Layers, l), append(nodes, at)
			})
		},
		"overrides": func(n *yaml.Node) {
			r.items(n, "overrides", func(n *yaml.Node) { s.Overrides = append(s.Overrides, r.override(n, zone, refs)) })
		},
	})
	r.define(n, "schedule", s.Name, seen["name"], refs.schedules)
	s.ID, s.File = idOf(KindSchedule, s.Name), FileName
	for i := range s.Overrides {
		s.Overrides[i].ID = idOf("override", s.Name, s.Overrides[i].Start.String(), s.Overrides[i].Person)
	}
	if seen["time_zone"] == nil {
		r.errorf(n, "add `time_zone: Europe/Paris`", "schedule %q has no time zone", s.Name)
	}
	if len(s.Layers) == 0 {
		r.warnf(n, "add `layers: [{members: [ada], rotation: weekly, handoff: 2026-01-05 09:00}]`", "nobody is ever on call for %q: it has no layers", s.Name)
	}
	for i, l := range s.Layers {
		r.layerFaults(n, l, nodes[i])
	}
	return s
}

// layerFaults says what the calculator finds impossible, where it is written.
func (r *reader) layerFaults(n *yaml.Node, l schedule.Layer, nodes map[string]*yaml.Node) {
	for _, f := range l.Check() {
		field, _, _ := strings.Cut(f.Field, "[")
		key := map[string]string{"anchor": "handoff", "timeZone": "time_zone"}[field]
		if key == "" {
			key = field
		}
		at := nodes[key]
		if at == nil {
			at = nodes[""]
		}
		if at == nil {
			at = n
		}
		if key == "handoff" && nodes[key] != nil || key == "rotation" && l.Rotation.Every == 0 {
			continue // said where it was read
		}
		r.errorf(at, f.Mend, "%s", f.Message)
	}
}

func keyOf(n *yaml.Node, key string) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func (r *reader) layer(n *yaml.Node, zone *time.Location, index int, known names, refs references) (schedule.Layer, map[string]*yaml.Node) {
	l := schedule.Layer{Members: []string{}, Rotation: schedule.Rotation{Every: 1, Unit: schedule.Week}}
	if at := keyOf(n, "time_zone"); at != nil {
		if own, err := time.LoadLocation(at.Value); err == nil {
			zone = own
		}
	}
	seen := r.fields(n, "a layer", map[string]func(*yaml.Node){
		"name":      func(n *yaml.Node) { l.Name = r.text(n, "name") },
		"time_zone": func(n *yaml.Node) { l.Zone = r.zone(n) },
		"members": func(n *yaml.Node) {
			r.items(n, "members", func(n *yaml.Node) {
				name := r.text(n, "a name in members")
				r.refer(n, "person", name, refs.people)
				l.Members = append(l.Members, name)
			})
		},
		"rotation": func(n *yaml.Node) { l.Rotation = r.rotation(n) },
		"handoff":  func(n *yaml.Node) { l.Anchor = r.moment(n, "handoff", zone) },
		"from":     func(n *yaml.Node) { l.From = r.moment(n, "from", zone) },
		"until":    func(n *yaml.Node) { l.Until = r.moment(n, "until", zone) },
		"restrictions": func(n *yaml.Node) {
			r.items(n, "restrictions", func(n *yaml.Node) { l.Restrictions = append(l.Restrictions, r.window(n, "a restriction")...) })
		},
	})
	if l.Name == "" {
		l.Name = fmt.Sprintf("layer %d", index+1)
	}
	at := seen["name"]
	if at == nil {
		at = n
	}
	if known[l.Name] != nil {
		r.errorf(at, "give each its own name", "layer %q is already defined on line %d", l.Name, known[l.Name].Line)
	}
	known[l.Name] = at
	if seen["handoff"] == nil && len(l.Members) == 1 { // nothing changes hands
		l.Anchor = time.Date(1970, 1, 5, 0, 0, 0, 0, zone)
		seen["handoff"] = n
	}
	seen[""] = n
	return l, seen
}

// rotation reads hourly, daily, weekly or a duration.
func (r *reader) rotation(n *yaml.Node) schedule.Rotation {
	switch s := r.text(n, "rotation"); s {
	case "hourly":
		return schedule.Rotation{Every: 1, Unit: schedule.Hour}
	case "daily":
		return schedule.Rotation{Every: 1, Unit: schedule.Day}
	case "weekly":
		return schedule.Rotation{Every: 1, Unit: schedule.Week}
	default:
		d, err := event.ParseDuration(s)
		if err != nil {
			r.errorf(n, "write daily, weekly, hourly, or a duration such as 12h or 2w", "%q is not a rotation", shorten(s))
			return schedule.Rotation{}
		}
		return schedule.RotationOf(d)
	}
}

// momentForms are how people write times; without an offset they are of the schedule's zone.
var momentForms = []string{"2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02"}

func (r *reader) moment(n *yaml.Node, what string, zone *time.Location) time.Time {
	n, ok := r.enter(n)
	if !ok || isNull(n) {
		return time.Time{}
	}
	if n.Kind == yaml.ScalarNode {
		if t, err := time.Parse(time.RFC3339, n.Value); err == nil {
			return t
		}
		for _, form := range momentForms {
			if t, err := time.ParseInLocation(form, n.Value, zone); err == nil {
				return t
			}
		}
	}
	r.errorf(n, "write it as 2026-01-05 09:00, in the schedule's time zone, or 2026-01-05T09:00:00Z", "%s is %s, not a time", what, kindOf(n))
	return time.Time{}
}

var clockForm = regexp.MustCompile(`^([01]?[0-9]|2[0-4]):([0-5][0-9])$`)

// clock reads 09:00 as seconds after midnight.
func (r *reader) clock(n *yaml.Node, what string) (int, bool) {
	m := clockForm.FindStringSubmatch(n.Value)
	if n.Kind != yaml.ScalarNode || m == nil || m[1] == "24" && m[2] != "00" {
		r.errorf(n, `write it as "09:00"`, "%s is %s, not a time of day", what, kindOf(n))
		return 0, false
	}
	hour, _ := strconv.Atoi(m[1])
	minute, _ := strconv.Atoi(m[2])
	return hour*3600 + minute*60, true
}

var weekdayNames = map[string]time.Weekday{"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}

// window reads {days: [mon, tue], from: "09:00", to: "17:00"} or {…, from: …, for: 12h}; without days it is every day.
func (r *reader) window(n *yaml.Node, what string) (list []schedule.Restriction) {
	var days []time.Weekday
	var from, to int
	var length Duration
	okFrom, okTo := false, false
	seen := r.fields(n, what, map[string]func(*yaml.Node){
		"days": func(n *yaml.Node) {
			r.items(n, "days", func(n *yaml.Node) {
				name := strings.ToLower(r.text(n, "a day"))
				day, ok := weekdayNames[name[:min(3, len(name))]]
				if !ok {
					r.errorf(n, "write mon, tue, wed, thu, fri, sat or sun", "%q is not a day of the week", shorten(name))
					return
				}
				days = append(days, day)
			})
		},
		"from": func(n *yaml.Node) { from, okFrom = r.clock(n, "from") },
		"to":   func(n *yaml.Node) { to, okTo = r.clock(n, "to") },
		"for":  func(n *yaml.Node) { length = r.positive(n, "for") },
	})
	if seen["from"] == nil || (seen["to"] == nil) == (seen["for"] == nil) {
		r.errorf(n, `write {from: "09:00", to: "17:00"}, or {from: "20:00", for: 12h}`, "%s needs `from`, and one of `to` and `for`", what)
		return nil
	}
	duration := int(time.Duration(length) / time.Second)
	if seen["to"] != nil {
		if !okFrom || !okTo {
			return nil
		}
		if duration = to - from; duration <= 0 {
			duration += 24 * 3600
		}
	}
	if len(days) == 0 {
		return []schedule.Restriction{{Start: from % (24 * 3600), Duration: duration}}
	}
	for _, d := range days {
		list = append(list, schedule.Restriction{Weekly: true, Weekday: d, Start: from % (24 * 3600), Duration: duration})
	}
	return list
}

func (r *reader) override(n *yaml.Node, zone *time.Location, refs references) (o schedule.Override) {
	r.fields(n, "an override", map[string]func(*yaml.Node){
		"person": func(n *yaml.Node) { o.Person = r.text(n, "person"); r.refer(n, "person", o.Person, refs.people) },
		"from":   func(n *yaml.Node) { o.Start = r.moment(n, "from", zone) },
		"to":     func(n *yaml.Node) { o.End = r.moment(n, "to", zone) },
	})
	switch {
	case o.Person == "":
		r.errorf(n, "add `person: …`", "this override names nobody")
	case !o.Start.Before(o.End):
		r.errorf(n, "write `from` and, later, `to`", "this override does not end after it starts")
	}
	return o
}
