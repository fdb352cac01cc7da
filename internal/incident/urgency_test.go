package incident_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

const quietHouse = `
people:
  - {name: ada, email: ada@example.com, contacts: [{channel: sms, address: "+33612345678"}], notify: {high: [{by: sms}, {by: email}], low: [{by: email}, {by: sms, after: 1h}]}}
  - {name: grace, email: grace@example.com}
  - {name: edsger}
  - {name: boss, email: boss@example.com}
escalation_policies:
  - {name: p, levels: [{targets: [ada], after: 0s}, {targets: [grace], after: 30m}]}
  - {name: turns, levels: [{targets: [edsger, ada, grace], after: 0s, round_robin: true}, {targets: [boss], after: 10m}]}
  - {name: late-turns, levels: [{targets: [boss], after: 0s}, {targets: [ada, grace], after: 10m, round_robin: true}]}
  - {name: idle-turns, levels: [{targets: [edsger, {schedule: empty}], after: 0s, round_robin: true}, {targets: [boss], after: 10m}]}
schedules:
  - {name: empty, time_zone: UTC, layers: [{members: [edsger], rotation: daily, handoff: 2000-01-01 09:00}]}
services:
  - {name: s, escalation_policy: p, urgency: severity, integrations: [{name: watcher, key: ssssssssssssssssssssssss}]}
  - {name: other, escalation_policy: p, urgency: severity}
  - {name: t, escalation_policy: turns, grouping: {by: [dedup_key]}, integrations: [{name: x, key: tttttttttttttttttttttttt}]}
  - {name: l, escalation_policy: late-turns, grouping: {by: [dedup_key]}, integrations: [{name: x, key: llllllllllllllllllllllll}]}
  - {name: i, escalation_policy: idle-turns, integrations: [{name: x, key: iiiiiiiiiiiiiiiiiiiiiiii}]}
`

// how are the addresses of messages with whether they ring, since a moment.
func (s *sender) how(moment time.Time) (list []string) {
	for _, m := range s.all() {
		text := "loud " + m.to
		if m.message.Quiet {
			text = "quiet " + m.to
		}
		if !m.at.Before(moment) {
			list = append(list, text)
		}
	}
	slices.Sort(list)
	return list
}

// An alert that makes an incident urgent pages whoever was paged quietly, by their rules for what is urgent, at once; so do a merge and an
// edit. Somebody who took it is left alone.
func TestWhatGetsUrgentPagesUrgently(t *testing.T) {
	for name, worsen := range map[string]func(t *testing.T, b *bench) error{
		"a worse alert joins": func(t *testing.T, b *bench) error { b.trigger(t, "a2", "s"); return nil },
		"an alert gets worse": func(t *testing.T, b *bench) error {
			b.accept(t, "s", "trigger", "k")
			return nil
		},
		"a worse incident is merged": func(t *testing.T, b *bench) error {
			other := b.trigger(t, "a2", "other")
			if _, err := b.Acknowledge(t.Context(), other.ID, "ada"); err != nil {
				return err
			}
			_, err := b.Merge(t.Context(), "1", "boss", []string{other.ID})
			return err
		},
		"by hand": func(t *testing.T, b *bench) error {
			high := "high"
			_, err := b.Edit(t.Context(), "1", "boss", incident.Edit{Urgency: &high})
			return err
		},
	} {
		for _, taken := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", taken: ", taken), func(t *testing.T) {
				inBubble(t, quietHouse, func(t *testing.T, b *bench) {
					began := time.Now()
					b.accept(t, "s", "trigger", "k", func(e *incident.Event) { e.Body.Severity = "warning" })
					pass(2 * time.Minute)
					if got := b.sender.how(began); !slices.Equal(got, []string{"quiet ada@example.com"}) {
						t.Fatalf("paged %q", got)
					}
					if taken {
						if _, err := b.Acknowledge(t.Context(), "1", "ada"); err != nil {
							t.Fatal(err)
						}
					}
					at := time.Now()
					if err := worsen(t, b); err != nil {
						t.Fatal(err)
					}
					pass(time.Second)
					want := []string{"loud +33612345678", "loud ada@example.com"}
					if taken {
						want = nil
					}
					if got := b.sender.how(at); !slices.Equal(got, want) {
						t.Errorf("paged %q, want %q", got, want)
					}
					d := b.get(t, "1")
					if d.Urgency != "high" || !strings.Contains(fmt.Sprint(d.Log), "urgency is high") && name != "a worse incident is merged" {
						t.Errorf("%+v", d)
					}
					pass(27 * time.Minute) // the escalation keeps its time
					if got := b.sender.people(); slices.Contains(got, "grace") {
						t.Errorf("grace too early: %q", got)
					}
					pass(2 * time.Minute)
					if got := b.sender.people(); slices.Contains(got, "grace") == taken {
						t.Errorf("taken %t, paged %q", taken, got)
					}
					if wrong := (&stage{bench: b, t: t}).check(); wrong != "" {
						t.Error(wrong)
					}
				})
			})
		}
	}
}

// What ran out quietly begins anew when it gets urgent.
func TestWhatRanOutQuietlyBeginsAnew(t *testing.T) {
	inBubble(t, quietHouse, func(t *testing.T, b *bench) {
		b.accept(t, "s", "trigger", "k", func(e *incident.Event) { e.Body.Severity = "warning" })
		pass(3 * time.Hour)
		at := time.Now()
		b.trigger(t, "a2", "s")
		pass(40 * time.Minute)
		if got := b.sender.how(at); !slices.Equal(got, []string{"loud +33612345678", "loud ada@example.com", "loud grace@example.com"}) {
			t.Errorf("paged %q", got)
		}
	})
}

func TestUrgencyOnBothStores(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, quietHouse)
		stop := b.run(t)
		i := b.triggerAs(t, incident.Trigger{AlertID: "a1", Service: "s", Title: "slow", Severity: "warning"})
		eventually(t, "ada has a mail", func() bool { return paged(b.get(t, i.ID), 0) })
		b.trigger(t, "a2", "s")
		eventually(t, "ada has a mail and a text message", func() bool {
			sent := 0
			for _, p := range b.get(t, i.ID).Pages {
				if p.Status == "sent" {
					sent++
				}
			}
			return sent == 3
		})
		j := b.triggerAs(t, incident.Trigger{AlertID: "a3", Service: "t", Title: "turn", Severity: "critical"})
		eventually(t, "somebody of the rotation has a page", func() bool { return len(b.get(t, j.ID).Pages) > 0 })
		stop()
		if wrong := (&stage{bench: b, t: t}).check(); wrong != "" {
			t.Error(wrong)
		}
	})
}

// A round robin passes over whom nothing reaches, and takes a turn when its level is reached.
func TestRoundRobinPassesOverWhomNothingReaches(t *testing.T) {
	inBubble(t, quietHouse, func(t *testing.T, b *bench) {
		var got []string
		for k := range 5 {
			b.accept(t, "t", "trigger", fmt.Sprint(k))
			d := b.get(t, fmt.Sprint(k+1))
			if len(d.Pages) == 0 {
				t.Fatalf("#%d pages nobody: %+v", k+1, d.Log)
			}
			got = append(got, d.Pages[0].Person)
			if slices.Contains(actions(d), "skipped") {
				t.Errorf("#%d: %+v", k+1, d.Log)
			}
		}
		if want := []string{"ada", "grace", "ada", "grace", "ada"}; !slices.Equal(got, want) {
			t.Errorf("paged %q, want %q", got, want)
		}
		if d := b.get(t, "1"); !strings.Contains(fmt.Sprint(d.Log), "passed over: edsger") {
			t.Errorf("log %+v", d.Log)
		}
		for k := range 3 { // taken before the second level: no turn is used up
			b.accept(t, "l", "trigger", fmt.Sprint("taken ", k))
			if _, err := b.Acknowledge(t.Context(), fmt.Sprint(k+6), "boss"); err != nil {
				t.Fatal(err)
			}
		}
		b.accept(t, "l", "trigger", "one")
		if d := b.get(t, "9"); d.NextStep == nil || d.NextStep.What != "page one of ada, grace in turn (level 2)" {
			t.Errorf("next %+v", d.NextStep)
		}
		b.accept(t, "i", "trigger", "nobody")
		pass(11 * time.Minute)
		if d := b.get(t, "9"); d.Pages[len(d.Pages)-1].Person != "ada" {
			t.Errorf("the first turn of the second level: %+v", d.Pages)
		}
		if d := b.get(t, "10"); len(d.Pages) != 1 || d.Pages[0].Person != "boss" || !slices.Contains(actions(d), "skipped") {
			t.Errorf("nobody of the rotation is reachable: %+v, %+v", d.Pages, d.Log)
		}
	})
}

// Whoever cannot be told is named to whoever asks.
func TestAskingWhomNothingReachesIsSaid(t *testing.T) {
	inBubble(t, quietHouse, func(t *testing.T, b *bench) {
		i := b.trigger(t, "a1", "s")
		d, err := b.AskResponders(t.Context(), i.ID, "ada", []string{"edsger", "boss"}, "help")
		if err != nil || d.Board.Responders[0].Unreached == "" || d.Board.Responders[1].Unreached != "" {
			t.Errorf("%+v, %v", d.Board.Responders, err)
		}
		if !strings.Contains(fmt.Sprint(d.Log), "edsger was told nothing: no contact method") {
			t.Errorf("log %+v", d.Log)
		}
		at := time.Now()
		d, u, err := b.Publish(t.Context(), i.ID, "ada", "it burns", []string{"edsger", "grace"})
		if err != nil || !slices.Equal(u.Unreached, []string{"edsger"}) || !slices.Equal(d.Board.Updates[0].Unreached, []string{"edsger"}) {
			t.Errorf("%+v, %v", u, err)
		}
		pass(time.Second)
		if got := b.sender.how(at); !slices.Contains(got, "loud boss@example.com") || !slices.Contains(got, "quiet grace@example.com") {
			t.Errorf("help is loud and news is quiet: %q", got)
		}
	})
}

// Several incidents in one message ring if one of them does.
func TestABundleRingsIfOneOfItsIncidentsDoes(t *testing.T) {
	for severity, quiet := range map[string]bool{"warning": true, "critical": false} {
		inBubble(t, crowded(9), func(t *testing.T, b *bench) {
			b.Unhurried()
			b.triggerAs(t, incident.Trigger{AlertID: "a", Service: "s0", Title: "t", Severity: "warning"})
			pass(0)
			b.triggerAs(t, incident.Trigger{AlertID: "b", Service: "s3", Title: "t", Severity: "warning"})
			b.triggerAs(t, incident.Trigger{AlertID: "c", Service: "s6", Title: "t", Severity: severity})
			pass(time.Minute)
			for _, m := range b.sender.toward("ada@example.com") {
				if m.message.Together > 1 && m.message.Quiet != quiet || len(told(m)) == 1 && !m.message.Quiet {
					t.Errorf("%s: %d together, quiet %t", severity, m.message.Together, m.message.Quiet)
				}
			}
			if n := len(b.sender.toward("ada@example.com")); n != 2 {
				t.Errorf("%d mails", n)
			}
		})
	}
}

// An acknowledgement that comes in as an event stops paging, is no person's, and is no time to acknowledge.
func TestAnAcknowledgementBySenderIsNoPersons(t *testing.T) {
	inBubble(t, quietHouse, func(t *testing.T, b *bench) {
		began := time.Now()
		b.accept(t, "s", "trigger", "k")
		pass(time.Minute)
		b.accept(t, "s", "acknowledge", "k")
		d := b.get(t, "1")
		last := d.Log[len(d.Log)-1]
		if d.Status != incident.Acknowledged || d.AcknowledgedBy != "system:watcher" || last.Actor != "system:watcher" || !strings.Contains(last.Text, "its sender says") {
			t.Errorf("%+v, %+v", d.Incident, last)
		}
		if got := d.People(); !slices.Equal(got, []string{"ada"}) {
			t.Errorf("people %q", got)
		}
		b.accept(t, "s", "resolve", "k")
		a, err := b.Analyse(t.Context(), event.Range{From: began, To: began.Add(time.Hour)}, "")
		if err != nil || a.All.Acknowledged != 0 || a.All.BySender != 1 || a.All.AckMean != nil || a.All.Unacted != 1 {
			t.Errorf("%+v, %v", a.All, err)
		}
	})
}

// What a rule drops is kept among what came in with the rule's reason, also of daytwo's own alerts.
func TestWhatIsDroppedIsKeptWithItsReason(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, quietHouse)
		if _, err := b.SaveRule(t.Context(), incident.Rule{Name: "junk", When: `summary contains "junk"`, Drop: "nobody wants it"}, nil, ""); err != nil {
			t.Fatal(err)
		}
		i := b.triggerAs(t, incident.Trigger{AlertID: "a1", Service: "s", Title: "junk of ours", Severity: "critical", Labels: event.Labels{"alertname": "Junk"}})
		if i.ID != "" {
			t.Errorf("opened %+v", i)
		}
		list, err := b.Events(t.Context(), incident.EventFilter{Outcome: "dropped", Limit: 10})
		if err != nil || len(list) != 1 || list[0].Reason != "nobody wants it" || list[0].Source != "rule" || list[0].Fresh || list[0].Body.Title != "junk of ours" ||
			list[0].Body.Fields.Labels["alertname"] != "Junk" {
			t.Errorf("%+v, %v", list, err)
		}
	})
}
