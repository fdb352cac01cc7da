package incident

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// Payload is the JSON body of a page that goes to a webhook. Fields are only ever added. X-Daytwo-Delivery (and Page.ID) is the
// same in every attempt of one page; X-Daytwo-Signature is described at notify.SignatureHeader.
//
//	{
//	  "event": "incident.page",
//	  "text": "[critical] checkout: the error budget burns (#12) http://…/incidents/01j…",
//	  "page": {"id": "01j…", "attempt": 1, "person": "ada", "level": 1, "number": 1, "policy": "payments"},
//	  "incident": {"id": "01j…", "number": 12, "title": "…", "service": "checkout", "severity": "critical",
//	               "status": "triggered", "openedAt": "2026-03-01T12:00:00Z", "url": "http://…/incidents/01j…",
//	               "runbook": "https://…"},
//	  "changes": [{"time": "2026-03-01T11:58:20Z", "service": "checkout", "title": "checkout v2 deployed (was v1)", "actor": "ada"}]
//	}
type Payload struct {
	Event    string          `json:"event"`
	Text     string          `json:"text"` // for chat hooks that show nothing else
	Page     PayloadPage     `json:"page"`
	Incident PayloadIncident `json:"incident"`
	Changes  []PayloadChange `json:"changes"` // of the service and what it depends on, in the hour before; newest first
	// Incidents are those of a message that carries several pages, the worst first, at most 20; incident is the worst. Webhooks
	// get each page by itself.
	Incidents []PayloadIncident `json:"incidents,omitempty"`
}

// PayloadPage says who is paged, why them, and for which time.
type PayloadPage struct {
	ID      string `json:"id"`
	Attempt int    `json:"attempt"`
	Person  string `json:"person"`
	Level   int    `json:"level"`  // 0: the last resort
	Number  int    `json:"number"` // 1: the first page of the incident; 2 and more: nobody acknowledged those before
	Policy  string `json:"policy,omitempty"`
	Kind    string `json:"kind,omitempty"`    // responder: somebody asks for help; update: news for those who wait; absent: the escalation
	Message string `json:"message,omitempty"` // what a responder is asked, or the news
}

// PayloadIncident says what is wrong and where to read on.
type PayloadIncident struct {
	ID       string    `json:"id"`
	Number   int64     `json:"number"`
	Title    string    `json:"title"`
	Service  string    `json:"service"`
	Group    string    `json:"group,omitempty"` // what its alerts share where they name no service
	Severity string    `json:"severity"`
	Status   Status    `json:"status"`
	OpenedAt time.Time `json:"openedAt"`
	URL      string    `json:"url"`
	Runbook  string    `json:"runbook,omitempty"`
}

// PayloadChange is something that was done before the incident.
type PayloadChange struct {
	Time    time.Time `json:"time"`
	Service string    `json:"service"`
	Title   string    `json:"title"`
	Actor   string    `json:"actor,omitempty"`
}

const (
	changesBefore = time.Hour // how far back a change is worth a line in a page
	maxChanges    = 3
)

// compose writes the message of a page, or of several: what is wrong, since when, what changed, where to go. wanted are the
// incidents by page; at least one.
func (s *Incidents) compose(ctx context.Context, a attempt, wanted map[string]Incident) notify.Message {
	list := a.sorted(wanted)
	if len(list) > 1 {
		return s.composeBundle(a, list)
	}
	for _, p := range a.with {
		if _, ok := wanted[p.ID]; ok {
			a.Page, a.step, a.text = p.Page, p.step, p.text
		}
	}
	i := list[0]
	service, _ := s.catalog.Current().Service(i.Service)
	p := Payload{
		Event: "incident.page",
		Page: PayloadPage{ID: a.message(), Attempt: a.Attempts, Person: a.Person, Level: a.Level, Policy: i.Policy,
			Number: i.pageNumber(a), Kind: a.Kind, Message: a.text},
		Incident: s.payloadIncident(i),
		Changes:  s.changesBefore(ctx, i, append([]string{i.Service}, service.DependsOn...)),
	}
	subject := p.subject()
	p.Text = subject + " " + p.Incident.URL
	l := letter{Payload: p, now: s.clock(), zone: s.zone(i, a.Person)}
	return notify.Message{ID: a.message(), Thread: i.ID, Subject: subject, Text: l.render(textLetter.Execute), HTML: l.render(htmlLetter.Execute),
		URL: p.Incident.URL, Data: p, Number: i.Number, Quiet: i.quiet(a.Kind)}
}

// quiet tells whether a page of a kind need not ring: one of low urgency, or news. Somebody who asks for help is loud.
func (i Incident) quiet(kind string) bool {
	return kind == "update" || kind == "" && i.Urgency == catalog.Low
}

func (s *Incidents) payloadIncident(i Incident) PayloadIncident {
	service, _ := s.catalog.Current().Service(i.Service)
	return PayloadIncident{ID: i.ID, Number: i.Number, Title: i.Title, Service: i.Service, Group: i.Group, Severity: i.Severity,
		Status: i.Status, OpenedAt: i.OpenedAt, URL: s.link(i.ID), Runbook: service.Runbook}
}

// subject tells the pages of an incident apart: they come one after another in one thread.
func (p Payload) subject() string {
	page, service := "", ""
	switch p.Page.Kind {
	case "responder":
		page = "[help wanted] "
	case "update":
		page = "[update] "
	}
	if p.Page.Number > 1 {
		page = fmt.Sprintf("[page %d] ", p.Page.Number)
	}
	if p.Incident.Service != "" {
		service = p.Incident.Service + ": "
	}
	return fmt.Sprintf("[%s] %s%s%s (#%d)", p.Incident.Severity, page, service, clip(p.Incident.Title, shownTitle), p.Incident.Number)
}

// pageNumber is the how manieth time somebody is paged by the escalation.
func (i Incident) pageNumber(a attempt) int {
	if a.Kind != "" {
		return 1
	}
	return i.escalation.count(a.step % stepsPerCycle)
}

// changesBefore lists what was done shortly before; a page does not wait for it when the store has trouble.
func (s *Incidents) changesBefore(ctx context.Context, i Incident, services []string) []PayloadChange {
	list := []PayloadChange{}
	entries, _, err := s.timeline.List(ctx, timeline.Filter{Kinds: []timeline.Kind{timeline.Change}, Services: services,
		Range: event.Range{From: i.OpenedAt.Add(-changesBefore), To: s.clock()}, Limit: maxChanges})
	if err != nil {
		s.log.WarnContext(ctx, "a page goes out without what changed", "incident", i.Number, "err", err)
	}
	for _, e := range entries {
		list = append(list, PayloadChange{Time: e.Time, Service: e.Service, Title: e.Title, Actor: e.Actor})
	}
	return list
}

// zone is the time zone of whoever is paged.
func (s *Incidents) zone(i Incident, person string) *time.Location {
	if p, ok := s.catalog.Current().Person(person); ok {
		if zone, err := time.LoadLocation(p.TimeZone); err == nil {
			return zone
		}
	}
	return i.escalation.zone(person)
}

// zone is the time zone of a person, UTC if it is not known.
func (e Escalation) zone(person string) *time.Location {
	if p, ok := e.contact(person); ok {
		if zone, err := time.LoadLocation(p.TimeZone); err == nil {
			return zone
		}
	}
	return time.UTC
}

// letter is a page as a person reads it.
type letter struct {
	Payload
	now  time.Time
	zone *time.Location
}

func (l letter) render(execute func(io.Writer, any) error) string {
	var b strings.Builder
	if err := execute(&b, l); err != nil {
		return l.Text // every message has at least this line
	}
	return b.String()
}

// Clock shows a time where the reader lives.
func (l letter) Clock(t time.Time) string { return t.In(l.zone).Format("15:04:05 MST") }

// Called names who made a change.
func (l letter) Called(actor string) string { return auth.Called(actor) }

// Since is how long the incident has been open.
func (l letter) Since() string {
	return event.FormatDuration(l.now.Sub(l.Incident.OpenedAt).Round(time.Second))
}

// Why says why this person is paged.
func (l letter) Why() string {
	why := fmt.Sprintf("You are level %d of the escalation policy %s.", l.Page.Level, l.Page.Policy)
	switch {
	case l.Page.Level == 0 && l.Page.Policy == "":
		why = "You are the last resort: no escalation policy answers for this incident."
	case l.Page.Level == 0:
		why = "You are the last resort: nobody before you acknowledged."
	}
	if l.Page.Number > 1 {
		why += fmt.Sprintf(" This is page %d: those before were not acknowledged.", l.Page.Number)
	}
	return why
}
