package incident_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

const crowd = `
people:
  - {name: ada, email: ada@example.com, webhook: "http://hooks.example.com/ada"}
  - {name: grace, email: grace@example.com, contacts: [{channel: sms, address: "+33612345678"}, {channel: voice, address: "+33612345678"}],
     notify: {high: [{by: sms}, {by: voice, after: 10s}], low: [{by: email}]}}
  - {name: hook, webhook: "http://hooks.example.com/hook"}
escalation_policies:
  - {name: to-ada, levels: [{targets: [ada], after: 0s}]}
  - {name: to-grace, levels: [{targets: [grace], after: 0s}, {targets: [ada], after: 20s}], repeat: 1}
  - {name: to-hook, levels: [{targets: [hook], after: 0s}]}
services:
`

// crowded are n services: each third pages ada, grace, or hook.
func crowded(n int) string {
	var b strings.Builder
	b.WriteString(crowd)
	for k := range n {
		fmt.Fprintf(&b, "  - {name: s%d, escalation_policy: %s, urgency: severity}\n", k, []string{"to-ada", "to-grace", "to-hook"}[k%3])
	}
	return b.String()
}

// told are the numbers of the incidents that a message told of.
func told(m sent) (list []int64) {
	p := m.message.Data.(incident.Payload)
	for _, i := range p.Incidents {
		list = append(list, i.Number)
	}
	if len(list) == 0 {
		list = append(list, p.Incident.Number)
	}
	return list
}

// to are the messages to an address.
func (s *sender) toward(address string) (list []sent) {
	for _, m := range s.all() {
		if m.to == address {
			list = append(list, m)
		}
	}
	return list
}

// paged tells whether the page of that position is there and was sent.
func paged(d incident.Detail, page int) bool {
	return len(d.Pages) > page && d.Pages[page].Status == "sent"
}

func TestPagesThatComeTogetherShareAMessage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, crowded(40))
		b.Unhurried()
		var mailed atomic.Int64
		b.sender.fail = func(_ context.Context, to notify.Address, _ int) error {
			if to.Channel == notify.Email && mailed.Add(1) == 1 {
				return errBusy
			}
			return nil
		}
		fire := func(service int, severity string) incident.Incident {
			return b.triggerAs(t, incident.Trigger{AlertID: fmt.Sprint("a", service), Service: fmt.Sprint("s", service), Title: "it burns", Severity: severity})
		}
		for _, service := range []int{0, 3, 6} { // ada's, while no pager runs
			fire(service, "warning")
		}
		stop := b.run(t)
		eventually(t, "ada has a message at the second attempt", func() bool { return len(b.sender.toward("ada@example.com")) > 1 })
		eventually(t, "and three webhooks", func() bool { return len(b.sender.toward("http://hooks.example.com/ada")) == 3 })
		first, again := b.sender.toward("ada@example.com")[0], b.sender.toward("ada@example.com")[1]
		if again.id != first.id || !slices.Equal(told(first), told(again)) {
			t.Errorf("the second attempt is %s of %v, the first was %s of %v", again.id, told(again), first.id, told(first))
		}
		if got := told(first); !slices.Equal(got, []int64{3, 2, 1}) || first.message.Together != 3 {
			t.Errorf("it tells of %v", got)
		}
		if want := "[warning] 3 incidents: s6: it burns and more (#3, #2, #1)"; first.message.Subject != want || !strings.Contains(first.message.Text, "#1 [warning] s0: it burns\n  http://daytwo.example/incidents/") {
			t.Errorf("subject %q, want %q; text\n%s", first.message.Subject, want, first.message.Text)
		}
		eventually(t, "it is noted", func() bool { return paged(b.get(t, "1"), 0) })
		d := b.get(t, "1")
		if p := d.Pages[0]; p.Together != 3 || p.Address != "a…@example.com" {
			t.Errorf("page %+v", p)
		}
		if !slices.ContainsFunc(d.Log, func(e incident.LogEntry) bool {
			return e.Text == "Paged ada by email (a…@example.com), in one message with 2 pages of other incidents"
		}) {
			t.Errorf("log %+v", d.Log)
		}
		waiting := fire(9, "warning") // ada was told of something as bad a moment ago
		other := fire(1, "warning")   // another person
		eventually(t, "the other person has it", func() bool { return paged(b.get(t, other.ID), 0) })
		eventually(t, "there is a page", func() bool { return len(b.get(t, waiting.ID).Pages) > 0 })
		if p := b.get(t, waiting.ID).Pages[0]; p.Status != "due" || p.Channel != "email" {
			t.Errorf("a page right after another one: %+v", p)
		}
		fire(12, "critical") // worse than what she was told
		eventually(t, "the worse one goes out at once, and takes along what waits", func() bool { return paged(b.get(t, waiting.ID), 0) })
		mails := b.sender.toward("ada@example.com")
		if got := told(mails[len(mails)-1]); len(mails) != 3 || !slices.Equal(got, []int64{6, 4}) {
			t.Errorf("%d mails, the last of %v", len(mails), got)
		}
		late := fire(15, "critical")
		eventually(t, "its webhook has it", func() bool { return paged(b.get(t, late.ID), 1) })
		if d, err := b.Acknowledge(t.Context(), late.ID, "ada"); err != nil || d.Pages[0].Status != "canceled" {
			t.Errorf("what waits is taken back by an acknowledgement: %+v, %v", d.Pages, err)
		}
		list, err := b.InMessage(t.Context(), mails[2].id, "ada")
		if err != nil || len(list) != 2 {
			t.Errorf("the message told of %d incidents, %v", len(list), err)
		}
		if _, err := b.InMessage(t.Context(), mails[2].id, "grace"); err == nil {
			t.Error("another person answers for the message")
		}
		stop()
		if wrong := (&stage{bench: b, t: t}).check(); wrong != "" {
			t.Error(wrong)
		}
	})
}

// A message of several pages goes on while one of its incidents is left, and is broken off with the last.
func TestABundleGoesOnUntilAllIsTaken(t *testing.T) {
	for _, taken := range []string{"3", "3 2 1"} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, tables.New(t), crowded(9))
			for _, service := range []string{"s0", "s3", "s6"} {
				b.trigger(t, service, service)
			}
			done, brokenOff := make(chan struct{}), false
			b.sender.fail = func(ctx context.Context, to notify.Address, _ int) error {
				if to.Channel == notify.Webhook {
					return nil
				}
				select {
				case <-done:
				case <-ctx.Done():
					brokenOff = true
				}
				return ctx.Err()
			}
			stop := b.run(t)
			pass(time.Second)
			for _, number := range strings.Fields(taken) {
				if brokenOff {
					t.Errorf("broken off before #%s was taken", number)
				}
				if _, err := b.Acknowledge(t.Context(), number, "ada"); err != nil {
					t.Fatal(err)
				}
				pass(0)
			}
			close(done)
			pass(time.Minute)
			if mails := b.sender.toward("ada@example.com"); len(mails) != 1 || brokenOff != (taken != "3") {
				t.Errorf("%q taken: broken off %t, mails %+v", taken, brokenOff, mails)
			}
			for n, want := range []string{"sent", "sent", "sent"} {
				if brokenOff {
					want = "canceled"
				}
				if p := b.get(t, fmt.Sprint(n+1)).Pages[0]; p.Status != want || p.Attempts != 1 {
					t.Errorf("#%d: %+v", n+1, p)
				}
			}
			stop()
		})
	}
}

// arrival is an alert that fires, and what happens next.
type arrival struct {
	after   time.Duration
	service int // and with it the severity, which does not change then
	act     string
}

// Throttling never delays a first page: one to a recipient who was sent nothing in the last half minute, or nothing as bad, goes out
// at the moment it is due. Every other one is delivered within half a minute, in a message that names it, or its incident was taken
// first. Webhooks get each page by itself and at once.
func TestThrottlingNeverDelaysAFirstPage(t *testing.T) {
	inVirtualTime(t, rapid.Custom(func(t *rapid.T) rush {
		return rush{rapid.SliceOfN(rapid.Custom(func(t *rapid.T) arrival {
			return arrival{
				after:   time.Duration(rapid.SampledFrom([]int{0, 0, 0, 1, 2, 7, 13, 29, 30, 31, 45, 90}).Draw(t, "seconds")) * time.Second,
				service: rapid.IntRange(0, 14).Draw(t, "service"),
				act:     rapid.SampledFrom([]string{"", "", "", "ack", "resolve"}).Draw(t, "act"),
			}
		}), 1, 40).Draw(t, "arrivals"), time.Duration(rapid.IntRange(0, 3).Draw(t, "a send takes seconds")) * time.Second}
	}), throng)
}

// rush is what arrives, and how long each send takes.
type rush struct {
	arrivals []arrival
	slow     time.Duration
}

func throng(t *testing.T, db *store.DB, r rush) string {
	b := newBench(t, db, crowded(15))
	b.sender.fail = func(context.Context, notify.Address, int) error { time.Sleep(r.slow); return nil } // virtual
	stop := b.run(t)
	for k, a := range r.arrivals {
		pass(a.after)
		i := b.triggerAs(t, incident.Trigger{AlertID: fmt.Sprint(k), Service: fmt.Sprint("s", a.service), Title: "t",
			Severity: []string{"critical", "warning", "info"}[a.service/3%3]})
		var err error
		switch a.act {
		case "ack":
			_, err = b.Acknowledge(t.Context(), i.ID, "ada")
		case "resolve":
			_, err = b.Resolve(t.Context(), i.ID, "ada")
		}
		if err != nil {
			return err.Error()
		}
	}
	pass(time.Hour)
	stop()
	stored, err := b.Stored(t.Context())
	if err != nil {
		return err.Error()
	}
	messages := map[string]sent{}
	for _, m := range b.sender.all() {
		if again, ok := messages[m.id]; !ok || m.at.Before(again.at) {
			messages[m.id] = m
		}
	}
	for _, p := range stored.Pages {
		if wrong := judgePage(p, stored, messages, r.slow); wrong != "" {
			return wrong
		}
	}
	if wrong := (&stage{bench: b, t: t}).check(); wrong != "" {
		return wrong
	}
	return ""
}

// judgePage says what is wrong with when a page went out.
func judgePage(p incident.PageState, all *incident.State, messages map[string]sent, slow time.Duration) string {
	due := store.FromMicros(p.CreatedAt)
	if p.Channel == "voice" {
		due = due.Add(10 * time.Second)
	}
	i := all.Incidents[p.Incident]
	if p.Status != "sent" {
		if p.Status == "canceled" && i.Status != incident.Triggered {
			return ""
		}
		return fmt.Sprintf("a page of #%d (%s) never went out: %+v", i.Number, i.Status, p)
	}
	carrier := p.ID
	if p.Bundle != "" {
		carrier = p.Bundle
	}
	m, ok := messages[carrier]
	if !ok || !slices.Contains(told(m), i.Number) {
		return fmt.Sprintf("the page of #%d is called sent, and no message tells of it: %+v", i.Number, p)
	}
	waited := m.at.Sub(due)
	if p.Channel == notify.Webhook && (waited > slow || p.Bundle != "") { // of five at once to one address the last waits for a send
		return fmt.Sprintf("the webhook of #%d waited %s, bundle %q", i.Number, waited, p.Bundle)
	}
	if waited > 30*time.Second {
		return fmt.Sprintf("the page of #%d to %s waited %s", i.Number, p.Person, waited)
	}
	first := true
	for _, q := range all.Pages {
		if q.ID == p.ID || q.Person != p.Person || q.Channel != p.Channel || q.Address != p.Address || q.Attempts == 0 {
			continue
		}
		by := q.ID
		if q.Bundle != "" {
			by = q.Bundle
		}
		said := messages[by].at
		if by != carrier && said.After(due.Add(-30*time.Second)) && !said.After(due) && badness(all.Incidents[q.Incident]) <= badness(i) {
			first = false
		}
	}
	if first && waited != 0 && p.Channel != notify.Webhook {
		return fmt.Sprintf("the first page of #%d to %s by %s waited %s", i.Number, p.Person, p.Channel, waited)
	}
	return ""
}

// badness orders incidents by how loud they are; 0 the worst.
func badness(i incident.IncidentState) int {
	rank := slices.Index([]string{"critical", "warning", "info"}, i.Severity)
	if i.Urgency == "low" {
		rank += 3
	}
	return rank
}

// What waited while daytwo was down goes out by what matters: what is urgent first, then what is worst, then what is newest.
func TestAfterAnOutageTheMostUrgentAndNewestGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, tables.New(t), crowded(120))
		severities := []string{"warning", "critical", "info", "warning", "info"}
		for k := range 40 {
			b.triggerAs(t, incident.Trigger{AlertID: fmt.Sprint(k), Service: fmt.Sprint("s", 3*k+2), Title: "t", Severity: severities[k%5]})
			time.Sleep(time.Minute) // virtual; no pager runs
		}
		b.restart(t)
		b.sender.fail = func(context.Context, notify.Address, int) error { time.Sleep(time.Second); return nil } // virtual
		stop := b.run(t)
		pass(time.Minute)
		all := b.sender.all()
		if len(all) != 40 {
			t.Fatalf("%d pages", len(all))
		}
		type place struct {
			bad    int
			number int64
		}
		var order []place
		for _, m := range all {
			p := m.message.Data.(incident.Payload).Incident
			urgency := "high"
			if p.Severity != "critical" {
				urgency = "low"
			}
			order = append(order, place{badness(incident.IncidentState{Severity: p.Severity, Urgency: urgency}), p.Number})
		}
		for k := 4; k < len(order); k++ { // four at once to one address: those before are better placed
			before, this := order[k-4], order[k]
			if before.bad > this.bad || before.bad == this.bad && before.number < this.number {
				t.Fatalf("#%d went before #%d: %+v", before.number, this.number, order)
			}
		}
		stop()
	})
}

// When a channel works again, what was tried in vain goes out at once and by what matters, not when each one's wait is over.
func TestAChannelThatWorksAgainIsDrainedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, tables.New(t), crowded(120))
		var down atomic.Bool
		down.Store(true)
		b.sender.fail = func(context.Context, notify.Address, int) error {
			if down.Load() {
				return errBusy
			}
			return nil
		}
		stop := b.run(t)
		for k := range 8 {
			b.triggerAs(t, incident.Trigger{AlertID: fmt.Sprint(k), Service: fmt.Sprint("s", 3*k+2), Title: "t", Severity: []string{"critical", "warning"}[k%2]})
			pass(7 * time.Second)
		}
		pass(time.Minute)
		down.Store(false)
		before := len(b.sender.all())
		pass(time.Minute)
		all := b.sender.all()[before:]
		if len(all) != 8 {
			t.Fatalf("%d pages", len(all))
		}
		var rest []string
		for _, m := range all[1:] {
			if m.at != all[0].at {
				t.Errorf("a page waited %s although the channel works", m.at.Sub(all[0].at))
			}
			rest = append(rest, m.message.Data.(incident.Payload).Incident.Severity)
		}
		if warning := slices.Index(rest, "warning"); slices.Contains(rest[max(warning, 0)+4:], "critical") { // four at once
			t.Errorf("after the first: %q", rest)
		}
		stop()
		if wrong := (&stage{bench: b, t: t}).check(); wrong != "" {
			t.Error(wrong)
		}
	})
}

// One mailbox that refuses while all others work keeps its own pace: what arrives elsewhere does not try it again and again.
func TestOneBadAddressKeepsItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		people := "people: [{name: bad, email: bad@example.com}"
		rest := "escalation_policies: [{name: bad, levels: [{targets: [bad], after: 0s}]}"
		services := "services: [{name: bad, escalation_policy: bad}"
		for k := range 20 {
			people += fmt.Sprintf(", {name: p%d, email: p%d@example.com}", k, k)
			rest += fmt.Sprintf(", {name: p%d, levels: [{targets: [p%d], after: 0s}]}", k, k)
			services += fmt.Sprintf(", {name: s%d, escalation_policy: p%d}", k, k)
		}
		b := newBench(t, tables.New(t), people+"]\n"+rest+"]\n"+services+"]\n")
		began := time.Now()
		b.sender.fail = func(_ context.Context, to notify.Address, _ int) error {
			if to.To == "bad@example.com" || time.Since(began) < 5*time.Second {
				return errBusy
			}
			var k time.Duration
			_, _ = fmt.Sscanf(to.To, "p%d@", &k)
			time.Sleep(k * 200 * time.Millisecond) // virtual: the others arrive one after another
			return nil
		}
		stop := b.run(t)
		b.trigger(t, "bad", "bad")
		for k := range 20 {
			b.trigger(t, fmt.Sprint(k), fmt.Sprint("s", k))
		}
		pass(15 * time.Second)
		if n := len(b.sender.toward("bad@example.com")); n > 5 { // at 0, 1, 3 and 7 s, and once when the channel works again
			t.Errorf("%d attempts", n)
		}
		stop()
		if wrong := (&stage{bench: b, t: t}).check(); wrong != "" {
			t.Error(wrong)
		}
	})
}
