package pagerduty

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/schedule"
)

const longestRender = 100 * 24 * time.Hour // of one call

func (a *API) scheduleRoutes() {
	a.read("/oncalls", a.listOnCalls)
	a.read("/schedules", a.listSchedules)
	a.read("/schedules/{id}", a.getSchedule)
	a.route("POST /schedules", auth.Operator, "schedule.create", a.saveSchedule)
	a.route("POST /schedules/preview", auth.Operator, "", a.previewSchedule)
	a.route("PUT /schedules/{id}", auth.Operator, "schedule.change", a.saveSchedule)
	a.route("DELETE /schedules/{id}", auth.Operator, "schedule.remove", func(r request) (any, error) {
		s, err := a.schedule(r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		return nil, a.Catalog.Delete(r.Context(), catalog.KindSchedule, s.ID)
	})
	a.read("/schedules/{id}/overrides", a.listOverrides)
	a.route("POST /schedules/{id}/overrides", auth.Responder, "schedule.override", a.addOverride)
	a.route("DELETE /schedules/{id}/overrides/{override}", auth.Responder, "schedule.override", func(r request) (any, error) {
		return nil, a.Catalog.EndOverride(r.Context(), r.PathValue("id"), r.PathValue("override"))
	})
	a.read("/schedules/{id}/users", a.listScheduleUsers)
}

func (a *API) scheduleRef(name string) any {
	s, ok := a.Catalog.Current().Schedule(name)
	if !ok {
		return nil
	}
	return a.reference("schedule", "schedules", s.ID, s.Name)
}

// span is what a call asks to see.
func (r request) span(fallback time.Duration) (from, to time.Time, err error) {
	if from, err = r.time("since"); err == nil {
		to, err = r.time("until")
	}
	if from.IsZero() {
		from = time.Now().UTC()
	}
	if to.IsZero() {
		to = from.Add(fallback)
	}
	if err == nil && (!from.Before(to) || to.Sub(from) > longestRender) {
		err = problem.New(problem.Invalid, "since is not before until, or they lie more than 100 days apart").WithField("until")
	}
	return from, to, err
}

func (a *API) entries(shifts []schedule.Shift, loc *time.Location) []any {
	list := []any{}
	for _, s := range shifts {
		list = append(list, ref{"start": s.Start.In(loc).Format(time.RFC3339), "end": s.End.In(loc).Format(time.RFC3339), "user": a.userRef(s.Person)})
	}
	return list
}

// covered is how much of a span has somebody, in percent.
func covered(shifts []schedule.Shift, from, to time.Time) float64 {
	var sum time.Duration
	for _, s := range shifts {
		sum += s.End.Sub(s.Start)
	}
	return float64(int(float64(sum)/float64(to.Sub(from))*10000)) / 100
}

func (a *API) showSchedule(s catalog.Schedule, rendered bool, from, to time.Time) ref {
	users, teams, policies := []any{}, []any{}, []any{}
	for _, p := range a.Catalog.Current().Policies {
		if slices.ContainsFunc(p.Levels, func(l catalog.Level) bool {
			return slices.Contains(l.Targets, catalog.Target{Kind: catalog.ToSchedule, Name: s.Name})
		}) {
			policies = append(policies, a.policyRef(p.Name))
		}
	}
	if s.Team != "" {
		teams = append(teams, a.reference("team", "teams", a.teamID(s.Team), s.Team))
	}
	out := ref{"id": s.ID, "type": "schedule", "summary": s.Name, "name": s.Name, "description": s.Description, "time_zone": s.Zone, "self": a.self("schedules", s.ID),
		"html_url": a.PublicURL, "teams": teams, "escalation_policies": policies}
	calendar, err := schedule.New(s.Definition)
	if err != nil {
		return out
	}
	for _, p := range calendar.People() {
		users = append(users, a.userRef(p))
	}
	out["users"] = users
	if !rendered {
		return out
	}
	out["schedule_layers"] = a.showLayers(s, calendar, from, to)
	final := calendar.Final(from, to)
	out["final_schedule"] = ref{"name": "Final Schedule", "rendered_schedule_entries": a.entries(final, calendar.Location()), "rendered_coverage_percentage": covered(final, from, to)}
	var over []schedule.Shift
	for _, o := range s.Overrides {
		if o.Start.Before(to) && o.End.After(from) {
			over = append(over, schedule.Shift{Person: o.Person, Span: schedule.Span{Start: latest(o.Start, from), End: earliest(o.End, to)}, Override: o.ID})
		}
	}
	out["overrides_subschedule"] = ref{"name": "Overrides", "rendered_schedule_entries": a.entries(over, calendar.Location()), "rendered_coverage_percentage": covered(over, from, to)}
	out["override_subschedule"] = out["overrides_subschedule"]
	return out
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// showLayers shows the layers in force, the highest first as the original does.
func (a *API) showLayers(s catalog.Schedule, calendar *schedule.Schedule, from, to time.Time) []any {
	layers := []any{}
	for i := len(s.Layers) - 1; i >= 0; i-- {
		l := s.Layers[i]
		if !l.Until.IsZero() && !l.Until.After(from) {
			continue
		}
		members, restrictions := []any{}, []any{}
		for _, m := range l.Members {
			members = append(members, ref{"user": a.userRef(m)})
		}
		for _, w := range l.Restrictions {
			shown := ref{"type": "daily_restriction", "start_time_of_day": clock(w.Start), "duration_seconds": w.Duration}
			if w.Weekly {
				day := int(w.Weekday)
				if day == 0 {
					day = 7
				}
				shown["type"], shown["start_day_of_week"] = "weekly_restriction", day
			}
			restrictions = append(restrictions, shown)
		}
		start := l.From
		if start.IsZero() {
			start = l.Anchor
		}
		shifts := calendar.Layer(i, from, to)
		loc := calendar.Location()
		shown := ref{"id": l.ID, "name": l.Name, "start": start.In(loc).Format(time.RFC3339), "end": nil, "rotation_virtual_start": a.virtualStart(l).In(loc).Format(time.RFC3339),
			"rotation_turn_length_seconds": int(l.Rotation.Length().Seconds()), "users": members, "restrictions": restrictions,
			"rendered_schedule_entries": a.entries(shifts, loc), "rendered_coverage_percentage": covered(shifts, from, to)}
		if !l.Until.IsZero() {
			shown["end"] = l.Until.In(loc).Format(time.RFC3339)
		}
		layers = append(layers, shown)
	}
	return layers
}

// virtualStart is a handoff at which the first member's turn begins.
func (a *API) virtualStart(l schedule.Layer) time.Time {
	return l.Anchor.Add(-time.Duration(l.Offset) * l.Rotation.Length())
}

func (a *API) listSchedules(r request) (any, error) {
	p, err := r.page()
	items, search := []any{}, strings.ToLower(r.URL.Query().Get("query"))
	for _, s := range a.Catalog.Current().Schedules {
		if strings.Contains(strings.ToLower(s.Name), search) {
			items = append(items, a.showSchedule(s, false, time.Time{}, time.Time{}))
		}
	}
	return slice(p, "schedules", items), err
}

func (a *API) getSchedule(r request) (any, error) {
	s, err := a.schedule(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	from, to, err := r.span(14 * 24 * time.Hour)
	if err != nil {
		return nil, err
	}
	return ref{"schedule": a.showSchedule(s, true, from, to)}, nil
}

// scheduleBody is what clients say of a schedule.
type scheduleBody struct {
	Name        string  `json:"name"`
	Description *string `json:"description"`
	TimeZone    string  `json:"time_zone"`
	Teams       []given `json:"teams"`
	Layers      []struct {
		ID           string `json:"id"`
		Name         string `json:"name"`
		Start        string `json:"start"`
		End          string `json:"end"`
		Virtual      string `json:"rotation_virtual_start"`
		Turn         int64  `json:"rotation_turn_length_seconds"`
		Restrictions []struct {
			Type     string `json:"type"`
			Start    string `json:"start_time_of_day"`
			Day      int    `json:"start_day_of_week"`
			Duration int    `json:"duration_seconds"`
		} `json:"restrictions"`
		Users []struct {
			User given `json:"user"`
		} `json:"users"`
	} `json:"schedule_layers"`
}

// apply changes s to what the body says.
func (a *API) applySchedule(r request, s *catalog.Schedule) error {
	var in struct {
		Schedule *scheduleBody `json:"schedule"`
	}
	if err := r.decode(&in); err != nil {
		return err
	}
	b := in.Schedule
	if b == nil {
		return problem.New(problem.Invalid, "there is no schedule in the body").WithField("schedule")
	}
	s.Name, s.Zone = cmp.Or(b.Name, s.Name), cmp.Or(b.TimeZone, s.Zone, "Etc/UTC")
	if b.Description != nil {
		s.Description = *b.Description
	}
	if len(b.Teams) > 0 {
		t, err := a.team(b.Teams[0].ID)
		if err != nil {
			return err
		}
		s.Team = t.Name
	}
	if b.Layers == nil {
		return nil
	}
	layers := []schedule.Layer{}
	loc, err := time.LoadLocation(s.Zone)
	if err != nil {
		return problem.New(problem.Invalid, "%q is not a time zone", clip(s.Zone, 100)).WithField("schedule.time_zone").WithMend("use a name of the IANA list such as Europe/Paris")
	}
	for i := len(b.Layers) - 1; i >= 0; i-- { // the highest comes first there, and last here
		bl := b.Layers[i]
		l := schedule.Layer{ID: bl.ID, Name: bl.Name, Rotation: schedule.RotationOf(time.Duration(min(max(bl.Turn, 0), 1<<31)) * time.Second)}
		for _, t := range []struct {
			name, text string
			to         *time.Time
		}{{"rotation_virtual_start", cmp.Or(bl.Virtual, bl.Start), &l.Anchor}, {"start", bl.Start, &l.From}, {"end", bl.End, &l.Until}} {
			if t.text == "" {
				continue
			}
			if *t.to, err = parseIn(t.name, t.text, loc); err != nil {
				return err
			}
		}
		for _, u := range bl.Users {
			p, err := a.person(u.User.ID)
			if err != nil {
				return problem.New(problem.Invalid, "there is no user %q", clip(u.User.ID, 100)).WithField("schedule_layers.users")
			}
			l.Members = append(l.Members, p.Name)
		}
		for _, w := range bl.Restrictions {
			at, err := time.Parse(time.TimeOnly, w.Start)
			if err != nil {
				return problem.New(problem.Invalid, "%q is no time of a day", clip(w.Start, 20)).WithField("restrictions.start_time_of_day").WithMend("write it as 09:00:00")
			}
			x := schedule.Restriction{Start: at.Hour()*3600 + at.Minute()*60 + at.Second(), Duration: w.Duration}
			if w.Type == "weekly_restriction" {
				x.Weekly, x.Weekday = true, time.Weekday(w.Day%7)
			}
			l.Restrictions = append(l.Restrictions, x)
		}
		layers = append(layers, l)
	}
	s.Layers = layers
	return nil
}

// parseIn reads a time; one without an offset is in the zone.
func parseIn(name, text string, loc *time.Location) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05"} {
		if t, err := time.ParseInLocation(layout, text, loc); err == nil {
			return t, nil
		}
	}
	return parseTime(name, text)
}

func (a *API) saveSchedule(r request) (any, error) {
	var s catalog.Schedule
	if id := r.PathValue("id"); id != "" {
		var err error
		if s, err = a.schedule(id); err != nil {
			return nil, err
		}
	}
	if err := a.applySchedule(r, &s); err != nil {
		return nil, err
	}
	s, err := a.Catalog.SaveSchedule(r.Context(), s)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	return ref{"schedule": a.showSchedule(s, true, now, now.Add(14*24*time.Hour))}, nil
}

// previewSchedule renders a schedule without keeping it.
func (a *API) previewSchedule(r request) (any, error) {
	var s catalog.Schedule
	if err := a.applySchedule(r, &s); err != nil {
		return nil, err
	}
	from, to, err := r.span(14 * 24 * time.Hour)
	if err != nil {
		return nil, err
	}
	if _, err := schedule.New(s.Definition); err != nil {
		return nil, err
	}
	return ref{"schedule": a.showSchedule(s, true, from, to)}, nil
}

func (a *API) showOverride(o schedule.Override) ref {
	return ref{"id": o.ID, "type": "override", "start": rfc(o.Start), "end": rfc(o.End), "user": a.userRef(o.Person)}
}

func (a *API) listOverrides(r request) (any, error) {
	s, err := a.schedule(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	from, to, err := r.span(longestRender)
	items := []any{}
	for _, o := range s.Overrides {
		if o.Start.Before(to) && o.End.After(from) {
			items = append(items, a.showOverride(o))
		}
	}
	return ref{"overrides": items}, err
}

// addOverride adds one override, or several; clients know both forms.
func (a *API) addOverride(r request) (any, error) {
	type body struct {
		Start string `json:"start"`
		End   string `json:"end"`
		User  given  `json:"user"`
	}
	var in struct {
		Override  *body  `json:"override"`
		Overrides []body `json:"overrides"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	s, err := a.schedule(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	wanted := in.Overrides
	if in.Override != nil {
		wanted = append(wanted, *in.Override)
	}
	if len(wanted) == 0 || len(wanted) > 100 {
		return nil, problem.New(problem.Invalid, "%d overrides are not 1 to 100", len(wanted)).WithField("override")
	}
	loc, err := time.LoadLocation(s.Zone)
	if err != nil {
		return nil, err
	}
	var list []schedule.Override
	for _, b := range wanted {
		o := schedule.Override{By: a.actor(r)}
		if o.Start, err = parseIn("override.start", b.Start, loc); err != nil {
			return nil, err
		}
		if o.End, err = parseIn("override.end", b.End, loc); err != nil {
			return nil, err
		}
		p, err := a.person(b.User.ID)
		if err != nil {
			return nil, problem.New(problem.Invalid, "there is no user %q", clip(b.User.ID, 100)).WithField("override.user")
		}
		o.Person = p.Name
		list = append(list, o)
	}
	made, err := a.Catalog.Override(r.Context(), s.ID, list...)
	if err != nil {
		return nil, err
	}
	if in.Override != nil {
		return ref{"override": a.showOverride(made[0])}, nil
	}
	items := []any{}
	for _, o := range made {
		items = append(items, ref{"status": 201, "override": a.showOverride(o)})
	}
	return items, nil
}

func (a *API) listScheduleUsers(r request) (any, error) {
	s, err := a.schedule(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	items := []any{}
	people := []string{}
	if q := r.URL.Query(); q.Get("since") == "" && q.Get("until") == "" {
		if calendar, ok := a.Catalog.Current().Calendar(s.Name); ok {
			people = calendar.People()
		}
	} else {
		from, to, err := r.span(14 * 24 * time.Hour)
		if err != nil {
			return nil, err
		}
		if calendar, ok := a.Catalog.Current().Calendar(s.Name); ok {
			for _, shift := range calendar.Final(from, to) {
				if !slices.Contains(people, shift.Person) {
					people = append(people, shift.Person)
				}
			}
		}
	}
	for _, name := range people {
		if p, err := a.person(name); err == nil {
			items = append(items, a.showUser(r, p))
		}
	}
	return ref{"users": items}, nil
}

// listOnCalls lists who is paged, by policy and level, for every shift of the span asked for; without one, now.
func (a *API) listOnCalls(r request) (any, error) {
	p, err := r.page()
	if err != nil {
		return nil, err
	}
	from, to, err := r.span(time.Second)
	if err != nil {
		return nil, err
	}
	policies, users, schedules := r.values("escalation_policy_ids"), r.values("user_ids"), r.values("schedule_ids")
	items, seen := []any{}, map[string]bool{}
	earliestOnly := r.URL.Query().Get("earliest") == "true"
	for _, e := range a.Catalog.Current().Policies {
		if !wanted(policies, e.ID) {
			continue
		}
		for n, l := range e.Levels {
			for _, t := range l.Targets {
				for _, o := range a.turns(t, from, to) {
					once := e.ID + "/" + itoa(n) + "/" + o.person + "/" + t.Name
					if !wanted(users, a.userID(o.person)) || !wanted(schedules, o.schedule) || earliestOnly && seen[once] {
						continue
					}
					seen[once] = true
					items = append(items, ref{"escalation_policy": a.policyRef(e.Name), "escalation_level": n + 1, "schedule": o.ref, "user": a.userRef(o.person), "start": o.start, "end": o.end})
				}
			}
		}
	}
	return slice(p, "oncalls", items), nil
}

// turn is one person being on call.
type turn struct {
	person, schedule string
	ref, start, end  any
}

func (a *API) turns(t catalog.Target, from, to time.Time) (list []turn) {
	if t.Kind != catalog.ToSchedule {
		return []turn{{person: t.Name}}
	}
	calendar, ok := a.Catalog.Current().Calendar(t.Name)
	if !ok {
		return nil
	}
	s, _ := a.Catalog.Current().Schedule(t.Name)
	shifts := calendar.Final(from, to)
	if now, ok := calendar.At(from); ok && len(shifts) > 0 && shifts[0].Person == now.Person {
		shifts[0].Start = now.Start // since when, not since when it was asked for
		if len(shifts) == 1 {
			shifts[0].End = now.End
		}
	}
	for _, shift := range shifts {
		o := turn{person: shift.Person, schedule: s.ID, ref: a.scheduleRef(s.Name), start: rfc(shift.Start), end: rfc(shift.End)}
		if shift.End.IsZero() {
			o.end = nil
		}
		list = append(list, o)
	}
	return list
}

func wanted(ids []string, id string) bool {
	return len(ids) == 0 || slices.Contains(ids, id)
}
