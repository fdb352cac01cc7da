package statuspage

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// View is the page as it stands, for those who look after it.
type View struct {
	Title       string          `json:"title"`
	URL         string          `json:"url" doc:"where the public reads it; empty: nothing is listed, so there is no page"`
	Badge       string          `json:"badge" doc:"one line for a README"`
	Summary     string          `json:"summary" doc:"as Statuspage's clients read it"`
	Indicator   string          `json:"indicator" enum:"none,minor,major,critical,maintenance"`
	Description string          `json:"description"`
	UpdatedAt   time.Time       `json:"updatedAt"`
	Components  []ComponentView `json:"components"`
	Incidents   []IncidentView  `json:"incidents" doc:"that the public sees now, the newest first"`
}

// ComponentView is a component and how it did.
type ComponentView struct {
	Name        string    `json:"name"`
	Service     string    `json:"service"`
	Description string    `json:"description,omitempty"`
	Badge       string    `json:"badge" doc:"how it stands, in one line for a README; with ?uptime how much of 90 days it was up"`
	State       string    `json:"state" enum:"operational,under_maintenance,degraded_performance,partial_outage,major_outage"`
	Uptime      float64   `json:"uptime" doc:"percent of the last 90 days"`
	Days        []DayView `json:"days" doc:"the oldest first"`
}

// DayView is how a component did on one day, in UTC.
type DayView struct {
	Date  string `json:"date"`
	Level string `json:"level" enum:"ok,slow,part,down" doc:"slow: degraded; part: out for up to an hour; down: for longer"`
	Words string `json:"words"`
}

// IncidentView is a trouble as the public sees it.
type IncidentView struct {
	ID         string    `json:"id"`
	Notice     bool      `json:"notice,omitempty" doc:"people published it; else the page says it by itself of an incident"`
	Name       string    `json:"name"`
	Impact     string    `json:"impact" enum:"none,minor,major,critical"`
	State      string    `json:"state" enum:"investigating,identified,monitoring,resolved"`
	Start      time.Time `json:"start"`
	Components []string  `json:"components"`
	Updates    []Update  `json:"updates" doc:"the oldest first"`
}

type noticeBody struct {
	Name     string   `json:"name" minLength:"1" maxLength:"200" doc:"what customers notice, in one line"`
	Impact   string   `json:"impact" enum:"none,minor,major,critical"`
	Services []string `json:"services" minItems:"1" maxItems:"200"`
}

type publishInput struct {
	Body struct {
		Name     string   `json:"name" minLength:"1" maxLength:"200" doc:"what customers notice, in one line"`
		Impact   string   `json:"impact" enum:"none,minor,major,critical"`
		Services []string `json:"services" minItems:"1" maxItems:"200"`
		Incident string   `json:"incident,omitempty" maxLength:"100" doc:"the id of the incident it tells of"`
		State    string   `json:"state" enum:"investigating,identified,monitoring,resolved"`
		Text     string   `json:"text" minLength:"1" maxLength:"5000"`
	}
}

type tellInput struct {
	ID   string `path:"id"`
	Body struct {
		State string `json:"state" enum:"investigating,identified,monitoring,resolved"`
		Text  string `json:"text" minLength:"1" maxLength:"5000"`
	}
}

type amendInput struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" maxLength:"100" doc:"the version that was looked at: if there is another by now, the answer is 409 and nothing changes; absent: whatever is there is replaced"`
	Body    noticeBody
}

type noticeRef struct {
	ID string `path:"id"`
}

// noticesShown is how long ended notices are listed.
const noticesShown = 90 * 24 * time.Hour

// Routes registers what people do with the page. What the public reads needs no route, see Handler.
func (p *Page) Routes(s *web.Server) {
	op := func(id, summary string) web.Op { return web.Op{ID: id, Summary: summary, Tag: "status page"} }
	changing := func(id, summary, audit string) web.Op {
		o := op(id, summary)
		o.Role, o.Audit = auth.Responder, audit
		return o
	}
	pointer := func(n Notice, err error) (*Notice, error) { return &n, err }
	web.Get(s, "/api/status-page/now", op("view-status-page", "The public status page as it stands"),
		func(context.Context, *struct{}) (*View, error) { return p.view(), nil })
	web.Get(s, "/api/status-notices", op("list-status-notices", "List what people told the public, of the last 90 days"),
		func(ctx context.Context, _ *struct{}) (*web.List[Notice], error) {
			list, err := p.Notices(ctx, p.clock().Add(-noticesShown))
			return &web.List[Notice]{Items: list}, err
		})
	published := changing("publish-status-notice", "Tell the public of a trouble; nobody is paged", "status_notice.publish")
	published.Status = http.StatusCreated
	web.Post(s, "/api/status-notices", published, func(ctx context.Context, in *publishInput) (*Notice, error) {
		b := in.Body
		return pointer(p.Publish(ctx, Notice{Name: b.Name, Impact: b.Impact, Services: b.Services, Incident: b.Incident, State: b.State}, b.Text, auth.FromContext(ctx).String()))
	})
	web.Post(s, "/api/status-notices/{id}/updates", changing("update-status-notice", "Tell the public how things stand; resolved ends it", "status_notice.update"),
		func(ctx context.Context, in *tellInput) (*Notice, error) {
			return pointer(p.Tell(ctx, in.ID, in.Body.State, in.Body.Text, auth.FromContext(ctx).String()))
		})
	web.Put(s, "/api/status-notices/{id}", changing("amend-status-notice", "Change the name, impact and components of a notice", "status_notice.amend"),
		func(ctx context.Context, in *amendInput) (*Notice, error) {
			return pointer(p.Amend(ctx, in.ID, catalog.Seen(in.IfMatch), in.Body.Name, in.Body.Impact, in.Body.Services))
		})
	web.Delete(s, "/api/status-notices/{id}", changing("withdraw-status-notice", "Take a notice off the page, as if it had never been there", "status_notice.withdraw"),
		func(ctx context.Context, in *noticeRef) (*struct{}, error) { return nil, p.Withdraw(ctx, in.ID) })
}

func (p *Page) view() *View {
	s := p.current.Load()
	v := &View{Title: s.Title, UpdatedAt: s.Updated, Components: []ComponentView{}, Incidents: []IncidentView{}}
	v.Indicator, v.Description = s.indicator()
	v.Description = sentence(v.Description)
	if len(s.Components) > 0 {
		v.URL = p.cfg.PublicURL + "/status/"
		v.Badge, v.Summary = v.URL+"badge.svg", v.URL+"api/v2/summary.json"
	}
	for _, c := range s.Components {
		view := ComponentView{Name: c.Name, Service: c.Service, Description: c.Description, Badge: v.URL + "badges/" + url.PathEscape(c.ID) + ".svg", State: c.State, Uptime: c.Uptime, Days: []DayView{}}
		for _, d := range c.Days {
			view.Days = append(view.Days, DayView{d.Date.Format(time.DateOnly), d.Level(), d.Words()})
		}
		v.Components = append(v.Components, view)
	}
	for _, i := range s.Incidents {
		view := IncidentView{ID: i.ID, Notice: i.Notice, Name: i.Name, Impact: i.Impact, State: i.State, Start: i.Start, Updates: i.Updates, Components: []string{}}
		for _, c := range i.Components {
			view.Components = append(view.Components, c.Name)
		}
		v.Incidents = append(v.Incidents, view)
	}
	return v
}
