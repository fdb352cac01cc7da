package incident_test

// What the package promises, and where it is proved: on SQLite and on PostgreSQL, in virtual time where inVirtualTime is called.
//
//	a 202 is durable                                        TestAcceptedIsDurable here; kill -9: test.TestKilledInAStorm
//	a trigger leads to an attempt, or "nobody reachable"    TestWhateverHappens, TestWhateverPeopleDo (auditor)
//	one open alert a key and deduplication key              TestWhateverPeopleDo
//	no step fires after an ack or a resolution              TestWhateverHappens, TestWhateverPeopleDo
//	late and duplicate acks are idempotent                  TestAnswersAreIdempotent here
//	clock jumps neither skip nor repeat                     TestClockJumpsNeitherSkipNorRepeat here
//	suppression is always logged and ends                   TestSuppressionIsLoggedAndEnds here; overdue: TestWhateverPeopleDo
//	merging loses nothing                                   TestMergingLosesNothing here
//	throttling never delays a first page                    TestThrottlingNeverDelaysAFirstPage
//	the worst and newest go first after an outage           TestAfterAnOutageTheMostUrgentAndNewestGoFirst
//	a lease that ended means: again, under the same id      TestAnAttemptOverItsLeaseIsMadeAgain, TestKilledInTheMiddleOfSends
//	replaying the log gives the state                       TestWhateverPeopleDo and wherever check is called
//	of two processes one works, the other takes over        test.TestTakeover and TestTakeoverFromOneThatHangs (PostgreSQL)

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// tables are stores that have the tables of an Incidents.
var tables = storetest.NewForm(func(t testing.TB, db *store.DB) { newBench(t, db, "") })

// inVirtualTime checks a property of histories that are played in bubbles of their own, each on an empty store: many on SQLite, and
// some on PostgreSQL, where making a store takes longer.
func inVirtualTime[T any](t *testing.T, history *rapid.Generator[T], play func(t *testing.T, db *store.DB, h T) (wrong string)) {
	t.Helper()
	check := func(t *testing.T, open func(testing.TB) *store.DB) {
		rapid.Check(t, func(rt *rapid.T) {
			h := history.Draw(rt, "history")
			var wrong string
			synctest.Test(t, func(t *testing.T) { wrong = play(t, open(t), h) })
			if wrong != "" {
				rt.Fatal(wrong)
			}
		})
	}
	t.Run("sqlite", func(t *testing.T) { check(t, tables.New) })
	t.Run("postgres", func(t *testing.T) {
		tables.Postgres(t) // outside of a bubble: the server outlives it
		checks := flag.Lookup("rapid.checks").Value
		many, err := strconv.Atoi(checks.String())
		if err != nil {
			t.Fatal(err)
		}
		_ = checks.Set(strconv.Itoa(max(many/5, 1)))
		defer func() { _ = checks.Set(strconv.Itoa(many)) }()
		check(t, tables.Postgres)
	})
}

// What Accept took is there for a process that starts on the same store, in the order of its key, whether or not it was looked at.
func TestAcceptedIsDurable(t *testing.T) {
	inVirtualTime(t, rapid.SliceOfN(rapid.IntRange(0, 5), 1, 30), func(t *testing.T, db *store.DB, keys []int) string {
		b := newBench(t, db, house)
		stop := b.run(t)
		want := map[string]int64{}
		for n, k := range keys {
			if k == 5 { // the process ends, and another begins
				stop()
				b.restart(t)
				stop = b.run(t)
				continue
			}
			e := incident.Event{Key: "bbbbbbbbbbbbbbbbbbbbbbbb", Service: "b", Source: "test", Action: "trigger", DedupKey: fmt.Sprint("k", k),
				Body: incident.EventBody{Title: fmt.Sprint("event ", n), Severity: "critical"}}
			if _, err := b.Accept(t.Context(), e); err != nil {
				return err.Error()
			}
			want[e.DedupKey]++
		}
		pass(time.Second)
		stop()
		stored, err := b.Stored(t.Context())
		if err != nil {
			return err.Error()
		}
		got := map[string]int64{}
		for _, r := range stored.Records {
			got[r.DedupKey] += r.Count
		}
		if !maps.Equal(got, want) {
			return fmt.Sprintf("accepted %v, alerts %v", want, got)
		}
		return ""
	})
}

// answer is somebody who acknowledges or resolves, perhaps late and perhaps twice.
type answer struct {
	after   time.Duration
	resolve bool
	by      string
	times   int
}

// The first acknowledgement and the first resolution count; every other one changes nothing and is no error.
func TestAnswersAreIdempotent(t *testing.T) {
	answers := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) answer {
		return answer{time.Duration(rapid.IntRange(0, 600).Draw(t, "seconds")) * time.Second, rapid.Bool().Draw(t, "resolve"),
			rapid.SampledFrom([]string{"ada", "grace", "boss"}).Draw(t, "by"), rapid.IntRange(1, 3).Draw(t, "times")}
	}), 1, 10)
	inVirtualTime(t, answers, func(t *testing.T, db *store.DB, history []answer) string {
		b := newBench(t, db, shop)
		stop := b.run(t)
		defer stop()
		i := b.trigger(t, "a1", "checkout")
		acked, resolved := "", ""
		for _, a := range history {
			pass(a.after)
			for range a.times {
				do, first := b.Acknowledge, &acked
				if a.resolve {
					do, first = b.Resolve, &resolved
				}
				if *first == "" && resolved == "" {
					*first = a.by
				}
				before := b.get(t, i.ID)
				d, err := do(t.Context(), i.ID, a.by)
				if err != nil {
					return err.Error()
				}
				if d.AcknowledgedBy != acked || d.ResolvedBy != resolved {
					return fmt.Sprintf("acknowledged by %q, want %q; resolved by %q, want %q", d.AcknowledgedBy, acked, d.ResolvedBy, resolved)
				}
				if before.Status == d.Status && !same(before, d) {
					return fmt.Sprintf("a late answer changed\n%+v\nto\n%+v", before, d)
				}
			}
		}
		sent := len(b.sender.all())
		pass(24 * time.Hour)
		if n := len(b.sender.all()); n != sent {
			return fmt.Sprintf("%d messages after it was taken", n-sent)
		}
		log := strings.Join(actions(b.get(t, i.ID)), " ")
		if strings.Count(log, "acknowledged") > 1 || strings.Count(log, "resolved") > 1 {
			return "log: " + log
		}
		return ""
	})
}

// jump is a change of the clock, some time after the one before.
type jump struct {
	after time.Duration
	by    time.Duration
}

// However the clock is set, every step of an escalation is taken once and in order. One that is set back delays none: whoever is to be
// paged in five minutes is paged in five minutes.
func TestClockJumpsNeitherSkipNorRepeat(t *testing.T) {
	jumps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) jump {
		return jump{time.Duration(rapid.IntRange(0, 400).Draw(t, "seconds")) * time.Second,
			time.Duration(rapid.SampledFrom([]int{-86400, -3600, -61, -1, 1, 45, 3600, 86400}).Draw(t, "by")) * time.Second}
	}), 0, 8)
	inVirtualTime(t, jumps, func(t *testing.T, db *store.DB, history []jump) string {
		b := newBench(t, db, shop+"last_resort: [boss]\n")
		var offset atomic.Int64
		b.clock = func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
		b.restart(t)
		stop := b.run(t)
		defer stop()
		i := b.trigger(t, "a1", "checkout")
		began, forward := time.Now(), time.Duration(0)
		for _, j := range history {
			pass(j.after)
			offset.Add(int64(j.by))
			forward += max(j.by, 0)
			b.trigger(t, fmt.Sprint("x", offset.Load()), "payments") // something that makes the pager look
			synctest.Wait()
		}
		pass(3 * time.Hour)
		var people []string
		var at []time.Duration
		for _, m := range b.sender.all() {
			if slices.Contains(told(m), i.Number) && strings.Contains(m.to, "@") {
				people, at = append(people, strings.TrimSuffix(m.to, "@example.com")), append(at, m.at.Sub(began))
			}
		}
		if want := []string{"ada", "grace", "ada", "grace", "boss"}; !slices.Equal(people, want) {
			return fmt.Sprintf("paged %q at %v, want %q", people, at, want)
		}
		for k, want := range []time.Duration{0, 5, 10, 15, 20} {
			// A setting back of up to two seconds is not told from a wait of the scheduler; mails may wait for one another.
			if slack := time.Duration(2*len(history))*time.Second + 31*time.Second; at[k] > want*time.Minute+slack {
				return fmt.Sprintf("page %d after %s, want %d min at the latest; jumps %v", k, at[k], want, history)
			}
			if early := want*time.Minute - at[k]; early > forward {
				return fmt.Sprintf("page %d came %s early, and the clock went forward by %s in all", k, early, forward)
			}
		}
		if wrong := (&stage{bench: b, t: t}).check(); wrong != "" {
			return wrong
		}
		return ""
	})
}

// quieting is an alert that a rule or a window keeps from paging, and what is heard of it.
type quieting struct {
	after time.Duration
	what  string
	on    int
}

// Every suppression is told when it begins, ends by itself, and is told when it ends; nothing pages meanwhile, and what is to page
// afterwards does.
func TestSuppressionIsLoggedAndEnds(t *testing.T) {
	histories := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) quieting {
		return quieting{time.Duration(rapid.IntRange(0, 1200).Draw(t, "seconds")) * time.Second,
			rapid.SampledFrom([]string{"noise", "wait", "maintained", "noise", "wait", "resolve", "no rules"}).Draw(t, "what"), rapid.IntRange(0, 3).Draw(t, "on")}
	}), 1, 15)
	inVirtualTime(t, histories, func(t *testing.T, db *store.DB, history []quieting) string {
		b := newBench(t, db, house)
		stop := b.run(t)
		defer func() { stop() }()
		var rules []incident.Rule
		for _, r := range []incident.Rule{{Name: "quiet", When: `component == "noise"`, Suppress: "noise"},
			{Name: "later", When: `component == "wait"`, Suppress: "wait", For: 1200e9}} {
			r, err := b.SaveRule(t.Context(), r, nil, "")
			if err != nil {
				return err.Error()
			}
			rules = append(rules, r)
		}
		for _, q := range history {
			pass(q.after)
			key, service := "bbbbbbbbbbbbbbbbbbbbbbbb", "b"
			if q.what == "maintained" {
				key, service = "aaaaaaaaaaaaaaaaaaaaaaaa", "a"
			}
			e := incident.Event{Key: key, Service: service, Source: "test", Action: "trigger", DedupKey: fmt.Sprint(q.what, q.on),
				Body: incident.EventBody{Title: q.what, Severity: "critical", Fields: incident.Fields{Component: q.what}}}
			switch q.what {
			case "no rules":
				for _, r := range rules {
					if err := b.RemoveRule(t.Context(), r.ID); err != nil {
						return err.Error()
					}
				}
				rules = nil
				continue
			case "resolve":
				e.Action, e.DedupKey = "resolve", fmt.Sprint([]string{"noise", "wait"}[q.on%2], q.on)
			}
			if _, err := b.Accept(t.Context(), e); err != nil {
				return err.Error()
			}
			synctest.Wait()
			if wrong := suppressionsOf(t, b, false); wrong != "" {
				return wrong
			}
		}
		pass(25 * time.Hour) // what nothing is heard of for a day is closed
		return suppressionsOf(t, b, true)
	})
}

// suppressionsOf compares the alerts with what the timeline tells of their suppressions.
func suppressionsOf(t *testing.T, b *bench, over bool) string {
	stored, err := b.Stored(t.Context())
	if err != nil {
		return err.Error()
	}
	open := map[string]bool{}
	entries, _, err := b.timeline.List(t.Context(), timeline.Filter{Kinds: []timeline.Kind{timeline.Alert}, Limit: 500})
	if err != nil {
		return err.Error()
	}
	slices.SortFunc(entries, func(a, b timeline.Entry) int { return int(a.Seq - b.Seq) })
	for _, e := range entries {
		open[e.Ref] = e.Action == "suppressed"
	}
	placed := map[string]bool{}
	for key := range stored.Alerts {
		_, id, _ := strings.Cut(key, "/")
		placed[id] = true
	}
	for _, r := range stored.Records {
		suppressed := r.Status == "triggered" && r.Suppressed != ""
		switch {
		case suppressed != open["alert/"+r.ID]:
			return fmt.Sprintf("the timeline says suppressed: %v, the alert %+v", open["alert/"+r.ID], r)
		case suppressed && (r.EndsAt.IsZero() || over):
			return fmt.Sprintf("the suppression does not end: %+v", r)
		case r.Status == "triggered" && !suppressed && !placed[r.ID]:
			return fmt.Sprintf("no longer suppressed, and it pages nobody: %+v", r)
		}
	}
	return ""
}

// merge is what happens to incidents of one service each.
type merge struct {
	into, from int
	clear      int
}

// Merging loses nothing: every alert of every incident is in exactly one afterwards, with its title and state; the target is as loud
// as the loudest; nobody is paged for what was merged; and when all alerts are over, so is the target.
func TestMergingLosesNothing(t *testing.T) {
	merges := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) merge {
		return merge{rapid.IntRange(1, 6).Draw(t, "into"), rapid.IntRange(1, 6).Draw(t, "from"), rapid.IntRange(0, 17).Draw(t, "clear")}
	}), 1, 8)
	inVirtualTime(t, merges, func(t *testing.T, db *store.DB, history []merge) string {
		b := newBench(t, db, crowded(6))
		stop := b.run(t)
		defer stop()
		alerts := map[string]string{} // and their titles
		for k := range 18 {
			id, severity := fmt.Sprint("a", k), []string{"critical", "warning", "info"}[k%6%3]
			b.triggerAs(t, incident.Trigger{AlertID: id, Service: fmt.Sprint("s", k%6), Title: "title " + id, Severity: severity})
			alerts[id] = "title " + id
		}
		pass(time.Minute)
		over := map[string]bool{}
		for _, m := range history {
			if _, err := b.Merge(t.Context(), fmt.Sprint(m.into), "ada", []string{fmt.Sprint(m.from)}); err != nil && !expected(err) {
				return err.Error()
			}
			id := fmt.Sprint("a", m.clear)
			b.cleared(t, id)
			over[id] = true
			if wrong := mergedWell(t, b, alerts, over); wrong != "" {
				return wrong
			}
		}
		for id := range alerts {
			b.cleared(t, id)
			over[id] = true
		}
		pass(time.Minute)
		for n := range 6 {
			if d := b.get(t, fmt.Sprint(n+1)); d.Open() {
				return fmt.Sprintf("#%d is open although nothing fires", d.Number)
			}
		}
		return mergedWell(t, b, alerts, over)
	})
}

func mergedWell(t *testing.T, b *bench, alerts map[string]string, over map[string]bool) string {
	where := map[string]int64{}
	loudest := map[string]string{}
	for n := range 6 {
		d := b.get(t, fmt.Sprint(n+1))
		for _, a := range d.Alerts {
			if before, ok := where[a.ID]; ok {
				return fmt.Sprintf("%s is in #%d and #%d", a.ID, before, d.Number)
			}
			where[a.ID] = d.Number
			if a.Title != alerts[a.ID] || (a.Status == "resolved") != over[a.ID] {
				return fmt.Sprintf("%s in #%d: %+v, over: %v", a.ID, d.Number, a, over[a.ID])
			}
		}
		if d.MergedInto != "" {
			loudest[d.MergedInto] = d.Severity
			if d.Open() || len(d.Alerts) > 0 || slices.ContainsFunc(d.Pages, func(p incident.Page) bool { return p.Status == "due" || p.Status == "retry" }) {
				return fmt.Sprintf("#%d was merged: %+v", d.Number, d)
			}
		}
	}
	if len(where) != len(alerts) {
		return fmt.Sprintf("%d alerts are left of %d", len(where), len(alerts))
	}
	for id, severity := range loudest {
		if d := b.get(t, id); severity == incident.Critical && d.Severity != incident.Critical {
			return fmt.Sprintf("#%d took over a critical incident and is %s", d.Number, d.Severity)
		}
	}
	return ""
}
