package incident_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

const house = `
people:
  - {name: ada, email: ada@example.com}
  - {name: grace, email: grace@example.com}
  - {name: edsger}
schedules:
  - {name: primary, time_zone: UTC, layers: [{members: [ada, grace], rotation: daily, handoff: 2000-01-01 09:00}]}
escalation_policies:
  - {name: first, levels: [{targets: [{schedule: primary}], after: 0s}, {targets: [edsger], after: 5m}], repeat: 1, then: second}
  - {name: second, levels: [{targets: [ada, grace], after: 1m, round_robin: true}]}
  - {name: nobody, levels: [{targets: [edsger], after: 0s}]}
services:
  - {name: a, escalation_policy: first, ack_timeout: 30m, integrations: [{name: x, key: aaaaaaaaaaaaaaaaaaaaaaaa}]}
  - {name: b, escalation_policy: second, grouping: {by: [dedup_key]}, auto_resolve: 6h, integrations: [{name: x, key: bbbbbbbbbbbbbbbbbbbbbbbb}]}
  - {name: c, escalation_policy: nobody, grouping: {by: [class], within: 10m}, integrations: [{name: x, key: cccccccccccccccccccccccc}]}
maintenance:
  - {name: always-late, services: [a], from: 2000-01-01 00:20, to: 2000-01-01 00:50}
`

// act is something that people or senders do, after a while.
type act struct {
	after    time.Duration
	what     string
	on, with int
}

var acts = []string{"trigger", "trigger", "trigger", "trigger", "resolve event", "ack event", "ack", "ack", "resolve", "snooze", "give back", "escalate",
	"reassign", "merge", "reopen", "ask", "publish", "edit", "move", "restart", "rule", "beat"}

// Whatever people and senders do, in whatever order, and however sending goes:
//   - replaying the ledger gives the state that is stored,
//   - nothing is sent by the escalation for an incident that is not triggered, and nothing but updates for one that is resolved,
//   - the auditor finds, from the ledger alone, that every open incident has a next step or a said end,
//   - a sender's key and deduplication key have at most one open alert,
//   - every alert is part of an incident, or says why it pages nobody and until when; merging loses none,
//   - no suppression is overdue.
func TestWhateverPeopleDo(t *testing.T) {
	inVirtualTime(t, fortunes(rapid.Custom(func(t *rapid.T) act {
		return act{
			after: time.Duration(rapid.IntRange(0, 1500).Draw(t, "seconds")) * time.Second,
			what:  rapid.SampledFrom(acts).Draw(t, "what"),
			on:    rapid.IntRange(0, 8).Draw(t, "on"),
			with:  rapid.IntRange(0, 8).Draw(t, "with"),
		}
	}), 20, []error{nil, nil, nil, errBusy, refused(t)}, "grace"), play)
}

// stage is a history being played.
type stage struct {
	*bench
	t     *testing.T
	stop  func()
	beat  string
	lines []string // of the log as it was
	wrong string
}

func play(t *testing.T, db *store.DB, f fortune[act]) string {
	s := &stage{bench: newBench(t, db, house+f.lastResort), t: t}
	s.sender.fail = func(_ context.Context, _ notify.Address, try int) error {
		all := s.sender.all()
		m := all[try-1]
		kind := m.message.Data.(incident.Payload).Page.Kind
		if i := s.get(t, m.incident); kind == "" && i.Status != incident.Triggered || kind == "responder" && !i.Open() {
			s.wrong = fmt.Sprintf("#%d is %s, and is paged (%q)", i.Number, i.Status, kind)
		}
		return f.luck[try%len(f.luck)]
	}
	s.stop = s.run(t)
	defer func() { s.stop() }()
	if h, err := s.CreateHeartbeat(t.Context(), incident.Heartbeat{Name: "backup", Service: "a", Every: 3600e9, Grace: 600e9}); err != nil {
		return err.Error()
	} else {
		s.beat = h.Token
	}
	for _, a := range f.history {
		pass(a.after)
		if err := s.do(a); err != nil && !expected(err) {
			return fmt.Sprintf("%s: %v", a.what, err)
		}
		synctest.Wait()
		if wrong := s.check(); wrong != "" {
			return fmt.Sprintf("after %s: %s", a.what, wrong)
		}
	}
	pass(9 * time.Hour)
	if wrong := s.check(); wrong != "" {
		return "at the end: " + wrong
	}
	return s.wrong
}

// expected tells refusals that a careless sequence of acts meets.
func expected(err error) bool {
	for _, text := range []string{"resolved", "there is no incident", "itself", "merged", "has no alert", "is open already"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

func (s *stage) do(a act) error {
	ctx, ref, other := s.t.Context(), fmt.Sprint(a.on+1), fmt.Sprint(a.with+1)
	var err error
	switch a.what {
	case "trigger", "resolve event", "ack event":
		key := []string{"aaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbb", "cccccccccccccccccccccccc"}[a.on%3]
		service, _ := s.Integration(key)
		e := incident.Event{Key: key, Service: service, Source: "test", Action: "trigger", DedupKey: fmt.Sprint("k", a.with%4),
			Body: incident.EventBody{Title: fmt.Sprint("alert ", a.with), Severity: []string{"critical", "warning", "info", "error"}[a.with%4],
				Fields: incident.Fields{Class: fmt.Sprint("class", a.with%2), Component: fmt.Sprint(a.with)}}}
		if a.what != "trigger" {
			e.Action = map[string]string{"resolve event": "resolve", "ack event": "acknowledge"}[a.what]
		}
		_, err = s.Accept(ctx, e)
	case "ack":
		_, err = s.Acknowledge(ctx, ref, "ada")
	case "resolve":
		_, err = s.Resolve(ctx, ref, "ada")
	case "snooze":
		_, err = s.Snooze(ctx, ref, "ada", time.Duration(a.with+1)*10*time.Minute)
	case "give back":
		_, err = s.Unacknowledge(ctx, ref, "ada")
	case "escalate":
		_, err = s.Escalate(ctx, ref, "ada")
	case "reassign":
		if a.with%2 == 0 {
			_, err = s.Reassign(ctx, ref, "ada", []string{"grace"}, "")
		} else {
			_, err = s.Reassign(ctx, ref, "ada", nil, "second")
		}
	case "merge":
		_, err = s.Merge(ctx, ref, "ada", []string{other})
	case "reopen":
		_, err = s.Reopen(ctx, ref, "ada")
	case "ask":
		_, err = s.AskResponders(ctx, ref, "ada", []string{"grace"}, "help")
	case "publish":
		_, _, err = s.Publish(ctx, ref, "ada", "news", []string{"grace"})
	case "edit":
		title := fmt.Sprint("title ", a.with)
		_, err = s.Edit(ctx, ref, "ada", incident.Edit{Title: &title})
	case "move":
		if d, e := s.Get(ctx, ref); e == nil && len(d.Alerts) > 0 {
			_, err = s.MoveAlert(ctx, ref, "ada", d.Alerts[0].ID, other)
		}
	case "restart":
		s.stop()
		s.restart(s.t)
		s.stop = s.run(s.t)
	case "rule":
		r := []incident.Rule{{Name: "quiet", When: `component == "3"`, Suppress: "noise"}, {Name: "later", When: `component == "5"`, Suppress: "wait", For: 1200e9},
			{Name: "away", When: `component == "7"`, Drop: "junk"}, {Name: "loud", When: `severity == "info"`, Severity: "critical", Priority: "P1"}}[a.with%4]
		_, err = s.SaveRule(ctx, r, nil, "")
	case "beat":
		err = s.Beat(ctx, s.beat)
	}
	return err
}

func (s *stage) check() string {
	ctx := context.Background()
	replayed, err := s.Replay(ctx)
	if err != nil {
		return err.Error()
	}
	stored, err := s.Stored(ctx)
	if err != nil {
		return err.Error()
	}
	if wrong := differs(replayed, stored); wrong != "" {
		return wrong
	}
	if wrong := s.appended(ctx); wrong != "" {
		return wrong
	}
	if found := s.Audit(ctx); len(found.Stranded) > 0 || found.Error != "" {
		return fmt.Sprintf("the auditor finds %+v", found)
	}
	placed := map[string]bool{}
	for key := range stored.Alerts {
		_, id, _ := strings.Cut(key, "/")
		placed[id] = true
	}
	open, now := map[string]int{}, time.Now()
	for _, r := range stored.Records {
		if r.Status == "triggered" && r.Key != "" {
			if open[r.Key+"/"+r.DedupKey]++; open[r.Key+"/"+r.DedupKey] > 1 {
				return "two open alerts of " + r.Key + "/" + r.DedupKey
			}
		}
		if !r.EndsAt.IsZero() && now.Sub(r.EndsAt) > time.Second {
			return fmt.Sprintf("a suppression is overdue: %+v", r)
		}
		if !placed[r.ID] && r.Suppressed == "" {
			return fmt.Sprintf("the alert belongs nowhere: %+v", r)
		}
	}
	return ""
}

// differs tells what replaying the ledger gives otherwise than it is stored.
func differs(replayed, stored *incident.State) string {
	a, b := reflect.ValueOf(*replayed), reflect.ValueOf(*stored)
	for n := range a.NumField() {
		if again, kept := a.Field(n).Interface(), b.Field(n).Interface(); !same(again, kept) {
			return fmt.Sprintf("replayed %s\n%+v\nstored\n%+v", a.Type().Field(n).Name, again, kept)
		}
	}
	return ""
}

// appended tells when a line that was written for people is changed or gone: their log is no projection.
func (s *stage) appended(ctx context.Context) (wrong string) {
	lines := []string{}
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT incident_id, seq, at, action, actor, text FROM incident_log ORDER BY incident_id, seq`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, action, actor, text string
			var seq, at int64
			if err := rows.Scan(&id, &seq, &at, &action, &actor, &text); err != nil {
				return err
			}
			lines = append(lines, fmt.Sprintf("%s %d %d %s %s %s", id, seq, at, action, actor, text))
		}
		return rows.Err()
	})
	if err != nil {
		return err.Error()
	}
	for _, before := range s.lines {
		if !slices.Contains(lines, before) {
			return "a line of the log is gone: " + before
		}
	}
	s.lines = lines
	return ""
}

// Every column of this package's tables is either compared with what the ledger gives, or no projection for a reason. A new one
// is to be thought about here.
func TestWhatTheLedgerGives(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		newBench(t, db, "")
		for table, want := range map[string]string{
			"incidents": "acknowledged_at acknowledged_by board common cycle escalation group_key id merged_into next_at number opened_at opened_by priority " +
				"resolve_at resolved_at resolved_by service severity snoozed_until status step title unreached updated_at urgency",
			"incident_alerts": "alert_id at incident_id status title",
			"pages":           "address at attempts bundle channel created_at error id incident_id kind level person status step text wake_at",
			"alert_records": "count created_at dedup_key ends ends_at fields id key_id resolved_at service severity source status suppressed title " +
				"updated_at",
			"round_robins": "level policy turn",

			"incident_ledger": "at data fact incident_id seq",                                                        // the log itself
			"incident_log":    "action actor at incident_id seq text",                                                // append-only too: the same in words, decided upon by nobody
			"inbound_events":  "action at body dedup_key fresh id incident_id key_id outcome reason service source",  // what came in, kept for a week
			"heartbeats":      "alert_id created_at due_at every_us grace_us id last_at name service severity token", // configured; a beat is an input
			"event_rules":     "created_at id name position rule updated_at updated_by",                              // configured
		} {
			if got := columns(t, db, table); got != want {
				t.Errorf("%s has the columns\n%s, want\n%s", table, got, want)
			}
		}
	})
}

// columns are those of a table, by name.
func columns(t *testing.T, db *store.DB, table string) string {
	t.Helper()
	var list []string
	err := db.Read(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.Query(t.Context(), "SELECT * FROM "+table+" WHERE 1 = 0")
		if err != nil {
			return err
		}
		defer rows.Close()
		if list, err = rows.Columns(); err != nil {
			return err
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// same compares what two ways of reading give, as it is written down.
func same(a, b any) bool { return reflect.DeepEqual(flat(a), flat(b)) }

// A takeover, a wrong clock or a crash in the middle of a page makes the auditor speak, and a late step is found.
func TestAuditorFindsWhatIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, tables.New(t), shop)
		b.trigger(t, "x", "checkout") // nobody runs the pager
		if found := b.Audit(t.Context()); len(found.Stranded) != 0 || found.Open != 1 {
			t.Errorf("at once: %+v", found)
		}
		time.Sleep(2 * time.Minute)
		if found := b.Audit(t.Context()); len(found.Stranded) != 1 || !strings.Contains(found.Stranded[0].Reason, "due at") {
			t.Errorf("after two minutes: %+v", found)
		}
		stop := b.run(t)
		time.Sleep(time.Second)
		synctest.Wait()
		if found := b.Audit(t.Context()); len(found.Stranded) != 0 {
			t.Errorf("with a pager: %+v", found)
		}
		stop()
		if err := b.db.Write(t.Context(), func(tx *store.Tx) error { return nil }); err != nil {
			t.Error(err)
		}
	})
}

// A rule of the timeline that fails at one alert holds up all later ones, of which no incident tells: the auditor does.
func TestAuditorFindsRulesThatAreStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, tables.New(t), shop)
		if err := b.db.Write(t.Context(), func(tx *store.Tx) error {
			return b.timeline.Append(t.Context(), tx, &timeline.Entry{Kind: timeline.Alert, Action: "fired", Title: "x"})
		}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() {
			_ = b.timeline.Consume(ctx, "loop/alert-opens-incident", timeline.Filter{}, func(context.Context, *store.Tx, timeline.Entry) error { panic("oh") })
		}()
		time.Sleep(time.Second) // virtual
		if found := b.Audit(ctx); len(found.Stuck) != 0 {
			t.Errorf("after a second: %+v", found)
		}
		time.Sleep(2 * time.Minute) // virtual
		if found := b.Audit(ctx); len(found.Stuck) != 1 || !strings.Contains(found.Stuck[0], "alert-opens-incident") {
			t.Errorf("after two minutes: %+v", found)
		}
		cancel()
		synctest.Wait()
	})
}
