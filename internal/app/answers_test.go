package app

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

const answering = `
people:
  - {name: ada, contacts: [{channel: sms, address: "+33612345678"}], email: ada@example.com}
  - {name: grace, email: grace@example.com}
escalation_policies: [{name: both, levels: [{targets: [ada, grace], after: 0s}]}, {name: grace, levels: [{targets: [grace], after: 0s}]}]
services: [{name: a, escalation_policy: both}, {name: b, escalation_policy: both}, {name: c, escalation_policy: both}, {name: d, escalation_policy: grace}]
`

// outbox keeps what is sent.
type outbox struct {
	mu   sync.Mutex
	sent []notify.Message
}

func (o *outbox) Send(_ context.Context, _ notify.Address, m notify.Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent = append(o.sent, m)
	return nil
}

// People answer with a link (an incident, or the message that told of several), or with a word (the newest, or all): what they were
// paged for is meant, and nothing else.
func TestWhatAnAnswerMeans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, quiet := t.Context(), slog.New(slog.DiscardHandler)
		db := storetest.New(t)
		tl, err := timeline.New(ctx, timeline.Config{DB: db, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		c, findings := catalog.Parse("daytwo.yml", []byte(answering))
		if problem.Broken(findings) {
			t.Fatal(findings)
		}
		out, services := &outbox{}, catalog.NewLive(c)
		incidents, err := incident.New(ctx, incident.Config{DB: db, Timeline: tl, Catalog: services, Sender: out, Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		running, stop := context.WithCancel(ctx)
		done := make(chan error)
		go func() { done <- incidents.Run(running) }()
		defer func() { stop(); <-done }()
		var noted []string
		r := &responder{incidents: incidents, catalog: services, audit: func(_ context.Context, action, target, detail string) {
			noted = append(noted, action+" "+strings.SplitN(target, "/", 2)[0]+" "+detail)
		}}
		open := func(service string) incident.Incident {
			var i incident.Incident
			err := db.Write(ctx, func(tx *store.Tx) (err error) {
				i, err = incidents.Trigger(ctx, tx, incident.Trigger{AlertID: "alert of " + service, Service: service, Title: service, Severity: "critical"})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute) // virtual
			synctest.Wait()
			return i
		}
		answer := func(verb, ref, person, want string) {
			t.Helper()
			said, err := r.Answer(ctx, verb, ref, person)
			if err != nil {
				said = err.Error()
			}
			if said != want {
				t.Errorf("%s %q by %s: %q, want %q", verb, ref, person, said, want)
			}
		}
		answer(notify.Acknowledge, "", "ada", "no open incident pages you")
		first, second, third, other := open("a"), open("b"), open("c"), open("d")
		answer(notify.Acknowledge, "", "ada", "#3 is acknowledged") // of those that page her: not #4
		answer(notify.Acknowledge, third.ID, "grace", "#3 is acknowledged by ada")
		answer(notify.Acknowledge, notify.All, "ada", "#2 is acknowledged, and so on with 1 more")
		answer(notify.Acknowledge, notify.All, "ada", "no open incident pages you")
		answer(notify.Resolve, second.ID, "grace", "#2 is resolved")
		answer(notify.Acknowledge, second.ID, "ada", "#2 is resolved by grace")
		answer(notify.Resolve, notify.OfMessage+pageOf(t, incidents, first.ID, "ada"), "grace", "no open incident pages you") // her message was another
		answer(notify.Resolve, notify.OfMessage+pageOf(t, incidents, first.ID, "ada"), "ada", "#1 is resolved")
		answer(notify.Resolve, "", "ada", "#3 is resolved")
		answer(notify.Acknowledge, "", "grace", "#4 is acknowledged")
		answer(notify.Acknowledge, "nothing", "ada", `there is no incident "nothing"`)
		if len(noted) == 0 || noted[0] != "incident.acknowledge incident answered by ada" {
			t.Errorf("noted %q", noted)
		}
		if who, ok := r.PersonOf("+33612345678"); !ok || who != "ada" {
			t.Errorf("the number is of %q", who)
		}
		if who, ok := r.PersonOf("+33600000000"); ok {
			t.Errorf("a number of nobody is of %q", who)
		}
		if err := r.Delivered(ctx, pageOf(t, incidents, other.ID, "grace"), true, "handset"); err != nil {
			t.Error(err)
		}
	})
}

// pageOf is the id of a page of an incident to a person.
func pageOf(t *testing.T, incidents *incident.Incidents, id, person string) string {
	t.Helper()
	d, err := incidents.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Pages {
		if p.Person == person {
			return p.ID
		}
	}
	t.Fatalf("%s was not paged for #%d: %+v", person, d.Number, d.Pages)
	return ""
}
