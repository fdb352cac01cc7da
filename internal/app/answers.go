package app

import (
	"context"
	"fmt"
	"strings"
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
		about := p.Incident.ID
		if len(p.Incidents) > 0 {
			about = notify.OfMessage + p.Page.ID
		}
		m.Answers = a.channels.Answers(about, p.Page.Person, time.Now())
	}
	return a.channels.Send(ctx, to, m)
}

// responder carries out what people answer to pages.
type responder struct {
	incidents *incident.Incidents
	catalog   *catalog.Live
	audit     func(ctx context.Context, action, target, detail string)
}

// Answer acknowledges or resolves: an incident, those of a message (notify.OfMessage), all that the person was paged for and that are
// open (notify.All), or, without a reference, the newest of them.
func (r *responder) Answer(ctx context.Context, verb, ref, person string) (string, error) {
	refs, err := r.meant(ctx, verb, ref, person)
	if err != nil {
		return "", err
	}
	do := r.incidents.Acknowledge
	if verb == notify.Resolve {
		do = r.incidents.Resolve
	}
	said := ""
	for _, ref := range refs {
		d, err := do(ctx, ref, person)
		if err != nil {
			return "", err
		}
		r.audit(ctx, "incident."+verb, "incident/"+d.ID, "answered by "+person)
		if said == "" {
			said = stands(d, person)
		}
	}
	if more := len(refs) - 1; more > 0 {
		said += fmt.Sprintf(", and so on with %d more", more)
	}
	return said, nil
}

// stands says how an incident stands after an answer.
func stands(d incident.Detail, person string) string {
	by := d.AcknowledgedBy
	if d.Status == incident.Resolved {
		by = d.ResolvedBy
	}
	said := fmt.Sprintf("#%d is %s", d.Number, d.Status)
	if by != "" && by != person {
		said += " by " + by
	}
	return said
}

// meant are the incidents that an answer is about.
func (r *responder) meant(ctx context.Context, verb, ref, person string) ([]string, error) {
	var list []incident.Incident
	var err error
	message, ofMessage := strings.CutPrefix(ref, notify.OfMessage)
	switch {
	case ofMessage:
		list, err = r.incidents.InMessage(ctx, message, person)
	case ref == notify.All || ref == "":
		list, err = r.incidents.PagedTo(ctx, person)
	default:
		return []string{ref}, nil
	}
	if err != nil {
		return nil, err
	}
	var refs []string
	for _, i := range list {
		if verb == notify.Resolve || ofMessage || i.Status == incident.Triggered {
			refs = append(refs, i.ID)
		}
	}
	switch {
	case len(refs) == 0:
		return nil, problem.New(problem.NotFound, "no open incident pages you")
	case ref == "":
		return refs[:1], nil
	}
	return refs, nil
}

// Delivered notes what the provider says of an SMS or a call.
func (r *responder) Delivered(ctx context.Context, id string, arrived bool, detail string) error {
	return r.incidents.Receipt(ctx, id, arrived, detail)
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
func troubles(incidents *incident.Incidents) statuspage.Troubles {
	return func(ctx context.Context, service string, from, to time.Time, lasting bool) (list []statuspage.Trouble, err error) {
		of, err := incidents.Troubled(ctx, service, from, to, lasting)
		for _, i := range of {
			list = append(list, trouble(i))
		}
		return list, err
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
