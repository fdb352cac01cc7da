package catalog

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/schedule"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// Sealer makes what only this daytwo can read; auth.Auth is one.
type Sealer interface {
	Seal(purpose string, secret []byte) (string, error)
	Open(purpose, sealed string) ([]byte, error)
}

const feedPurpose = "oncall/feed"

// Feeds look from a month back to half a year ahead.
const (
	feedBack  = 31 * 24 * time.Hour
	feedAhead = 183 * 24 * time.Hour
)

// Feed is the address of a calendar for programs that cannot sign in: whoever knows it can read it.
type Feed struct {
	URL string `json:"url"`
}

// feedRoutes registers how calendars are found, and the calendars.
func (l *Live) feedRoutes(s *web.Server) {
	if l.Sealer == nil {
		return
	}
	address := func(what string) (*Feed, error) {
		token, err := l.Sealer.Seal(feedPurpose, []byte(what))
		if err != nil {
			return nil, err
		}
		return &Feed{l.PublicURL + "/feeds/" + strings.NewReplacer("+", "-", "/", "_").Replace(token) + ".ics"}, nil
	}
	web.Get(s, "/api/schedules/{ref}/feed", op("get-schedule-feed", "The address of the schedule as a calendar (iCal)"),
		func(_ context.Context, in *byRef) (*Feed, error) {
			found, err := l.Current().ScheduleBy(in.Ref)
			if err != nil {
				return nil, err
			}
			return address("schedule " + found.ID)
		})
	web.Get(s, "/api/people/{ref}/feed", op("get-person-feed", "The address of all shifts of a person as a calendar (iCal)"),
		func(_ context.Context, in *byRef) (*Feed, error) {
			found, err := l.Current().PersonBy(in.Ref)
			if err != nil {
				return nil, err
			}
			return address("person " + found.ID)
		})
	s.MountPublic("/feeds", http.HandlerFunc(l.serveFeed))
}

func (l *Live) serveFeed(w http.ResponseWriter, r *http.Request) {
	token := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/"), ".ics"))
	what, err := l.Sealer.Open(feedPurpose, token)
	if err != nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "there is no such calendar", http.StatusNotFound)
		return
	}
	kind, id, _ := strings.Cut(string(what), " ")
	feed, ok := l.feed(kind, id)
	if !ok {
		http.Error(w, "there is no such calendar any more", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	w.Header().Set("Cache-Control", "private, max-age=300")
	_, _ = w.Write(feed) // the client has gone; nobody to tell
}

func (l *Live) feed(kind, id string) ([]byte, bool) {
	c, now := l.Current(), l.clock()
	from, to := now.Add(-feedBack), now.Add(feedAhead)
	called := func(person string) (string, string) {
		p, _ := c.Person(person)
		if p.FullName != "" {
			person = p.FullName
		}
		return person, p.Email
	}
	if kind == "schedule" {
		s, calendar, err := l.calendarBy(id)
		if err != nil {
			return nil, false
		}
		return schedule.ICal("On call: "+s.Name, schedule.Entries(s.ID, s.Name, l.PublicURL+"/oncall", calendar.Final(from, to), called), now), true
	}
	p, err := c.PersonBy(id)
	if err != nil {
		return nil, false
	}
	var entries []schedule.Entry
	for _, s := range c.Schedules {
		if calendar, ok := c.Calendar(s.Name); ok {
			shifts := slices.DeleteFunc(calendar.Final(from, to), func(shift schedule.Shift) bool { return shift.Person != p.Name })
			entries = append(entries, schedule.Entries(s.ID, s.Name, l.PublicURL+"/oncall", shifts, called)...)
		}
	}
	name, _ := called(p.Name)
	return schedule.ICal("On call: "+name, entries, now), true
}

type importInput struct {
	Ref  string `path:"ref" doc:"the id or name of the schedule"`
	Body struct {
		Calendar string `json:"calendar" doc:"the text of an .ics file, of 3 MiB at most" maxLength:"3145728"`
		Source   string `json:"source,omitempty" doc:"what it is called: importing again under the same name replaces what came before" maxLength:"200" default:"calendar"`
		DryRun   bool   `json:"dryRun,omitempty" doc:"only say what would be done"`
	}
}

// Imported is what an import did, or would do.
type Imported struct {
	Overrides []schedule.Override `json:"overrides"`
	Unknown   []string            `json:"unknown" doc:"events that name nobody of the catalog; they are left out"`
}

func (l *Live) importRoute(s *web.Server) {
	web.Post(s, "/api/schedules/{ref}/import", changing("import-calendar", "Take the shifts of a calendar (iCal) over as overrides, for the year to come", auth.Responder, "schedule.import"),
		func(ctx context.Context, in *importInput) (*Imported, error) {
			s, calendar, err := l.calendarBy(in.Ref)
			if err != nil {
				return nil, err
			}
			now := l.clock()
			events, err := schedule.ParseICal(ctx, []byte(in.Body.Calendar), calendar.Location(), schedule.Span{Start: now, End: now.Add(366 * 24 * time.Hour)})
			if err != nil {
				return nil, problem.From(err).WithField("calendar")
			}
			result := l.Current().shiftsOf(events, auth.FromContext(ctx).String())
			if in.Body.DryRun {
				return &result, nil
			}
			if len(result.Overrides) == 0 && len(events) > 0 {
				return nil, problem.New(problem.Invalid, "no event of the calendar names anybody of the catalog").WithField("calendar").
					WithMend("let the summary or an attendee be a name or an e-mail address of GET /api/people")
			}
			result.Overrides, err = l.Import(ctx, s.ID, in.Body.Source, result.Overrides)
			return &result, err
		})
}

// shiftsOf finds the people of events: by what daytwo wrote, by an attendee, or by a name that begins or makes up the summary.
func (c *Catalog) shiftsOf(events []schedule.Event, by string) (i Imported) {
	i = Imported{Overrides: []schedule.Override{}, Unknown: []string{}}
	var p Person
	var ok bool
	for k, e := range events {
		if k == 0 || !sameWords(events[k-1], e) { // those of a series come one after the other
			p, ok = c.personOf(e)
		}
		if !ok {
			i.Unknown = append(i.Unknown, fmt.Sprintf("%s (%s)", shorten(e.Summary), e.Start.Format(time.RFC3339)))
			continue
		}
		i.Overrides = append(i.Overrides, schedule.Override{Person: p.Name, Start: e.Start, End: e.End, By: by})
	}
	return i
}

func sameWords(a, b schedule.Event) bool {
	return a.Person == b.Person && a.Summary == b.Summary && slices.Equal(a.Emails, b.Emails)
}

func (c *Catalog) personOf(e schedule.Event) (Person, bool) {
	summary := strings.ToLower(strings.TrimSpace(e.Summary))
	return find(c.People, func(p Person) bool {
		if e.Person != "" {
			return p.Name == e.Person
		}
		for _, address := range e.Emails {
			if strings.EqualFold(address, p.Email) && p.Email != "" {
				return true
			}
		}
		for _, name := range []string{p.Name, p.FullName, p.Email} {
			if name = strings.ToLower(name); name != "" && (summary == name || strings.HasPrefix(summary, name+" ") || strings.HasPrefix(summary, name+":") ||
				strings.HasSuffix(summary, ": "+name) || strings.HasSuffix(summary, "- "+name)) {
				return true
			}
		}
		return false
	})
}
