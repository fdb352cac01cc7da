package incident_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

func TestFromAlertToResolution(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, shop)
		stop := b.run(t)
		i := b.trigger(t, "a1", "checkout")
		if i.Number != 1 || i.Status != incident.Triggered || i.Policy != "payments" || i.NextStep.What != "page ada (level 1)" {
			t.Errorf("opened %+v, next %+v", i, i.NextStep)
		}
		eventually(t, "ada is paged at both addresses", func() bool {
			d := b.get(t, i.ID)
			return len(d.Pages) == 2 && d.Pages[0].Status == "sent" && d.Pages[1].Status == "sent"
		})
		d := b.get(t, "#1")
		if d.NextStep == nil || d.NextStep.What != "page grace (level 2)" || d.Pages[1].Address != "http://hooks.example.com/…" {
			t.Errorf("next %+v, pages %+v", d.NextStep, d.Pages)
		}
		d, err := b.Acknowledge(t.Context(), "1", "ada")
		if err != nil || d.Status != incident.Acknowledged || d.AcknowledgedBy != "ada" || d.AcknowledgedAt == nil || d.NextStep != nil {
			t.Errorf("acknowledged %+v: %v", d.Incident, err)
		}
		again, err := b.Acknowledge(t.Context(), i.ID, "grace")
		if err != nil || again.AcknowledgedBy != "ada" || len(again.Log) != len(d.Log) {
			t.Errorf("a second acknowledgement is not idempotent: %+v, %v", again.Incident, err)
		}
		if d, err = b.AddNote(t.Context(), i.ID, "ada", " looking\n"); err != nil || d.Log[len(d.Log)-1].Text != "looking" {
			t.Errorf("note %+v: %v", d.Log, err)
		}
		b.cleared(t, "a1")
		b.cleared(t, "a1")
		d = b.get(t, i.ID)
		if d.Status != incident.Resolved || d.ResolvedBy != "daytwo" || d.Alerts[0].Status != "resolved" {
			t.Errorf("resolved %+v, alerts %+v", d.Incident, d.Alerts)
		}
		if got := d.People(); !slices.Equal(got, []string{"ada"}) {
			t.Errorf("people %q", got)
		}
		late, err := b.Acknowledge(t.Context(), i.ID, "grace")
		if err != nil || late.Status != incident.Resolved {
			t.Errorf("a late acknowledgement: %+v, %v", late.Incident, err)
		}
		stop()
		want := []string{"incident opened", "page sent", "page sent", "incident acknowledged", "incident note", "incident resolved"}
		if got := b.entries(t); !slices.Equal(got, want) {
			t.Errorf("timeline %q, want %q", got, want)
		}
		wantLog := []string{"opened", "escalated", "paged", "paged", "acknowledged", "note", "cleared", "resolved"}
		if got := actions(d); !slices.Equal(got, wantLog) {
			t.Errorf("log %q, want %q", got, wantLog)
		}
	})
}

func TestAlertsJoinRejoinAndOpenAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, shop)
		first := b.triggerAs(t, incident.Trigger{AlertID: "a1", Service: "checkout", Title: "slow", Severity: "warning"})
		second := b.trigger(t, "a2", "checkout")
		if second.ID != first.ID || second.Severity != "critical" {
			t.Errorf("the second alert did not join: %+v", second)
		}
		if again := b.trigger(t, "a1", "checkout"); again.ID != first.ID {
			t.Error("a repeated alert opened another incident")
		}
		b.cleared(t, "a1")
		if d := b.get(t, first.ID); !d.Open() {
			t.Error("resolved while an alert still fires")
		}
		b.trigger(t, "a1", "checkout") // flaps
		b.cleared(t, "a2")
		if d := b.get(t, first.ID); !d.Open() {
			t.Error("resolved although the alert that flapped fires again")
		}
		b.cleared(t, "a1")
		d := b.get(t, first.ID)
		if d.Open() {
			t.Error("not resolved although nothing fires")
		}
		wantLog := []string{"opened", "joined", "cleared", "refired", "cleared", "cleared", "resolved"}
		if got := actions(d); !slices.Equal(got, wantLog) {
			t.Errorf("log %q, want %q", got, wantLog)
		}
		third := b.trigger(t, "a1", "checkout")
		if third.ID == first.ID || third.Number != 2 {
			t.Errorf("an alert that fires after the incident was resolved opens another: %+v", third)
		}
		if other := b.trigger(t, "p1", "payments"); other.ID == third.ID {
			t.Error("an alert of another service joined")
		}
		b.cleared(t, "unknown")
	})
}

func TestAlertsWithoutAServiceAreGrouped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, shop)
		fire := func(id string, labels event.Labels) incident.Incident {
			return b.triggerAs(t, incident.Trigger{AlertID: id, Title: "t", Severity: "warning", Labels: labels})
		}
		down := fire("a1", event.Labels{"alertname": "Down", "job": "node", "instance": "a"})
		if down.Group != `{alertname="Down", job="node"}` {
			t.Errorf("group %s", down.Group)
		}
		if same := fire("a2", event.Labels{"alertname": "Down", "job": "node", "instance": "b"}); same.ID != down.ID {
			t.Error("the same rule at the same place opened another incident")
		}
		for id, labels := range map[string]event.Labels{"a3": {"alertname": "Full", "job": "node"}, "a4": {"alertname": "Down", "job": "web"}, "a5": nil} {
			if other := fire(id, labels); other.ID == down.ID {
				t.Errorf("%v joined %s", labels, down.Group)
			}
		}
		d := b.get(t, down.ID)
		if last := d.Log[len(d.Log)-1]; last.Text != `Alert "t" joined: #1 of the same alertname, job is open` {
			t.Errorf("log %q", last.Text)
		}
		if c := b.triggerAs(t, incident.Trigger{AlertID: "c", Service: "checkout", Labels: event.Labels{"alertname": "Down", "job": "node"}}); c.Group != "" {
			t.Errorf("an alert of a service has the group %s", c.Group)
		}
	})
}

// Thousands of alerts at once are one incident and one page, which does not wait for the last of them; what is shown is bounded.
func TestAStormIsOneIncident(t *testing.T) {
	b := newBench(t, tables.New(t), shop)
	stop := b.run(t)
	const n = 1100
	huge := strings.Repeat("x", 1<<20)
	var first incident.Incident
	for k := range n {
		i := b.triggerAs(t, incident.Trigger{AlertID: fmt.Sprint(k), Service: "checkout", Title: fmt.Sprint(k, huge[:(k%2)<<10]), Severity: "critical"})
		if k == 0 {
			first = i
			eventually(t, "ada is paged", func() bool { return len(b.sender.all()) == 2 })
		}
	}
	if i := b.triggerAs(t, incident.Trigger{AlertID: "huge", Title: huge, Severity: huge, Labels: event.Labels{"alertname": huge}}); len(i.Title) > 4096 || len(i.Group) > 2000 {
		t.Errorf("title of %d bytes, group of %d", len(i.Title), len(i.Group))
	}
	b.cleared(t, "7")
	d := b.get(t, first.ID)
	if len(d.Alerts) != 200 || d.MoreAlerts != n-200 || len(d.Log) != 1000 || d.EarlierLog < n-1000 || d.Alerts[0].Status != "firing" {
		t.Errorf("%d alerts and %d more, %d lines and %d earlier", len(d.Alerts), d.MoreAlerts, len(d.Log), d.EarlierLog)
	}
	if sends := len(b.sender.all()); sends != 2 {
		t.Errorf("%d messages", sends)
	}
	stop()
}

func TestResolvedByHandWhileFiring(t *testing.T) {
	b := newBench(t, tables.New(t), shop)
	i := b.trigger(t, "a1", "checkout")
	d, err := b.Resolve(t.Context(), i.ID, "ada")
	if err != nil || d.Status != incident.Resolved || !strings.Contains(d.Log[len(d.Log)-1].Text, "while 1 alert still firing") {
		t.Errorf("%+v: %v", d.Log, err)
	}
	if again := b.trigger(t, "a1", "checkout"); again.ID != i.ID {
		t.Error("a duplicate of an alert that still fires opened another incident")
	}
	b.cleared(t, "a1")
	if after := b.get(t, i.ID); after.ResolvedBy != "ada" {
		t.Errorf("the end of the alert changed who resolved: %+v", after.Incident)
	}
	if next := b.trigger(t, "a1", "checkout"); next.ID == i.ID {
		t.Error("the alert fires again, but no incident was opened")
	}
}

func TestByHand(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, shop)
		d, err := b.Create(t.Context(), "checkout", "customers\ncomplain", "warning", "grace")
		if err != nil || d.OpenedBy != "grace" || d.Title != "customers complain" || d.Severity != "warning" {
			t.Fatalf("%+v: %v", d.Incident, err)
		}
		if _, err := b.Create(t.Context(), "checkout", "again", "critical", "ada"); problem.CodeOf(err) != problem.Conflict {
			t.Errorf("a second open incident of a service: %v", err)
		}
		if _, err := b.Create(t.Context(), "nope", "x", "critical", "ada"); problem.CodeOf(err) != problem.Invalid {
			t.Errorf("an unknown service: %v", err)
		}
		b.trigger(t, "a1", "checkout")
		b.cleared(t, "a1")
		if d := b.get(t, d.ID); !d.Open() {
			t.Error("an incident opened by hand was resolved by an alert")
		}
		for _, bad := range []string{"", " \n", strings.Repeat("x", 20<<10)} {
			if _, err := b.AddNote(t.Context(), d.ID, "ada", bad); err == nil {
				t.Errorf("a note of %d bytes was taken", len(bad))
			}
		}
		if _, err := b.AddNote(t.Context(), d.ID, "ada", "nul \x00 and \xff"); err != nil {
			t.Error(err)
		}
		if _, err := b.Get(t.Context(), "nope"); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("an unknown incident: %v", err)
		}
	})
}

func TestListFiltersAndPages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		b := newBench(t, db, shop)
		for _, service := range []string{"checkout", "payments", "reports", "legacy"} {
			b.trigger(t, "alert of "+service, service)
		}
		if _, err := b.Acknowledge(t.Context(), "2", "ada"); err != nil {
			t.Fatal(err)
		}
		b.cleared(t, "alert of reports")
		for _, tt := range []struct {
			filter incident.Filter
			want   []int64
			more   bool
		}{
			{incident.Filter{Limit: 10}, []int64{4, 3, 2, 1}, false},
			{incident.Filter{Limit: 2}, []int64{4, 3}, true},
			{incident.Filter{Limit: 2, Before: 3}, []int64{2, 1}, false},
			{incident.Filter{Limit: 10, Status: "open"}, []int64{4, 2, 1}, false},
			{incident.Filter{Limit: 10, Status: "triggered"}, []int64{4, 1}, false},
			{incident.Filter{Limit: 10, Status: "acknowledged"}, []int64{2}, false},
			{incident.Filter{Limit: 10, Status: "resolved"}, []int64{3}, false},
			{incident.Filter{Limit: 10, Service: "payments"}, []int64{2}, false},
		} {
			list, more, err := b.List(t.Context(), tt.filter)
			var got []int64
			for _, i := range list {
				got = append(got, i.Number)
			}
			if err != nil || !slices.Equal(got, tt.want) || more != tt.more {
				t.Errorf("%+v: %v, more %v: %v", tt.filter, got, more, err)
			}
		}
	})
}

func TestMessageSaysWhatIsWrongAndWhatChanged(t *testing.T) {
	b := newBench(t, tables.New(t), shop)
	err := b.db.Write(t.Context(), func(tx *store.Tx) error {
		return b.timeline.Append(t.Context(), tx, &timeline.Entry{Kind: timeline.Change, Action: "deploy", Service: "payments",
			Title: "payments v2 deployed (was <v1>)", Actor: "token:ci"})
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := b.run(t)
	i := b.trigger(t, "a1", "checkout")
	eventually(t, "both messages went out", func() bool { return len(b.sender.all()) == 2 })
	stop()
	m := b.sender.all()[0].message
	if m.Subject != "[critical] checkout: Alert a1 (#1)" || m.URL != "http://daytwo.example/incidents/"+i.ID {
		t.Errorf("subject %q, URL %s", m.Subject, m.URL)
	}
	for _, want := range []string{"Alert a1", "checkout · critical · since ", "payments v2 deployed (was <v1>), by ci token", m.URL,
		"https://wiki.example.com/checkout", "level 1 of the escalation policy payments"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("the text lacks %q:\n%s", want, m.Text)
		}
	}
	if !strings.Contains(m.Text, " CET") && !strings.Contains(m.Text, " CEST") {
		t.Errorf("times are not in the reader's zone:\n%s", m.Text)
	}
	if !strings.Contains(m.HTML, "was &lt;v1&gt;") || !strings.Contains(m.HTML, `href="`+m.URL+`"`) {
		t.Errorf("html:\n%s", m.HTML)
	}
	p := m.Data.(incident.Payload)
	if p.Event != "incident.page" || p.Page.Person != "ada" || p.Page.Attempt != 1 || p.Page.ID != m.ID || len(p.Changes) != 1 ||
		p.Incident.Number != 1 || p.Incident.Runbook == "" || !strings.Contains(p.Text, m.URL) {
		t.Errorf("payload %+v", p)
	}
}

func TestPolicyIsTheOneOfTheOpening(t *testing.T) {
	b := newBench(t, tables.New(t), shop)
	i := b.trigger(t, "a1", "checkout")
	b.catalog.Replace(new(catalog.Catalog))
	stop := b.run(t)
	eventually(t, "ada is paged", func() bool { return len(b.sender.all()) == 2 })
	stop()
	if d := b.get(t, i.ID); d.Policy != "payments" || d.NextStep.What != "page grace (level 2)" {
		t.Errorf("%+v", d.Incident)
	}
}

func TestNothingIsLostOverAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, tables.New(t), shop)
		b.sender.fail = func(ctx context.Context, _ notify.Address, _ int) error { <-ctx.Done(); return ctx.Err() }
		stop := b.run(t)
		i := b.trigger(t, "a1", "checkout")
		synctest.Wait()
		stop() // breaks the sends off after its grace
		before := b.get(t, i.ID)
		b.restart(t)
		b.sender.fail = nil
		defer b.run(t)()
		synctest.Wait()
		for k, p := range b.get(t, i.ID).Pages {
			if p.ID != before.Pages[k].ID || p.Status != "sent" || p.Attempts != 2 {
				t.Errorf("sent again as %+v, was %+v", p, before.Pages[k])
			}
		}
	})
}
