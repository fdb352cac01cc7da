package incident_test

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

func TestMain(m *testing.M) {
	if isChild() {
		child()
		return
	}
	_ = flag.Set("rapid.checks", "25") // each makes a store
	goleak.VerifyTestMain(m)
}

const shop = `
people:
  - {name: ada, email: ada@example.com, webhook: "http://hooks.example.com/ada-secret", time_zone: Europe/Paris}
  - {name: grace, email: grace@example.com}
  - {name: edsger}
  - {name: boss, email: boss@example.com}
  - {name: robot, webhook: "http://hooks.example.com/robot"}
teams: [{name: payments, members: [ada, grace]}]
escalation_policies:
  - {name: payments, levels: [{targets: [ada], after: 0s}, {targets: [grace], after: 5m}], repeat: 1}
  - {name: quiet, levels: [{targets: [edsger], after: 0s}, {targets: [grace], after: 10m}]}
  - {name: machine, levels: [{targets: [robot], after: 0s}]}
  - {name: nobody, levels: [{targets: [edsger], after: 0s}]}
services:
  - {name: checkout, team: payments, escalation_policy: payments, depends_on: [payments], runbook: "https://wiki.example.com/checkout"}
  - {name: payments, team: payments, escalation_policy: payments}
  - {name: reports, team: payments, escalation_policy: quiet}
  - {name: legacy, team: payments, escalation_policy: nobody}
  - {name: orphan, team: payments}
`

// bench is an Incidents on real stores with a sender that remembers.
type bench struct {
	db       *store.DB
	timeline *timeline.Timeline
	catalog  *catalog.Live
	sender   *sender
	clock    func() time.Time // nil: time.Now
	*incident.Incidents
}

func newBench(t testing.TB, db *store.DB, text string) *bench {
	t.Helper()
	c, findings := catalog.Parse("daytwo.yml", []byte(text))
	if problem.Broken(findings) {
		t.Fatal(findings)
	}
	b := &bench{db: db, catalog: catalog.NewLive(c), sender: &sender{}}
	b.restart(t)
	return b
}

// restart opens everything anew on the same store, as another process would.
func (b *bench) restart(t testing.TB) {
	t.Helper()
	discard := slog.New(slog.DiscardHandler)
	var err error
	if b.timeline, err = timeline.New(t.Context(), timeline.Config{DB: b.db, Logger: discard}); err != nil {
		t.Fatal(err)
	}
	b.Incidents, err = incident.New(t.Context(), incident.Config{DB: b.db, Timeline: b.timeline, Catalog: b.catalog, Sender: b.sender,
		PublicURL: "http://daytwo.example/", AuditEvery: time.Hour, Now: b.clock, Logger: discard})
	if err != nil {
		t.Fatal(err)
	}
}

// run runs the pager; the returned function stops it and waits.
func (b *bench) run(t testing.TB) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	pager := b.Incidents
	go func() { done <- pager.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func (b *bench) trigger(t testing.TB, alert, service string) incident.Incident {
	t.Helper()
	return b.triggerAs(t, incident.Trigger{AlertID: alert, Service: service, Title: "Alert " + alert, Severity: "critical"})
}

func (b *bench) triggerAs(t testing.TB, trigger incident.Trigger) (i incident.Incident) {
	t.Helper()
	err := b.db.Write(context.Background(), func(tx *store.Tx) (err error) {
		i, err = b.Trigger(context.Background(), tx, trigger)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func (b *bench) cleared(t testing.TB, alert string) {
	t.Helper()
	err := b.db.Write(context.Background(), func(tx *store.Tx) error { return b.AlertResolved(context.Background(), tx, alert) })
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bench) get(t testing.TB, id string) incident.Detail {
	t.Helper()
	d, err := b.Get(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// entries are the "kind action" of the timeline, oldest first.
func (b *bench) entries(t testing.TB) (list []string) {
	t.Helper()
	entries, _, err := b.timeline.List(context.Background(), timeline.Filter{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(entries, func(a, b timeline.Entry) int { return int(a.Seq - b.Seq) })
	for _, e := range entries {
		list = append(list, string(e.Kind)+" "+e.Action)
	}
	return list
}

func actions(d incident.Detail) (list []string) {
	for _, e := range d.Log {
		list = append(list, e.Action)
	}
	return list
}

// eventually waits for what another goroutine does in real time.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("not within 20 s: %s", what)
		case <-tick.C:
		}
	}
}

// sent is one message that went out.
type sent struct {
	at       time.Time
	to, id   string
	incident string
	message  notify.Message
}

// sender remembers what it is given; fail, if set, decides how each send ends and may block.
type sender struct {
	mu    sync.Mutex
	tries []sent
	fail  func(ctx context.Context, to notify.Address, try int) error
}

func (s *sender) Send(ctx context.Context, to notify.Address, m notify.Message) error {
	s.mu.Lock()
	s.tries = append(s.tries, sent{time.Now(), to.To, m.ID, m.Data.(incident.Payload).Incident.ID, m})
	try, fail := len(s.tries), s.fail
	s.mu.Unlock()
	if fail == nil {
		return nil
	}
	return fail(ctx, to, try)
}

func (s *sender) all() []sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.tries)
}

// people are the names of who was sent something, in order, without repeats side by side.
func (s *sender) people() (list []string) {
	for _, m := range s.all() {
		name := strings.TrimSuffix(strings.TrimPrefix(m.to, "http://hooks.example.com/"), "-secret")
		name, _, _ = strings.Cut(name, "@")
		if len(list) == 0 || list[len(list)-1] != name {
			list = append(list, name)
		}
	}
	return list
}

var errBusy = errors.New("try later")

// refused is a failure that notify calls permanent.
func refused(t testing.TB) error {
	t.Helper()
	n, err := notify.New(notify.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	err = n.Send(context.Background(), notify.Address{Channel: notify.Email, To: "a@b.c"}, notify.Message{})
	if !notify.Permanent(err) {
		t.Fatalf("not permanent: %v", err)
	}
	return err
}
