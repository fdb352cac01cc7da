package incident

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/web"
)

type listInput struct {
	web.Page
	Status  string `query:"status" enum:"open,triggered,acknowledged,resolved" doc:"open: triggered or acknowledged; absent: any"`
	Service string `query:"service"`
}

type refInput struct {
	ID string `path:"id" doc:"the id or the number of the incident"`
}

type createInput struct {
	Body struct {
		Service  string `json:"service" minLength:"1" doc:"a service of the catalog"`
		Title    string `json:"title" minLength:"1" maxLength:"500" doc:"what is wrong, in one line"`
		Severity string `json:"severity,omitempty" enum:"critical,warning,info" default:"critical"`
	}
}

type noteInput struct {
	ID   string `path:"id" doc:"the id or the number of the incident"`
	Body struct {
		Text string `json:"text" minLength:"1" maxLength:"16384"`
	}
}

// Routes registers the incident's part of the API.
func (s *Incidents) Routes(w *web.Server) {
	s.steerRoutes(w)
	s.eventRoutes(w)
	s.openRoute(w)
	const tag = "incidents"
	web.Get(w, "/api/incidents", web.Op{ID: "list-incidents", Summary: "List incidents, newest first", Tag: tag}, s.list)
	web.Get(w, "/api/incidents/{id}", web.Op{ID: "get-incident", Summary: "Get an incident with its alerts, pages and log", Tag: tag},
		func(ctx context.Context, in *refInput) (*Detail, error) { return pointerTo(s.Get(ctx, in.ID)) })
	web.Post(w, "/api/incidents", web.Op{ID: "create-incident", Summary: "Open an incident by hand", Tag: tag,
		Role: auth.Responder, Audit: "incident.create", Status: http.StatusCreated},
		func(ctx context.Context, in *createInput) (*Detail, error) {
			return pointerTo(s.Create(ctx, in.Body.Service, in.Body.Title, in.Body.Severity, actor(ctx)))
		})
	web.Post(w, "/api/incidents/{id}/ack", web.Op{ID: "acknowledge-incident", Summary: "Acknowledge an incident: nobody is paged any more",
		Description: "Doing it again, or after the incident was resolved, changes nothing and is no error.",
		Tag:         tag, Role: auth.Responder, Audit: "incident.acknowledge"},
		func(ctx context.Context, in *refInput) (*Detail, error) {
			return pointerTo(s.Acknowledge(ctx, in.ID, actor(ctx)))
		})
	web.Post(w, "/api/incidents/{id}/resolve", web.Op{ID: "resolve-incident", Summary: "Resolve an incident",
		Description: "Doing it again changes nothing and is no error.", Tag: tag, Role: auth.Responder, Audit: "incident.resolve"},
		func(ctx context.Context, in *refInput) (*Detail, error) {
			return pointerTo(s.Resolve(ctx, in.ID, actor(ctx)))
		})
	web.Post(w, "/api/incidents/{id}/notes", web.Op{ID: "add-incident-note", Summary: "Add a note to an incident", Tag: tag,
		Role: auth.Responder, Audit: "incident.note"},
		func(ctx context.Context, in *noteInput) (*Detail, error) {
			return pointerTo(s.AddNote(ctx, in.ID, actor(ctx), in.Body.Text))
		})
	web.Get(w, "/api/oncalls", web.Op{ID: "list-oncalls", Summary: "List who is paged, when, for which services", Tag: tag},
		func(context.Context, *struct{}) (*web.List[OnCall], error) {
			return &web.List[OnCall]{Items: OnCalls(s.catalog.Current(), s.clock())}, nil
		})
	web.Get(w, "/api/oncall-analytics", web.Op{ID: "analyse-oncall", Summary: "How incidents went and whom they paged over a span of time", Tag: tag}, s.analytics)
}

type analyticsInput struct {
	From    string `query:"from" doc:"RFC 3339, Unix seconds, or relative like now-30d; absent: 30 days before to"`
	To      string `query:"to" doc:"as from; absent: now"`
	Service string `query:"service" doc:"absent: all of them"`
}

// longestAnalysed bounds the work of one request.
const longestAnalysed = 370 * 24 * time.Hour

func (s *Incidents) analytics(ctx context.Context, in *analyticsInput) (*Analytics, error) {
	var within event.Range
	var err error
	if within.To, err = web.TimeParam("to", in.To); err != nil {
		return nil, err
	}
	if within.To.IsZero() {
		within.To = s.clock()
	}
	if within.From, err = web.TimeParam("from", in.From); err != nil {
		return nil, err
	}
	if within.From.IsZero() {
		within.From = within.To.Add(-30 * 24 * time.Hour)
	}
	if !within.From.Before(within.To) || within.To.Sub(within.From) > longestAnalysed {
		return nil, problem.New(problem.Invalid, "the span from %s to %s is not between nothing and a year", within.From.Format(time.RFC3339), within.To.Format(time.RFC3339)).
			WithField("from").WithMend("write a shorter one, such as from=now-90d")
	}
	a, err := s.Analyse(ctx, within, in.Service)
	return &a, err
}

func (s *Incidents) list(ctx context.Context, in *listInput) (*web.List[Incident], error) {
	f := Filter{Status: in.Status, Service: in.Service, Limit: in.Limit}
	after, err := in.After()
	if err == nil && after != "" {
		if f.Before, err = strconv.ParseInt(after, 10, 64); err != nil {
			err = problem.New(problem.Invalid, "the cursor is not one of this list").WithField("cursor").WithMend("start again without a cursor")
		}
	}
	if err != nil {
		return nil, err
	}
	list, more, err := s.List(ctx, f)
	answer := &web.List[Incident]{Items: list}
	if more {
		answer.Next = web.Cursor(strconv.FormatInt(list[len(list)-1].Number, 10))
	}
	return answer, err
}

func actor(ctx context.Context) string { return auth.FromContext(ctx).String() }

func pointerTo(d Detail, err error) (*Detail, error) { return &d, err }
