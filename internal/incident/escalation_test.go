package incident_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/notify"
)

// inBubble runs f in virtual time on a bench with a running pager.
func inBubble(t *testing.T, text string, f func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, tables.New(t), text)
		defer b.run(t)()
		f(t, b)
	})
}

// pass lets virtual time pass and everything due then happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestLevelsRoundsAndTheEnd(t *testing.T) {
	inBubble(t, shop, func(t *testing.T, b *bench) {
		start := time.Now()
		i := b.trigger(t, "a1", "checkout")
		pass(2 * time.Hour)
		var got []string
		for _, m := range b.sender.all() {
			if !strings.HasPrefix(m.to, "http") {
				got = append(got, fmt.Sprintf("%s %s", m.at.Sub(start), m.to))
			}
		}
		want := []string{"0s ada@example.com", "5m0s grace@example.com", "10m0s ada@example.com", "15m0s grace@example.com"}
		if !slices.Equal(got, want) {
			t.Errorf("paged %q, want %q", got, want)
		}
		d := b.get(t, i.ID)
		if d.NextStep == nil || d.NextStep.At != nil || !slices.Contains(actions(d), "unanswered") {
			t.Errorf("next %+v, log %+v", d.NextStep, d.Log)
		}
	})
}

func TestAcknowledgingEndsTheEscalation(t *testing.T) {
	inBubble(t, shop, func(t *testing.T, b *bench) {
		i := b.trigger(t, "a1", "checkout")
		pass(4 * time.Minute)
		if d := b.get(t, i.ID); d.NextStep == nil || d.NextStep.At == nil || time.Until(*d.NextStep.At) != time.Minute {
			t.Errorf("next step %+v", d.NextStep)
		}
		if _, err := b.Acknowledge(t.Context(), i.ID, "ada"); err != nil {
			t.Fatal(err)
		}
		pass(24 * time.Hour)
		if got := b.sender.people(); !slices.Equal(got, []string{"ada"}) {
			t.Errorf("paged %q", got)
		}
	})
}

func TestALevelWithoutAddressesIsSkippedAtOnce(t *testing.T) {
	inBubble(t, shop, func(t *testing.T, b *bench) {
		i := b.trigger(t, "a1", "reports")
		pass(0)
		if got := b.sender.people(); !slices.Equal(got, []string{"grace"}) {
			t.Errorf("paged %q", got)
		}
		if d := b.get(t, i.ID); !slices.Contains(actions(d), "skipped") {
			t.Errorf("log %+v", d.Log)
		}
	})
}

func TestNobodyReachableIsLoud(t *testing.T) {
	for _, service := range []string{"legacy", "orphan", "unknown", ""} {
		t.Run("service "+service, func(t *testing.T) {
			inBubble(t, shop, func(t *testing.T, b *bench) {
				i := b.trigger(t, "a1", service)
				pass(0)
				d := b.get(t, i.ID)
				if !slices.Contains(actions(d), "unreachable") || !slices.Contains(b.entries(t), "page unreachable") {
					t.Errorf("log %+v, timeline %q", d.Log, b.entries(t))
				}
				if d.NextStep == nil || d.NextStep.At == nil || d.NextStep.What != "start over: nobody could be reached" || d.Unreached == "" {
					t.Errorf("next %+v, unreached %q", d.NextStep, d.Unreached)
				}
				if d, err := b.Acknowledge(t.Context(), i.ID, "ada"); err != nil || d.Unreached != "" {
					t.Errorf("somebody took it: unreached %q, %v", d.Unreached, err)
				}
			})
		})
		t.Run("service "+service+" with a last resort", func(t *testing.T) {
			inBubble(t, shop+"last_resort: [boss]\n", func(t *testing.T, b *bench) {
				i := b.trigger(t, "a1", service)
				pass(0)
				d := b.get(t, i.ID)
				if got := b.sender.people(); !slices.Equal(got, []string{"boss"}) || !slices.Contains(actions(d), "unanswered") {
					t.Errorf("paged %q, log %+v", got, d.Log)
				}
				if text := b.sender.all()[0].message.Text; !strings.Contains(text, "You are the last resort") {
					t.Errorf("text %s", text)
				}
			})
		})
	}
}

func TestTheOnlyPersonIsTheLastResort(t *testing.T) {
	inBubble(t, "people: [{name: ada, email: ada@example.com}, {name: edsger}]\n", func(t *testing.T, b *bench) {
		i := b.trigger(t, "a1", "")
		pass(0)
		if got := b.sender.people(); !slices.Equal(got, []string{"ada"}) || b.get(t, i.ID).Unreached != "" {
			t.Errorf("paged %q, unreached %q", got, b.get(t, i.ID).Unreached)
		}
	})
}

func TestPagesOfOneIncidentCanBeToldApart(t *testing.T) {
	inBubble(t, shop+"last_resort: [boss]\n", func(t *testing.T, b *bench) {
		i := b.triggerAs(t, incident.Trigger{AlertID: "a1", Service: "reports", Title: "slow", Severity: "critical"})
		b.trigger(t, "a2", "")
		pass(24 * time.Hour)
		var got []string
		for _, m := range b.sender.all() {
			if m.message.Thread != m.incident {
				t.Errorf("thread %q of incident %s", m.message.Thread, m.incident)
			}
			if m.incident == i.ID {
				got = append(got, m.to+" "+m.message.Subject)
			}
		}
		want := []string{"grace@example.com [critical] reports: slow (#1)", "boss@example.com [critical] [page 2] reports: slow (#1)"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
}

func TestTheLastResortComesAfterAllRounds(t *testing.T) {
	inBubble(t, shop+"last_resort: [boss]\n", func(t *testing.T, b *bench) {
		b.trigger(t, "a1", "checkout")
		pass(19 * time.Minute)
		if got := b.sender.people(); slices.Contains(got, "boss") {
			t.Errorf("paged %q", got)
		}
		pass(time.Minute)
		if got := b.sender.people(); !slices.Equal(got, []string{"ada", "grace", "ada", "grace", "boss"}) {
			t.Errorf("paged %q", got)
		}
	})
}

func TestRetriesBackOffUnderOneID(t *testing.T) {
	inBubble(t, shop, func(t *testing.T, b *bench) {
		start := time.Now()
		b.sender.fail = func(_ context.Context, to notify.Address, _ int) error {
			if to.Channel == notify.Webhook || time.Since(start) > 12*time.Second {
				return nil
			}
			return errBusy
		}
		i := b.trigger(t, "a1", "checkout")
		pass(time.Minute)
		var at []string
		ids := map[string]bool{}
		for _, m := range b.sender.all() {
			if m.to == "ada@example.com" {
				at = append(at, m.at.Sub(start).String())
				ids[m.id] = true
			}
		}
		if want := []string{"0s", "1s", "3s", "7s", "15s"}; !slices.Equal(at, want) || len(ids) != 1 {
			t.Errorf("attempts at %q under %d ids, want %q", at, len(ids), want)
		}
		for _, p := range b.get(t, i.ID).Pages {
			if p.Status != "sent" || p.Error != "" || p.Channel == "email" && p.Attempts != 5 {
				t.Errorf("page %+v", p)
			}
		}
	})
}

func TestWhoCannotBeReachedIsPassedOverAtOnce(t *testing.T) {
	never := refused(t)
	inBubble(t, shop, func(t *testing.T, b *bench) {
		b.sender.fail = func(_ context.Context, to notify.Address, _ int) error {
			if strings.Contains(to.To, "ada") {
				return never
			}
			return nil
		}
		i := b.trigger(t, "a1", "checkout")
		pass(0)
		if got := b.sender.people(); !slices.Equal(got, []string{"ada", "grace"}) {
			t.Errorf("paged %q", got)
		}
		if got := b.entries(t); !slices.Equal(got, []string{"incident opened", "page failed", "page failed", "page sent"}) {
			t.Errorf("timeline %q", got)
		}
		if d := b.get(t, i.ID); d.Pages[0].Status != "exhausted" || d.Pages[0].Error == "" {
			t.Errorf("page %+v", d.Pages[0])
		}
	})
}

func TestEveryAttemptFails(t *testing.T) {
	for name, tt := range map[string]struct{ service, lastResort string }{
		"two levels":           {"checkout", ""},
		"one level":            {"reports", ""},
		"only the last resort": {"orphan", "last_resort: [boss]\n"},
		"also the last resort": {"checkout", "last_resort: [boss]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, shop+tt.lastResort, func(t *testing.T, b *bench) {
				b.sender.fail = func(context.Context, notify.Address, int) error { return errBusy }
				i := b.trigger(t, "a1", tt.service)
				pass(3 * time.Hour)
				d := b.get(t, i.ID)
				if log := actions(d); !slices.Contains(log, "unreachable") || !slices.Contains(log, "retried") {
					t.Errorf("log %+v", d.Log)
				}
				for _, e := range d.Log {
					if strings.Contains(e.Text, "nobody acknowledged") {
						t.Errorf("nobody was reached, but: %s", e.Text)
					}
				}
				for _, p := range d.Pages {
					if p.Status == "sent" || p.Attempts > 22+3*4 {
						t.Errorf("page %+v", p)
					}
				}
			})
		})
	}
}

func TestAnAttemptOverItsLeaseIsMadeAgain(t *testing.T) {
	inBubble(t, shop, func(t *testing.T, b *bench) {
		b.sender.fail = func(_ context.Context, to notify.Address, try int) error {
			if try <= 2 {
				time.Sleep(time.Minute) // deaf to its context
			}
			return nil
		}
		i := b.trigger(t, "a1", "checkout")
		pass(2 * time.Minute)
		all := b.sender.all()
		if len(all) != 4 || all[0].id != all[2].id && all[0].id != all[3].id || all[2].at.Sub(all[0].at) != 30*time.Second {
			t.Errorf("%d attempts: %+v", len(all), all)
		}
		for _, p := range b.get(t, i.ID).Pages {
			if p.Status != "sent" || p.Attempts != 2 {
				t.Errorf("page %+v", p)
			}
		}
		if n := strings.Count(strings.Join(b.entries(t), ","), "page sent"); n != 2 {
			t.Errorf("%d pages on the timeline: the late attempt was recorded too", n)
		}
	})
}

func TestAcknowledgingBreaksOffASend(t *testing.T) {
	inBubble(t, shop, func(t *testing.T, b *bench) {
		b.sender.fail = func(ctx context.Context, _ notify.Address, _ int) error { <-ctx.Done(); return ctx.Err() }
		i := b.trigger(t, "a1", "checkout")
		pass(time.Second)
		if _, err := b.Acknowledge(t.Context(), i.ID, "ada"); err != nil {
			t.Fatal(err)
		}
		pass(0)
		d := b.get(t, i.ID)
		if n := len(b.sender.all()); n != 2 || d.Pages[0].Status != "canceled" || d.Pages[1].Status != "canceled" {
			t.Errorf("%d sends, pages %+v", n, d.Pages)
		}
	})
}

func TestALeaseThatEndsAfterAnAcknowledgementIsNotUsed(t *testing.T) {
	inBubble(t, shop, func(t *testing.T, b *bench) {
		b.sender.fail = func(context.Context, notify.Address, int) error {
			time.Sleep(time.Hour) // deaf to its context, as good as dead
			return nil
		}
		i := b.trigger(t, "a1", "checkout")
		pass(time.Second)
		if _, err := b.Acknowledge(t.Context(), i.ID, "ada"); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		d := b.get(t, i.ID)
		if n := len(b.sender.all()); n != 2 || d.Pages[0].Status != "canceled" || d.Pages[1].Status != "canceled" {
			t.Errorf("%d sends, pages %+v", n, d.Pages)
		}
	})
}

func TestAfterDowntimePeopleStillHaveTheirTimeToAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, tables.New(t), shop)
		i := b.trigger(t, "a1", "checkout")
		time.Sleep(3 * time.Hour) // no pager runs
		b.restart(t)
		defer b.run(t)()
		pass(0)
		if got := b.sender.people(); !slices.Equal(got, []string{"ada"}) {
			t.Errorf("paged at once %q", got)
		}
		if next := b.get(t, i.ID).NextStep; next.At == nil || time.Until(*next.At) != 5*time.Minute {
			t.Errorf("next %+v", next)
		}
	})
}

func TestTheWorstAndNewestGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, tables.New(t), shop+manyServices(40)) // they page a webhook: each page by itself
		for k := range 40 {
			severity := "warning"
			if k == 7 || k == 9 {
				severity = "critical"
			}
			b.triggerAs(t, incident.Trigger{AlertID: fmt.Sprint(k), Service: fmt.Sprintf("s%d", k), Title: "t", Severity: severity})
		}
		b.sender.fail = func(ctx context.Context, _ notify.Address, _ int) error { <-ctx.Done(); return ctx.Err() }
		stop := b.run(t)
		synctest.Wait()
		all := b.sender.all()
		got := map[string]bool{}
		for _, m := range all {
			got[m.message.Data.(incident.Payload).Incident.Service] = true
		}
		if len(all) != 4 || !got["s7"] || !got["s9"] || !got["s39"] || !got["s38"] {
			t.Errorf("%d on the wire to one person: %v", len(all), got)
		}
		b.trigger(t, "other", "checkout")
		synctest.Wait()
		if n := len(b.sender.all()); n != 6 {
			t.Errorf("the mail and the webhook of another person wait for a receiver that hangs: %d on the wire", n)
		}
		stop()
	})
}

// manyServices are services that page somebody who has a webhook alone.
func manyServices(n int) string {
	var b strings.Builder
	for k := range n {
		fmt.Fprintf(&b, "  - {name: s%d, team: payments, escalation_policy: machine}\n", k)
	}
	return b.String()
}
