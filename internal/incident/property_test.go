package incident_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// deed is something that happens to the incidents, after a while.
type deed struct {
	after time.Duration
	what  string
	on    int // of the alerts, or of the incidents so far
}

var (
	deeds    = []string{"fire", "fire", "fire", "clear", "ack", "resolve", "restart"}
	services = []string{"checkout", "payments", "reports", "legacy", "orphan"}
)

// Whatever happens, in whatever order, and however sending goes:
//   - nothing is sent for an incident after it was acknowledged or resolved,
//   - every incident led to an attempt, or to "nobody reachable", within half a minute, or somebody took it first,
//   - whatever is not taken ends in a visible "unanswered" or "nobody reachable", with no page left hanging,
//   - one page is one id, sent to one address ten times quickly and then now and then for two days at most,
//   - a service has at most one open incident, and every firing alert belongs to one.
func TestWhateverHappens(t *testing.T) {
	inVirtualTime(t, fortunes(rapid.Custom(func(t *rapid.T) deed {
		return deed{
			after: time.Duration(rapid.IntRange(0, 400).Draw(t, "seconds")) * time.Second,
			what:  rapid.SampledFrom(deeds).Draw(t, "what"),
			on:    rapid.IntRange(0, 9).Draw(t, "on"),
		}
	}), 15, []error{nil, nil, errBusy, refused(t)}, "boss"), live)
}

// fortune is a history, how sending goes meanwhile, and who is the last resort.
type fortune[T any] struct {
	history    []T
	luck       []error
	lastResort string // of daytwo.yml
}

func fortunes[T any](what *rapid.Generator[T], most int, ends []error, lastResort string) *rapid.Generator[fortune[T]] {
	return rapid.Custom(func(t *rapid.T) fortune[T] {
		return fortune[T]{rapid.SliceOfN(what, 1, most).Draw(t, "what happens"), rapid.SliceOfN(rapid.SampledFrom(ends), 1, 8).Draw(t, "luck"),
			rapid.SampledFrom([]string{"", "last_resort: [" + lastResort + "]\n"}).Draw(t, "last resort")}
	})
}

// live plays a history and says what went wrong.
func live(t *testing.T, db *store.DB, f fortune[deed]) string {
	b := newBench(t, db, shop+f.lastResort)
	b.sender.fail = func(_ context.Context, _ notify.Address, try int) error { return f.luck[try%len(f.luck)] }
	stop := b.run(t)
	defer func() { stop() }()
	taken := map[int64]int{} // incident → how many messages had gone out when it was taken
	var opened int64
	for _, d := range f.history {
		pass(d.after)
		for n := range opened {
			if wrong := overdue(b.get(t, fmt.Sprint(n+1)), b.sender.all()); wrong != "" {
				return wrong
			}
		}
		alert, ref := fmt.Sprintf("alert %d", d.on), fmt.Sprint(int64(d.on)%max(opened, 1)+1)
		switch {
		case d.what == "fire":
			i := b.trigger(t, alert, services[d.on%len(services)])
			opened = max(opened, i.Number)
		case d.what == "clear":
			b.cleared(t, alert)
		case d.what == "restart":
			stop()
			b.restart(t)
			stop = b.run(t)
		case opened > 0 && d.what == "ack":
			if _, err := b.Acknowledge(t.Context(), ref, "somebody"); err != nil {
				return err.Error()
			}
		case opened > 0:
			if _, err := b.Resolve(t.Context(), ref, "somebody"); err != nil {
				return err.Error()
			}
		}
		for n := range opened {
			if i := b.get(t, fmt.Sprint(n+1)); i.Status != incident.Triggered {
				if _, ok := taken[i.Number]; !ok {
					taken[i.Number] = len(b.sender.all())
				}
				if slices.ContainsFunc(i.Pages, func(p incident.Page) bool { return p.Status == "due" || p.Status == "retry" }) {
					return fmt.Sprintf("#%d is taken, and still pages: %+v", i.Number, i.Pages)
				}
			}
		}
		synctest.Wait()
	}
	pass(3 * time.Hour)
	if wrong := checkSends(b.sender.all(), taken); wrong != "" {
		return wrong
	}
	open := map[string]bool{}
	for n := range opened {
		i := b.get(t, fmt.Sprint(n+1))
		if i.Open() && open[i.Service] {
			return "two open incidents of " + i.Service
		}
		open[i.Service] = open[i.Service] || i.Open()
		if wrong := checkEnd(i, b.sender.all()); wrong != "" {
			return wrong
		}
	}
	return ""
}

// firstWord is how long an incident may be open before somebody is sent something, or it is said that nobody can be: pages to one person
// within half a minute share a message.
const firstWord = 31 * time.Second

func overdue(i incident.Detail, all []sent) string {
	if i.Status != incident.Triggered || time.Since(i.OpenedAt) < firstWord || slices.Contains(actions(i), "unreachable") ||
		slices.ContainsFunc(all, func(m sent) bool { return slices.Contains(told(m), i.Number) }) {
		return ""
	}
	return fmt.Sprintf("nobody was told of #%d within %s: %q, %+v", i.Number, time.Since(i.OpenedAt), actions(i), i.Pages)
}

func checkSends(all []sent, taken map[int64]int) string {
	times, to := map[string]int{}, map[string]string{}
	for k, m := range all {
		for _, n := range told(m) {
			if before, ok := taken[n]; ok && k >= before {
				return fmt.Sprintf("message %d tells of #%d, which was taken after %d", k, n, before)
			}
		}
		if times[m.id]++; times[m.id] > 10+12+4*48 || to[m.id] != "" && to[m.id] != m.to {
			return fmt.Sprintf("page %s: %d attempts, to %s and %s", m.id, times[m.id], to[m.id], m.to)
		}
		to[m.id] = m.to
	}
	return ""
}

func checkEnd(i incident.Detail, all []sent) string {
	log := actions(i)
	attempted := slices.ContainsFunc(all, func(m sent) bool { return slices.Contains(told(m), i.Number) })
	if !attempted && i.Status == incident.Triggered && !slices.Contains(log, "unreachable") {
		return fmt.Sprintf("nobody knows of #%d: %q", i.Number, log)
	}
	if i.Status == incident.Triggered && !slices.Contains(log, "unanswered") && !slices.Contains(log, "unreachable") {
		return fmt.Sprintf("#%d is left without a word: %q", i.Number, log)
	}
	for _, p := range i.Pages {
		if !slices.Contains([]string{"sent", "exhausted", "canceled"}, p.Status) && i.Unreached == "" { // then it starts over
			return fmt.Sprintf("#%d: a page hangs: %+v", i.Number, p)
		}
	}
	return ""
}
