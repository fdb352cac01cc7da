package catalog

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/schedule"
	"github.com/daytwo-dev/daytwo/internal/web"
)

type scheduleBody struct {
	Name        string      `json:"name"`
	Description string      `json:"description,omitempty"`
	Team        string      `json:"team,omitempty"`
	TimeZone    string      `json:"timeZone"`
	Layers      []layerBody `json:"layers"`
}

type layerBody struct {
	ID           string                 `json:"id,omitempty" doc:"of the layer that this one goes on from"`
	Name         string                 `json:"name,omitempty"`
	TimeZone     string                 `json:"timeZone,omitempty" doc:"its own; absent: that of the schedule"`
	Members      []string               `json:"members"`
	Rotation     schedule.Rotation      `json:"rotation"`
	Anchor       time.Time              `json:"anchor" doc:"any handoff"`
	Restrictions []schedule.Restriction `json:"restrictions,omitempty"`
	From         time.Time              `json:"from,omitzero" doc:"in effect from then on; absent, or before now: from now on"`
	Until        time.Time              `json:"until,omitzero" doc:"in effect up to then; absent: for ever"`
}

func (b scheduleBody) definition() schedule.Definition {
	d := schedule.Definition{Zone: b.TimeZone, Layers: []schedule.Layer{}}
	for _, l := range b.Layers {
		d.Layers = append(d.Layers, schedule.Layer{ID: l.ID, Name: l.Name, Zone: l.TimeZone, Members: l.Members, Rotation: l.Rotation,
			Anchor: l.Anchor, Restrictions: l.Restrictions, From: l.From, Until: l.Until})
	}
	return d
}

func (l *Live) saveSchedule(ctx context.Context, w which, b scheduleBody) (Schedule, error) {
	return l.SaveSchedule(ctx, Schedule{ID: w.id, Saved: w.seen, Name: b.Name, Description: b.Description, Team: b.Team, Definition: b.definition()})
}

// Rendered is a schedule over a span of time.
type Rendered struct {
	From     time.Time        `json:"from"`
	To       time.Time        `json:"to"`
	Layers   []RenderedLayer  `json:"layers" doc:"each as if it were alone, the lowest first"`
	Final    []schedule.Shift `json:"final"`
	Gaps     []schedule.Span  `json:"gaps" doc:"in which nobody is on call"`
	Coverage float64          `json:"coverage" doc:"from 0 to 1"`
}

// RenderedLayer is one layer of it.
type RenderedLayer struct {
	ID     string           `json:"id,omitempty"`
	Name   string           `json:"name"`
	Shifts []schedule.Shift `json:"shifts"`
}

// Render lays a schedule out.
func Render(s *schedule.Schedule, from, to time.Time) Rendered {
	r := Rendered{From: from, To: to, Final: s.Final(from, to), Gaps: s.Gaps(from, to), Coverage: s.Coverage(from, to)}
	for i, l := range s.Layers {
		if shifts := s.Layer(i, from, to); len(shifts) > 0 || l.Until.IsZero() {
			r.Layers = append(r.Layers, RenderedLayer{l.ID, l.Name, shifts})
		}
	}
	return r
}

// OnCallNow is who is on call for a schedule at a time.
type OnCallNow struct {
	ID       string          `json:"id"`
	Schedule string          `json:"schedule"`
	Team     string          `json:"team,omitempty"`
	TimeZone string          `json:"timeZone"`
	Policies []string        `json:"policies" doc:"that page whoever is on call for it"`
	Services []string        `json:"services" doc:"that those policies answer for"`
	On       *schedule.Shift `json:"on,omitempty" doc:"absent: nobody"`
	Next     *schedule.Shift `json:"next,omitempty"`
	Gaps     []schedule.Span `json:"gaps" doc:"of the next two weeks"`
	File     string          `json:"file,omitempty"`
}

// gapsAhead is how far OnCallNow looks for gaps.
const gapsAhead = 14 * 24 * time.Hour

// OnCallAt says for every schedule who is on call, and who comes next.
func (c *Catalog) OnCallAt(at time.Time) []OnCallNow {
	list := []OnCallNow{}
	for _, s := range c.Schedules {
		calendar, ok := c.Calendar(s.Name)
		if !ok {
			continue
		}
		now := calendar.Now(at)
		o := OnCallNow{ID: s.ID, Schedule: s.Name, Team: s.Team, TimeZone: s.Zone, On: now.On, Next: now.Next, File: s.File,
			Policies: []string{}, Services: []string{}, Gaps: calendar.Gaps(at, at.Add(gapsAhead))}
		for _, u := range c.users(KindSchedule, s.Name) {
			if u.kind == KindPolicy {
				o.Policies = append(o.Policies, u.name)
			}
		}
		for _, service := range c.Services {
			if slices.Contains(o.Policies, service.EscalationPolicy) {
				o.Services = append(o.Services, service.Name)
			}
		}
		list = append(list, o)
	}
	return list
}

type spanInput struct {
	Ref  string `path:"ref" doc:"an id or a name"`
	From string `query:"from" doc:"RFC 3339, Unix seconds, or relative like now-7d; absent: now"`
	To   string `query:"to" doc:"as from; absent: two weeks after it"`
}

// maxRendered bounds the work of one request.
const maxRendered = 370 * 24 * time.Hour

func span(from, to string, now time.Time) (schedule.Span, error) {
	start, err := web.TimeParam("from", from)
	if err != nil {
		return schedule.Span{}, err
	}
	if start.IsZero() {
		start = now
	}
	end, err := web.TimeParam("to", to)
	if err != nil {
		return schedule.Span{}, err
	}
	if end.IsZero() {
		end = start.Add(14 * 24 * time.Hour)
	}
	if !start.Before(end) || end.Sub(start) > maxRendered {
		return schedule.Span{}, problem.New(problem.Invalid, "the span from %s to %s is not between nothing and a year", start.Format(time.RFC3339), end.Format(time.RFC3339)).WithField("to")
	}
	return schedule.Span{Start: start, End: end}, nil
}

func (l *Live) calendarBy(ref string) (Schedule, *schedule.Schedule, error) {
	c := l.Current()
	s, err := c.ScheduleBy(ref)
	if err != nil {
		return s, nil, err
	}
	calendar, ok := c.Calendar(s.Name)
	if !ok {
		return s, nil, missing(KindSchedule, ref)
	}
	return s, calendar, nil
}

func (l *Live) scheduleRoutes(s *web.Server) {
	web.Get(s, "/api/schedules", op("list-schedules", "List the schedules"),
		func(context.Context, *none) (*web.List[Schedule], error) {
			return &web.List[Schedule]{Items: l.Current().Schedules}, nil
		})
	web.Get(s, "/api/schedules/{ref}", op("get-schedule", "Get a schedule"),
		func(_ context.Context, in *byRef) (*Schedule, error) {
			found, err := l.Current().ScheduleBy(in.Ref)
			return &found, err
		})
	web.Get(s, "/api/schedules/{ref}/rendered", op("render-schedule", "Lay out who is on call over a span of time"),
		func(_ context.Context, in *spanInput) (*Rendered, error) {
			_, calendar, err := l.calendarBy(in.Ref)
			if err != nil {
				return nil, err
			}
			within, err := span(in.From, in.To, l.clock())
			if err != nil {
				return nil, err
			}
			r := Render(calendar, within.Start, within.End)
			return &r, nil
		})
	type nowInput struct {
		At string `query:"at" doc:"RFC 3339, Unix seconds, or relative like now+8h; absent: now"`
	}
	web.Get(s, "/api/oncall", op("list-oncall-now", "Who is on call for every schedule, and who comes next"),
		func(_ context.Context, in *nowInput) (*web.List[OnCallNow], error) {
			at, err := web.TimeParam("at", in.At)
			if at.IsZero() {
				at = l.clock()
			}
			return &web.List[OnCallNow]{Items: l.Current().OnCallAt(at)}, err
		})
	web.Ask(s, "/api/schedule-preview", op("preview-schedule", "Lay out a schedule that is not stored"), l.preview)
	web.Get(s, "/api/schedules/{ref}/fairness", op("get-schedule-fairness", "Hours, nights and weekends of each person, and how often the schedule had them paged; without dates the last 90 days"),
		func(ctx context.Context, in *spanInput) (*web.List[schedule.Share], error) {
			if in.From == "" && in.To == "" {
				in.From, in.To = "now-90d", "now"
			}
			found, calendar, err := l.calendarBy(in.Ref)
			if err != nil {
				return nil, err
			}
			within, err := span(in.From, in.To, l.clock())
			if err != nil {
				return nil, err
			}
			return l.fairness(ctx, found.Name, calendar, within)
		})
}

type previewInput struct {
	From     string `query:"from"`
	To       string `query:"to"`
	Schedule string `query:"schedule" doc:"the id or name of the one that this would replace: what was stays, and so do its overrides; absent: a new one"`
	Body     scheduleBody
}

// preview lays out what saving would bring, as SaveSchedule would have it.
func (l *Live) preview(_ context.Context, in *previewInput) (*Rendered, error) {
	now := l.clock()
	within, err := span(in.From, in.To, now)
	if err != nil {
		return nil, err
	}
	wanted := in.Body.definition()
	if faults := wanted.Check(); len(faults) > 0 {
		return nil, refuse(faults[0].Field, faults[0].Mend, "%s", faults[0].Message)
	}
	if in.Schedule != "" {
		before, err := l.Current().ScheduleBy(in.Schedule)
		if err != nil {
			return nil, err
		}
		wanted.Layers, wanted.Overrides = schedule.Revise(before.Definition, wanted.Zone, wanted.Layers, now), before.Overrides
	}
	calendar, err := schedule.New(wanted)
	if err != nil {
		return nil, err
	}
	r := Render(calendar, within.Start, within.End)
	return &r, nil
}

// fairness counts a page for the schedule if it was by a step that asked it, and came to whoever it had on call then.
func (l *Live) fairness(ctx context.Context, name string, calendar *schedule.Schedule, within schedule.Span) (*web.List[schedule.Share], error) {
	var pages []schedule.Paged
	if l.Pages != nil {
		var err error
		if pages, err = l.Pages(ctx, name, within.Start, within.End); err != nil {
			return nil, err
		}
	}
	pages = slices.DeleteFunc(pages, func(p schedule.Paged) bool {
		on, ok := calendar.At(p.Due)
		return !ok || on.Person != p.Person
	})
	c := l.Current()
	shares := schedule.Fairness(calendar.Final(within.Start, within.End), pages, func(person string) *time.Location {
		p, _ := c.Person(person)
		if loc, err := time.LoadLocation(p.TimeZone); p.TimeZone != "" && err == nil {
			return loc
		}
		return calendar.Location()
	})
	return &web.List[schedule.Share]{Items: shares}, nil
}

type overrideInput struct {
	Ref  string `path:"ref" doc:"the id or name of the schedule"`
	Body struct {
		Person string    `json:"person"`
		Start  time.Time `json:"start" doc:"one before now becomes now"`
		End    time.Time `json:"end"`
	}
}

type swapInput struct {
	Ref  string `path:"ref" doc:"the id or name of the schedule"`
	Body struct {
		A schedule.Span `json:"a" doc:"within a shift of one person"`
		B schedule.Span `json:"b" doc:"within a shift of another"`
	}
}

func (l *Live) overrideRoutes(s *web.Server) {
	made := changing("create-override", "Put somebody in for whoever is on call, also where a file declares the schedule", auth.Responder, "schedule.override")
	made.Status = http.StatusCreated
	web.Post(s, "/api/schedules/{ref}/overrides", made, func(ctx context.Context, in *overrideInput) (*schedule.Override, error) {
		list, err := l.Override(ctx, in.Ref, schedule.Override{Person: in.Body.Person, Start: in.Body.Start, End: in.Body.End, By: auth.FromContext(ctx).String()})
		if err != nil {
			return nil, err
		}
		return &list[0], nil
	})
	type ended struct {
		Ref string `path:"ref" doc:"the id or name of the schedule"`
		ID  string `path:"id" doc:"of the override"`
	}
	web.Delete(s, "/api/schedules/{ref}/overrides/{id}",
		changing("end-override", "Take an override back, or end it now if it is under way", auth.Responder, "schedule.override.end"),
		func(ctx context.Context, in *ended) (*struct{}, error) { return nil, l.EndOverride(ctx, in.Ref, in.ID) })
	swapped := changing("swap-shifts", "Let two people take each other's shift", auth.Responder, "schedule.swap")
	swapped.Status = http.StatusCreated
	web.Post(s, "/api/schedules/{ref}/swaps", swapped, func(ctx context.Context, in *swapInput) (*web.List[schedule.Override], error) {
		list, err := l.Swap(ctx, in.Ref, in.Body.A, in.Body.B, auth.FromContext(ctx).String())
		return &web.List[schedule.Override]{Items: list}, err
	})
	l.importRoute(s)
}

func (l *Live) clock() time.Time {
	if l.now == nil {
		return time.Now().UTC()
	}
	return l.now().UTC()
}
