package logs_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/eventdb"
	"github.com/daytwo-dev/daytwo/internal/logs"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

// kept is a store of events that remembers what it was given.
type kept struct {
	logs.Events // what these tests do not use

	mu     sync.Mutex
	events []event.Event
	hold   chan struct{} // if not nil, Append waits until it is closed
	held   chan struct{} // one for each Append that waits
}

func (k *kept) Append(_ context.Context, events []event.Event) error {
	if k.hold != nil {
		k.held <- struct{}{}
		<-k.hold
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.events = append(k.events, events...)
	return nil
}

func (k *kept) all() []event.Event {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.events)
}

func (k *kept) count() int { return len(k.all()) }

func (k *kept) Tail(context.Context, event.Filter) (*eventdb.Tail, error) {
	return nil, problem.New(problem.Unavailable, "nothing to follow")
}

// tokens knows two.
type tokens struct{}

func (tokens) Bearer(_ context.Context, secret string) (auth.Principal, error) {
	switch secret {
	case "sends":
		return auth.Principal{Kind: auth.KindToken, Name: "shipper", Role: auth.Viewer, Scopes: []auth.Scope{auth.ScopeIngest}}, nil
	case "reads":
		return auth.Principal{Kind: auth.KindToken, Name: "reader", Role: auth.Viewer, Scopes: []auth.Scope{auth.ScopeRead}}, nil
	}
	return auth.Principal{}, problem.New(problem.Unauthenticated, "there is no such token")
}

// addresses hands out where listeners are, as the log tells it.
type addresses struct {
	slog.Handler
	found chan string
}

func (a addresses) Enabled(context.Context, slog.Level) bool { return true }

func (a addresses) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(attr slog.Attr) bool {
		if attr.Key == "address" {
			a.found <- attr.Value.String()
		}
		return true
	})
	return nil
}

type rig struct {
	*logs.Logs
	kept     *kept
	registry *prometheus.Registry
	found    chan string // addresses of listeners
}

// await polls what runs beside the test.
func await(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) { // sockets have no synctest
		if time.Now().After(deadline) {
			t.Fatal("it never came")
		}
	}
}

func newRig(t *testing.T, change ...func(*logs.Config)) *rig {
	t.Helper()
	r := &rig{kept: &kept{}, registry: prometheus.NewRegistry(), found: make(chan string, 8)}
	c := logs.Config{DB: storetest.New(t), Events: r.kept, Tokens: tokens{}, Registerer: r.registry,
		Logger: slog.New(addresses{slog.DiscardHandler, r.found})}
	for _, f := range change {
		f(&c)
	}
	var err error
	if r.Logs, err = logs.New(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return r
}

// run runs until stop is called.
func (r *rig) run(t *testing.T) (stop func(), ended <-chan error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(cancel)
	return cancel, done
}

// refused is the counter of what a door refused.
func (r *rig) refused(t *testing.T, lines ...string) {
	t.Helper()
	want := "# HELP daytwo_logs_refused_total Events or requests refused, by door and what was wrong.\n# TYPE daytwo_logs_refused_total counter\n" +
		strings.Join(lines, "\n") + "\n"
	if err := testutil.GatherAndCompare(r.registry, strings.NewReader(want), "daytwo_logs_refused_total"); err != nil {
		t.Error(err)
	}
}
