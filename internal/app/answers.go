package app

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/statuspage"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// answerable gives pages what their reader can do about them without signing in.
type answerable struct{ channels *notify.Notifier }

// Send sends m with answers, if it is a page.
func (a answerable) Send(ctx context.Context, to notify.Address, m notify.Message) error {
	if p, ok := m.Data.(incident.Payload); ok {
		m.Number, m.Answers = p.Incident.Number, a.channels.Answers(p.Incident.ID, p.Page.Person, time.Now())
	}
	return a.channels.Send(ctx, to, m)
}

// responder carries out what people answer to pages.
type responder struct {
	incidents *incident.Incidents
	catalog   *catalog.Live
	audit     func(ctx context.Context, action, target, detail string)
	log       *slog.Logger
}

// Answer acknowledges or resolves. Without an incident it is the newest one that the person was paged for.
func (r *responder) Answer(ctx context.Context, verb, ref, person string) (string, error) {
	if ref == "" {
		var err error
		if ref, err = r.newest(ctx, verb, person); err != nil {
			return "", err
		}
	}
	do := r.incidents.Acknowledge
	if verb == notify.Resolve {
		do = r.incidents.Resolve
	}
	d, err := do(ctx, ref, person)
	if err != nil {
		return "", err
	}
	r.audit(ctx, "incident."+verb, "incident/"+d.ID, "answered by "+person)
	by := d.AcknowledgedBy
	if d.Status == incident.Resolved {
		by = d.ResolvedBy
	}
	said := fmt.Sprintf("#%d is %s", d.Number, d.Status)
	if by != "" && by != person {
		said += " by " + by
	}
	return said, nil
}

func (r *responder) newest(ctx context.Context, verb, person string) (string, error) {
	status := string(incident.Triggered)
	if verb == notify.Resolve {
		status = "open"
	}
	list, _, err := r.incidents.List(ctx, incident.Filter{Status: status, Limit: 50})
	if err != nil {
		return "", err
	}
	for _, i := range list {
		d, err := r.incidents.Get(ctx, i.ID)
		if err != nil {
			return "", err
		}
		if slices.ContainsFunc(d.Pages, func(p incident.Page) bool { return p.Person == person }) {
			return i.ID, nil
		}
	}
	return "", problem.New(problem.NotFound, "no open incident pages you")
}

// Delivered notes in the log what the provider says of an SMS or a call.
func (r *responder) Delivered(ctx context.Context, id string, arrived bool, detail string) error {
	if arrived {
		r.log.InfoContext(ctx, "a message has arrived", "page", id, "status", detail)
		return nil
	}
	r.log.WarnContext(ctx, "a message did not arrive", "page", id, "status", detail)
	return nil
}

// PersonOf finds who has a number.
func (r *responder) PersonOf(number string) (string, bool) {
	for _, p := range r.catalog.Current().People {
		for _, c := range p.Contacts {
			if (c.Channel == notify.SMS || c.Channel == notify.Voice) && c.Address == number && c.Usable() {
				return p.Name, true
			}
		}
	}
	return "", false
}

// tell sends short messages to contacts: codes and tests.
func tell(channels *notify.Notifier, url string) catalog.Tell {
	return func(ctx context.Context, c catalog.Contact, subject, text string) error {
		return channels.Send(ctx, notify.Address{Channel: c.Channel, To: c.Address}, notify.Message{
			ID: event.NewID(), Subject: subject, Text: text, URL: url, Data: map[string]string{"event": "test", "text": subject}})
	}
}

// troubles are the incidents of services, for the status page.
func troubles(incidents *incident.Incidents) func(context.Context, time.Time) ([]statuspage.Trouble, error) {
	const most = 2000
	return func(ctx context.Context, since time.Time) (list []statuspage.Trouble, err error) {
		f := incident.Filter{Limit: 500}
		for {
			page, more, err := incidents.List(ctx, f)
			if err != nil {
				return nil, err
			}
			for _, i := range page {
				if i.ResolvedAt != nil && i.ResolvedAt.Before(since) || i.Service == "" || i.MergedInto != "" {
					continue
				}
				list = append(list, trouble(i))
			}
			if !more || len(page) == 0 || len(list) >= most || page[len(page)-1].OpenedAt.Before(since.Add(-30*24*time.Hour)) {
				return list, nil
			}
			f.Before = page[len(page)-1].Number
		}
	}
}

func trouble(i incident.Incident) statuspage.Trouble {
	t := statuspage.Trouble{ID: i.ID, Service: i.Service, Severity: i.Severity, Start: i.OpenedAt}
	if i.ResolvedAt != nil {
		t.End = *i.ResolvedAt
	}
	if i.AcknowledgedAt != nil {
		t.Taken = *i.AcknowledgedAt
	}
	for _, u := range i.Board.Updates {
		t.Updates = append(t.Updates, statuspage.Update{ID: u.ID, At: u.Time, Text: u.Text})
	}
	return t
}

// pushRoute tells browsers the key they subscribe with.
func pushRoute(s *web.Server, channels *notify.Notifier) {
	type key struct {
		Key string `json:"key" doc:"of VAPID, in base64url"`
	}
	web.Get(s, "/api/push-key", web.Op{ID: "get-push-key", Summary: "The key that browsers subscribe to web push with", Tag: "catalog"},
		func(context.Context, *struct{}) (*key, error) { return &key{channels.PushPublicKey()}, nil })
}
