package incident_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/incident"
)

const limited = `
people: [{name: ada, email: ada@example.com}]
escalation_policies: [{name: ada, levels: [{targets: [ada], after: 0s}]}]
services:
  - {name: old, escalation_policy: ada, ack_timeout: 30m, auto_resolve: 40m}
  - {name: taken, escalation_policy: ada, ack_timeout: 30m}
  - {name: new, escalation_policy: ada, auto_resolve: 40m}
`

// A clock that is set back while the pager sleeps moves what waited, and nothing that is written afterwards.
func TestWhatIsWrittenAfterTheClockWasSetBackStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, tables.New(t), limited)
		var offset atomic.Int64
		b.clock = func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
		b.restart(t)
		stop := b.run(t)
		defer stop()
		old, taken := b.trigger(t, "a", "old"), b.trigger(t, "b", "taken")
		h, err := b.CreateHeartbeat(t.Context(), incident.Heartbeat{Name: "backup", Service: "new", Every: catalog.Duration(30 * time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		pass(20 * time.Minute)
		offset.Store(int64(-time.Hour))
		fresh := b.trigger(t, "c", "new")
		if _, err := b.Acknowledge(t.Context(), taken.ID, "ada"); err != nil {
			t.Fatal(err)
		}
		if err := b.Beat(t.Context(), h.Token); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		if d := b.get(t, fresh.ID); d.Status != incident.Triggered || !paged(d, 0) {
			t.Errorf("opened after the change: %s, pages %+v", d.Status, d.Pages)
		}
		pass(18 * time.Minute)
		if d := b.get(t, old.ID); d.Status == incident.Resolved {
			t.Error("what waited is resolved early")
		}
		pass(2 * time.Minute)
		if d := b.get(t, old.ID); d.Status != incident.Resolved {
			t.Error("what waited waits longer")
		}
		if d := b.get(t, taken.ID); d.Status != incident.Acknowledged {
			t.Errorf("%s, and it was acknowledged 21 minutes ago", d.Status)
		}
		list, err := b.Heartbeats(t.Context())
		if err != nil || list[0].Missed {
			t.Errorf("heard of 21 minutes ago: %+v, %v", list, err)
		}
		if wrong := (&stage{bench: b, t: t}).check(); wrong != "" {
			t.Error(wrong)
		}
	})
}
