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

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

// outage makes a channel fail while it is on; empty: every channel.
func (s *sender) outage(channel string) *atomic.Bool {
	var on atomic.Bool
	on.Store(true)
	s.fail = func(_ context.Context, to notify.Address, _ int) error {
		if on.Load() && (channel == "" || to.Channel == channel) {
			return errBusy
		}
		return nil
	}
	return &on
}

// after are the messages to an address since a moment.
func (s *sender) after(moment time.Time, address string) (list []sent) {
	for _, m := range s.toward(address) {
		if !m.at.Before(moment) {
			list = append(list, m)
		}
	}
	return list
}

// A mail server that is out for hours loses no page: when a mail to anybody arrives, those that were given up go out at once, the worst
// and newest first. What was taken meanwhile does not.
func TestAnOutageOfHoursLosesNoPage(t *testing.T) {
	inBubble(t, crowded(30), func(t *testing.T, b *bench) {
		down := b.sender.outage(notify.Email)
		for k := range 6 { // ada's, by mail and webhook
			b.triggerAs(t, incident.Trigger{AlertID: fmt.Sprint(k), Service: fmt.Sprint("s", 3*k), Title: "t", Severity: []string{"critical", "warning"}[k%2]})
			pass(time.Minute)
		}
		pass(2*time.Hour + 17*time.Second)
		for n := range 6 {
			if d := b.get(t, fmt.Sprint(n+1)); d.Pages[0].Channel != notify.Email || d.Pages[0].Status != "exhausted" || d.Pages[1].Status != "sent" {
				t.Fatalf("#%d: %+v", n+1, d.Pages)
			}
		}
		if _, err := b.Acknowledge(t.Context(), "3", "ada"); err != nil {
			t.Fatal(err)
		}
		down.Store(false)
		up := time.Now()
		b.trigger(t, "news", "s18") // the first attempt of a page arrives
		pass(time.Minute)
		var numbers []int64
		for _, m := range b.sender.after(up, "ada@example.com") {
			if m.at.Sub(up) > 0 {
				t.Errorf("%v waited %s although mail works", told(m), m.at.Sub(up))
			}
			numbers = append(numbers, told(m)...)
		}
		if n := len(b.sender.after(up, "ada@example.com")); n > 3 { // #1 and #6 were tried together before
			t.Errorf("%d mails tell of what was given up, want the news and at most two more", n)
		}
		if want := []int64{7, 5, 1, 6, 4, 2}; len(numbers) != 6 || numbers[0] != 7 || slices.Contains(numbers, 3) || !sameSet(numbers, want) {
			t.Errorf("mailed %v, want %v", numbers, want)
		}
		for n := range 6 {
			if d := b.get(t, fmt.Sprint(n+1)); n != 2 && d.Pages[0].Status != "sent" {
				t.Errorf("#%d: %+v", n+1, d.Pages)
			}
		}
		pass(3 * time.Hour)
		if late := b.sender.after(up.Add(time.Minute), "ada@example.com"); len(late) > 0 {
			t.Errorf("and later %+v", late)
		}
		if wrong := (&stage{bench: b, t: t}).check(); wrong != "" {
			t.Error(wrong)
		}
	})
}

func sameSet(a, b []int64) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

// When nothing works, paging starts over and over, and daytwo finds out by itself that something works again, although no other page
// is there to show it.
func TestWhenNothingWorksPagingStartsOver(t *testing.T) {
	for _, outage := range []time.Duration{10 * time.Minute, time.Hour, 7 * time.Hour} {
		inBubble(t, shop+"last_resort: [boss]\n", func(t *testing.T, b *bench) {
			down := b.sender.outage("")
			i := b.trigger(t, "a1", "checkout")
			pass(outage)
			log := actions(b.get(t, i.ID))
			if !slices.Contains(log, "retried") && outage > time.Hour {
				t.Errorf("%s: log %q", outage, log)
			}
			down.Store(false)
			up := time.Now()
			pass(16 * time.Minute)
			if n := len(b.sender.after(up, "ada@example.com")); n == 0 && b.get(t, i.ID).NextStep == nil {
				t.Errorf("after an outage of %s ada was not paged", outage)
			}
			pass(time.Hour)
			if n := len(b.sender.after(up, "ada@example.com")); n == 0 {
				t.Errorf("after an outage of %s ada was not paged within the hour: %+v", outage, b.get(t, i.ID).Log)
			}
			if d := b.get(t, i.ID); d.Unreached != "" {
				t.Errorf("reached, but: %q", d.Unreached)
			}
			if wrong := (&stage{bench: b, t: t}).check(); wrong != "" {
				t.Error(wrong)
			}
		})
	}
}

// What a channel took after an outage and did not deliver is given up as at any other time: paging starts over.
func TestUndeliveredAfterAnOutage(t *testing.T) {
	inBubble(t, reached, func(t *testing.T, b *bench) {
		down := b.sender.outage("")
		i := b.trigger(t, "a1", "checkout")
		pass(50 * time.Minute)
		if d := b.get(t, i.ID); d.Unreached == "" {
			t.Fatalf("reached in an outage: %+v", d.Pages)
		}
		down.Store(false)
		pass(16 * time.Minute)
		undelivered := 0
		for _, p := range b.get(t, i.ID).Pages {
			if p.Status == "sent" {
				undelivered++
				if err := b.Receipt(t.Context(), p.ID, false, "unknown handset"); err != nil {
					t.Fatal(err)
				}
			}
		}
		before := b.get(t, i.ID)
		if undelivered == 0 || before.NextStep == nil || before.NextStep.At == nil {
			t.Errorf("of %d undelivered pages nothing follows: unreached %q, next %+v, log %+v", undelivered, before.Unreached, before.NextStep, before.Log)
		}
		pass(2 * time.Hour)
		if d := b.get(t, i.ID); len(d.Pages) <= len(before.Pages) {
			t.Errorf("nobody was paged again: %+v", d.Pages)
		}
	})
}

// What was opened while nobody could be paged pages whoever can be, once somebody mended the catalog.
func TestAMendedPolicyReachesWhatIsOpen(t *testing.T) {
	for _, service := range []string{"legacy", "orphan", "unknown", ""} {
		inBubble(t, shop, func(t *testing.T, b *bench) {
			i := b.trigger(t, "a1", service)
			pass(20 * time.Minute)
			if d := b.get(t, i.ID); d.Unreached == "" || d.NextStep == nil || d.NextStep.At == nil {
				t.Errorf("%q: %+v", service, d.Incident)
			}
			mended, findings := catalog.Parse("daytwo.yml", []byte(shop+"last_resort: [boss]\n"))
			if problem.Broken(findings) {
				t.Fatal(findings)
			}
			b.catalog.Replace(mended)
			pass(time.Hour)
			d := b.get(t, i.ID)
			if got := b.sender.people(); !slices.Equal(got, []string{"boss"}) || d.Unreached != "" {
				t.Errorf("%q: paged %q, unreached %q, log %+v", service, got, d.Unreached, d.Log)
			}
			if wrong := (&stage{bench: b, t: t}).check(); wrong != "" {
				t.Error(wrong)
			}
		})
	}
}

// Pages that were given up are sent on both stores when their channel works again, and the ledger says so.
func TestWhatWasGivenUpComesBackOnBothStores(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, shop)
		var ahead atomic.Int64
		b.clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		b.restart(t)
		down := b.sender.outage("")
		stop := b.run(t)
		i := b.trigger(t, "a1", "legacy")
		j := b.trigger(t, "a2", "payments")
		for n := range 10 { // of each attempt, then the wait after it
			eventually(t, fmt.Sprint("attempt ", n+1), func() bool {
				list := b.get(t, j.ID).Pages
				return len(list) > 1 && !slices.ContainsFunc(list[:2], func(p incident.Page) bool { return p.Attempts <= n || p.Status == "sending" })
			})
			if n < 9 {
				ahead.Add(int64(61 * time.Second))
				b.Ring()
			}
		}
		eventually(t, "ada's pages are given up", func() bool {
			p := b.get(t, j.ID).Pages
			return p[0].Status == "exhausted" && p[1].Status == "exhausted"
		})
		down.Store(false)
		ahead.Add(int64(16 * time.Minute))
		b.Ring()
		eventually(t, "somebody is paged of it", func() bool {
			return slices.ContainsFunc(b.get(t, j.ID).Pages, func(p incident.Page) bool { return p.Status == "sent" })
		})
		eventually(t, "what nobody can be told of starts over", func() bool { return strings.Count(strings.Join(actions(b.get(t, i.ID)), " "), "unreachable") > 1 })
		if _, err := b.Acknowledge(t.Context(), j.ID, "ada"); err != nil {
			t.Fatal(err)
		}
		stop()
		if wrong := (&stage{bench: b, t: t}).check(); wrong != "" {
			t.Error(wrong)
		}
	})
}

// An update about what is over is no news two hours later.
func TestStaleNewsIsGivenUp(t *testing.T) {
	inBubble(t, shop, func(t *testing.T, b *bench) {
		i := b.trigger(t, "a1", "checkout")
		pass(time.Minute)
		down := b.sender.outage("")
		if _, err := b.Resolve(t.Context(), i.ID, "ada"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := b.Publish(t.Context(), i.ID, "ada", "it burns no more", []string{"boss"}); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Hour)
		down.Store(false)
		pass(2 * time.Hour)
		boss := b.sender.toward("boss@example.com")
		if len(boss) != 10 {
			t.Errorf("%d attempts", len(boss))
		}
	})
}

// Everything that was accepted and led to nothing is seen by the auditor, and looked at again.
func TestAuditorSeesTheInbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, storetest.New(t), house)
		accept := func(action, key string) {
			t.Helper()
			if _, err := b.Accept(t.Context(), incident.Event{Key: "bbbbbbbbbbbbbbbbbbbbbbbb", Service: "b", Source: "test", Action: action, DedupKey: key,
				Body: incident.EventBody{Title: "event " + key, Severity: "critical"}}); err != nil {
				t.Fatal(err)
			}
		}
		alter := func(query string) {
			t.Helper()
			if err := b.db.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(t.Context(), query); return err }); err != nil {
				t.Fatal(err)
			}
		}
		accept("trigger", "k1") // nobody runs
		if a := b.Audit(t.Context()); !a.Well {
			t.Errorf("at once: %+v", a)
		}
		time.Sleep(2 * time.Minute) // virtual
		if a := b.Audit(t.Context()); a.Well || a.Waiting != 1 {
			t.Errorf("after two minutes: %+v", a)
		}
		stop := b.run(t)
		pass(time.Second)
		if a := b.Audit(t.Context()); !a.Well || a.Waiting != 0 || a.Open != 1 {
			t.Errorf("with a pager: %+v", a)
		}
		alter(`ALTER TABLE incident_alerts RENAME TO away`)
		accept("trigger", "k2")
		accept("trigger", "k3")
		pass(time.Second)
		alter(`ALTER TABLE away RENAME TO incident_alerts`)
		a := b.Audit(t.Context())
		if a.Well || len(a.Failed) != 2 || a.Failed[1].Title != "event k2" || a.Failed[1].Reason == "" {
			t.Fatalf("events that failed: %+v", a)
		}
		accept("resolve", "k3")
		pass(61 * time.Minute)
		if a := b.Audit(t.Context()); len(a.Failed) != 0 || a.Open != 2 {
			t.Errorf("an hour later: %+v", a)
		}
		alter(`ALTER TABLE incident_alerts RENAME TO away`)
		accept("trigger", "k4")
		pass(time.Second)
		alter(`ALTER TABLE away RENAME TO incident_alerts`)
		accept("trigger", "k4") // the same again, which works
		pass(time.Second)
		i, _, err := b.List(t.Context(), incident.Filter{Limit: 1})
		if err != nil || len(i) != 1 {
			t.Fatal(i, err)
		}
		if _, err := b.Resolve(t.Context(), i[0].ID, "ada"); err != nil {
			t.Fatal(err)
		}
		pass(61 * time.Minute)
		if a := b.Audit(t.Context()); len(a.Failed) != 0 || a.Open != 2 {
			t.Errorf("an event that was overtaken: %+v", a)
		}
		stop()
	})
}

// The outward heartbeat falls silent while nobody can be told of an incident.
func TestNobodyReachedIsNotWell(t *testing.T) {
	inBubble(t, shop, func(t *testing.T, b *bench) {
		if a := b.Audit(t.Context()); !a.Well {
			t.Errorf("nothing open: %+v", a)
		}
		down := b.sender.outage("")
		i := b.trigger(t, "a1", "checkout")
		for range 50 {
			pass(4 * time.Minute)
			unreached := b.get(t, i.ID).Unreached != ""
			if a := b.Audit(t.Context()); a.Well == unreached || (len(a.Unreached) == 1) != unreached || len(a.Stranded) > 0 {
				t.Fatalf("unreached %t: %+v", unreached, a)
			}
		}
		if a := b.Audit(t.Context()); a.Well || !strings.Contains(a.Unreached[0].Reason, "nobody reachable: ") {
			t.Errorf("nothing works: %+v", a)
		}
		down.Store(false)
		pass(2 * time.Hour)
		if a := b.Audit(t.Context()); !a.Well || len(a.Ended) != 1 {
			t.Errorf("everything works: %+v", a)
		}
	})
}
