package incident_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// accept hands an event of a service's key in.
func (b *bench) accept(t *testing.T, service, action, dedup string, change ...func(*incident.Event)) {
	t.Helper()
	e := incident.Event{Key: strings.Repeat(service, 24)[:24], Service: service, Source: "test", Action: action, DedupKey: dedup,
		Body: incident.EventBody{Title: "alert " + dedup, Severity: "critical"}}
	for _, f := range change {
		f(&e)
	}
	if _, err := b.Accept(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	pass(0)
}

func TestSnoozeAndTheLimitAfterAcknowledging(t *testing.T) {
	inBubble(t, house, func(t *testing.T, b *bench) {
		b.accept(t, "a", "trigger", "x")
		if d, err := b.Snooze(t.Context(), "1", "ada", time.Hour); err != nil || d.Status != incident.Acknowledged || d.SnoozedUntil == nil {
			t.Fatalf("snoozed %+v, %v", d.Incident, err)
		}
		sent := len(b.sender.all())
		pass(59 * time.Minute)
		if got := len(b.sender.all()); got != sent {
			t.Errorf("%d messages during the snooze", got-sent)
		}
		pass(2 * time.Minute)
		if d := b.get(t, "1"); d.Status != incident.Triggered || len(b.sender.all()) == sent {
			t.Errorf("after the snooze: %s, %d messages", d.Status, len(b.sender.all())-sent)
		}
		if _, err := b.Acknowledge(t.Context(), "1", "ada"); err != nil {
			t.Fatal(err)
		}
		pass(29 * time.Minute)
		if d := b.get(t, "1"); d.Status != incident.Acknowledged {
			t.Errorf("within the limit: %s", d.Status)
		}
		pass(2 * time.Minute)
		if d := b.get(t, "1"); d.Status != incident.Triggered || !slices.Contains(actions(d), "unacknowledged") {
			t.Errorf("after the limit: %s, %q", d.Status, actions(d))
		}
	})
}

func TestWhoIsOnCallRoundRobinAndTheNextPolicy(t *testing.T) {
	inBubble(t, house, func(t *testing.T, b *bench) {
		b.accept(t, "a", "trigger", "x") // at midnight, the turn of the day before
		first := b.sender.people()
		pass(10 * time.Hour) // everything runs out
		log := b.get(t, "1")
		if len(first) != 1 || !slices.Contains(actions(log), "skipped") || !slices.Contains(actions(log), "unanswered") {
			t.Errorf("first %q, log %q", first, actions(log))
		}
		pass(time.Hour)
		b.accept(t, "b", "trigger", "y")
		b.accept(t, "b", "trigger", "z")
		pass(2 * time.Minute)
		one, two := b.get(t, "2"), b.get(t, "3")
		if len(one.Pages) != 1 || len(two.Pages) != 1 || one.Pages[0].Person == two.Pages[0].Person {
			t.Errorf("round robin: %+v, %+v", one.Pages, two.Pages)
		}
		pass(6 * time.Hour)
		if d := b.get(t, "2"); d.Status != incident.Resolved || !strings.Contains(d.Log[len(d.Log)-1].Text, "as long as the service allows") {
			t.Errorf("not resolved by itself: %+v", d.Log)
		}
	})
}

func TestGroupingByFieldsAndTime(t *testing.T) {
	inBubble(t, house, func(t *testing.T, b *bench) {
		class := func(c string) func(*incident.Event) { return func(e *incident.Event) { e.Body.Fields.Class = c } }
		b.accept(t, "c", "trigger", "1", class("disk"))
		b.accept(t, "c", "trigger", "2", class("disk"))
		b.accept(t, "c", "trigger", "3", class("net"))
		pass(9 * time.Minute)
		b.accept(t, "c", "trigger", "4", class("disk"))
		pass(9 * time.Minute) // within ten minutes of the one before
		b.accept(t, "c", "trigger", "5", class("disk"))
		pass(11 * time.Minute)
		b.accept(t, "c", "trigger", "6", class("disk"))
		for number, want := range map[string]int{"1": 4, "2": 1, "3": 1} {
			if d := b.get(t, number); len(d.Alerts) != want {
				t.Errorf("#%s has %d alerts, want %d", number, len(d.Alerts), want)
			}
		}
	})
}

func TestMaintenanceAndRulesEndAndAreLogged(t *testing.T) {
	inBubble(t, house, func(t *testing.T, b *bench) {
		for _, r := range []incident.Rule{
			{Name: "wait", When: `summary endsWith "slow"`, Suppress: "it often recovers", For: 600e9},
			{Name: "noise", When: `details["env"] == "staging"`, Suppress: "nobody gets up for staging"},
			{Name: "junk", When: `summary contains "junk"`, Drop: "not wanted"},
			{Name: "loud", When: `severity == "info" && labels["tier"] == "1"`, Severity: "critical", Priority: "P1", Service: "a"},
		} {
			if _, err := b.SaveRule(t.Context(), r, nil, ""); err != nil {
				t.Fatal(err)
			}
		}
		b.accept(t, "b", "trigger", "slow")
		b.accept(t, "b", "trigger", "staging", func(e *incident.Event) { e.Body.Fields.Details = map[string]any{"env": "staging"} })
		b.accept(t, "b", "trigger", "junk")
		b.accept(t, "b", "trigger", "routed", func(e *incident.Event) {
			e.Body.Severity, e.Body.Fields.Labels = "info", map[string]string{"tier": "1"}
		})
		if d := b.get(t, "1"); d.Service != "a" || d.Severity != "critical" || d.Priority != "P1" {
			t.Errorf("routed %+v", d.Incident)
		}
		pass(11 * time.Minute)
		if d := b.get(t, "2"); d.Alerts[0].Title != "alert slow" {
			t.Errorf("the one that waited %+v", d.Alerts)
		}
		pass(14 * time.Minute) // maintenance of a since 00:20
		b.accept(t, "a", "trigger", "during")
		list, _, err := b.ListRecords(t.Context(), incident.RecordFilter{Suppressed: true, Limit: 10})
		if err != nil || len(list) != 2 || list[0].Suppressed != "maintenance: always-late" || list[1].Suppressed != "nobody gets up for staging" {
			t.Fatalf("suppressed %+v, %v", list, err)
		}
		pass(30 * time.Minute)
		if d := b.get(t, "1"); !slices.ContainsFunc(d.Alerts, func(a incident.JoinedAlert) bool { return a.Title == "alert during" }) {
			t.Errorf("after the maintenance %+v", d.Alerts)
		}
		pass(25 * time.Hour)
		if list, _, _ = b.ListRecords(t.Context(), incident.RecordFilter{Suppressed: true, Status: "triggered", Limit: 10}); len(list) != 0 {
			t.Errorf("still suppressed after a day: %+v", list)
		}
		entries := b.entries(t)
		for _, want := range []string{"alert suppressed", "alert unsuppressed", "alert closed"} {
			if !slices.Contains(entries, want) {
				t.Errorf("no %q among %q", want, entries)
			}
		}
		events, err := b.Events(t.Context(), incident.EventFilter{Outcome: "dropped", Limit: 10})
		if err != nil || len(events) != 1 || events[0].Reason != "not wanted" {
			t.Errorf("dropped %+v, %v", events, err)
		}
		tried, err := b.TryRule(t.Context(), incident.Rule{Name: "t", When: `summary matches "^alert"`, Drop: "x"}, 100)
		if err != nil || len(tried) != 5 || !tried[0].Matched {
			t.Errorf("tried %+v, %v", tried, err)
		}
	})
}

func TestHeartbeatIsMissedAndComesBack(t *testing.T) {
	inBubble(t, house, func(t *testing.T, b *bench) {
		h, err := b.CreateHeartbeat(t.Context(), incident.Heartbeat{Name: "backup", Service: "a", Every: 3600e9, Grace: 60e9})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			pass(50 * time.Minute)
			if err := b.Beat(t.Context(), h.Token); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.Get(t.Context(), "1"); err == nil {
			t.Error("an incident although the heart beats")
		}
		pass(62 * time.Minute)
		if d := b.get(t, "1"); !strings.Contains(d.Title, "backup is missing") || d.Status != incident.Triggered {
			t.Errorf("missed %+v", d.Incident)
		}
		tried, err := b.TryRule(t.Context(), incident.Rule{Name: "t", When: `source == "heartbeat" && labels["heartbeat"] == "backup"`, Suppress: "not now"}, 10)
		if err != nil || len(tried) != 1 || !tried[0].Matched || tried[0].Verdict.Suppress != "not now" || tried[0].Service != "a" || tried[0].Outcome != "" {
			t.Errorf("tried on daytwo's own alerts %+v, %v", tried, err)
		}
		if err := b.Beat(t.Context(), h.Token); err != nil {
			t.Fatal(err)
		}
		if d := b.get(t, "1"); d.Status != incident.Resolved {
			t.Errorf("it beats again, and the incident is %s", d.Status)
		}
	})
}

func TestMergeMovesEverything(t *testing.T) {
	inBubble(t, house, func(t *testing.T, b *bench) {
		for _, dedup := range []string{"1", "2", "3"} {
			b.accept(t, "b", "trigger", dedup)
		}
		d, err := b.Merge(t.Context(), "1", "ada", []string{"2", "3"})
		if err != nil || len(d.Alerts) != 3 {
			t.Fatalf("merged %+v, %v", d.Alerts, err)
		}
		if from := b.get(t, "2"); from.MergedInto != d.ID || from.Status != incident.Resolved || slices.Contains(b.entries(t), "incident resolved") {
			t.Errorf("source %+v", from.Incident)
		}
		for _, dedup := range []string{"1", "2", "3"} {
			b.accept(t, "b", "resolve", dedup)
		}
		if d := b.get(t, "1"); d.Status != incident.Resolved {
			t.Errorf("all its alerts are over, and it is %s", d.Status)
		}
	})
}

// What cannot be a rule is refused with the field at fault; what can be one ends on any event.
func FuzzRule(f *testing.F) {
	for _, seed := range []string{`severity == "warning"`, `labels["a"] matches "("`, `details["x"]["y"] > 1`, `all(1..1000000000, true)`, `summary[`, ``, `time.Year() == 2000`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, when string) {
		_ = incident.Rule{Name: "r", When: when, Drop: "x"}.Try(map[string]any{"x": 1})
	})
}

func TestAConferenceIsAPageOrANumber(t *testing.T) {
	inBubble(t, house, func(t *testing.T, b *bench) {
		b.accept(t, "a", "trigger", "x")
		for _, wrong := range []string{"javascript:alert(1)", "meet.example.com/1", "https://"} {
			_, err := b.Edit(t.Context(), "1", "ada", incident.Edit{Conference: &incident.Conference{URL: wrong}})
			if problem.CodeOf(err) != problem.Invalid {
				t.Errorf("%q is taken: %v", wrong, err)
			}
		}
		d, err := b.Edit(t.Context(), "1", "ada", incident.Edit{Conference: &incident.Conference{URL: "https://meet.example.com/1", Number: "+33 1, 2#"}})
		if err != nil || d.Board.Conference.URL != "https://meet.example.com/1" || d.Log[len(d.Log)-1].Text != "People talk at https://meet.example.com/1" {
			t.Errorf("%+v, %v", d.Board, err)
		}
		d, err = b.Edit(t.Context(), "1", "ada", incident.Edit{Conference: &incident.Conference{}})
		if err != nil || d.Board.Conference != nil || d.Log[len(d.Log)-1].Text != "The conference is over" {
			t.Errorf("ended %+v, %v", d.Board, err)
		}
	})
}
