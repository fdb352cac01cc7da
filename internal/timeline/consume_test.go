package timeline_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"pgregory.net/rapid"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// effects is a table handlers write to. It has no key, so a second effect of an
// entry would show.
var effects = fstest.MapFS{"001_effects.sql": {Data: []byte("-- +goose Up\nCREATE TABLE effects (seq BIGINT NOT NULL);\n")}}

func note(ctx context.Context, tx *store.Tx, e timeline.Entry) error {
	_, err := tx.Exec(ctx, `INSERT INTO effects (seq) VALUES (?)`, e.Seq)
	return err
}

// noted returns the effects in the order of their entries.
func noted(t testing.TB, db *store.DB) []int64 {
	t.Helper()
	got := []int64{}
	err := db.Read(context.Background(), func(tx *store.Tx) error {
		rows, err := tx.Query(tx.Context(), `SELECT seq FROM effects ORDER BY seq`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var seq int64
			if err := rows.Scan(&seq); err != nil {
				return err
			}
			got = append(got, seq)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func makeEffects(t testing.TB, db *store.DB) {
	t.Helper()
	if err := db.Migrate(context.Background(), "effects", effects); err != nil {
		t.Fatal(err)
	}
}

// consume runs a consumer until the returned function is called.
func consume(t testing.TB, tl *timeline.Timeline, name string, f timeline.Filter, h timeline.Handler) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tl.Consume(ctx, name, f, h) }()
	return func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Consume: %v", err)
		}
	}
}

func TestConsumerGoesOnWhereItWas(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeEffects(t, db)
		tl := open(t, db)
		alerts := timeline.Filter{Kinds: []timeline.Kind{timeline.Alert}}
		alert := timeline.Entry{Kind: timeline.Alert, Action: "fired", Title: "x"}
		want := []int64{}
		for range 3 {
			want = append(want, appendTo(t, db, tl, alert).Seq) // while nobody consumes
			appendTo(t, db, tl, deploy("cart"))
			stop := consume(t, tl, "rule", alerts, note)
			want = append(want, appendTo(t, db, tl, alert).Seq) // while somebody does
			until(t, "effects", func() bool { return len(noted(t, db)) >= len(want) })
			stop()
			tl = open(t, db)
		}
		if got := noted(t, db); !slices.Equal(got, want) {
			t.Errorf("effects %v, want %v", got, want)
		}
		// Another name has its own cursor.
		stop := consume(t, tl, "other", alerts, note)
		until(t, "effects of both", func() bool { return len(noted(t, db)) == 2*len(want) })
		stop()
	})
}

// Handlers may append: that is how one rule feeds the next.
func TestConsumerAppends(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tl := open(t, db)
		feed := tl.Subscribe(timeline.Filter{Kinds: []timeline.Kind{timeline.Incident}}, 0)
		defer feed.Close()
		stop := consume(t, tl, "rule", timeline.Filter{Kinds: []timeline.Kind{timeline.Alert}},
			func(ctx context.Context, tx *store.Tx, e timeline.Entry) error {
				return tl.Append(ctx, tx, &timeline.Entry{Kind: timeline.Incident, Action: "opened", Title: "for " + e.Title})
			})
		defer stop()
		appendTo(t, db, tl, timeline.Entry{Kind: timeline.Alert, Action: "fired", Title: "a"})
		appendTo(t, db, tl, timeline.Entry{Kind: timeline.Alert, Action: "fired", Title: "b"})
		if a, b := <-feed.C, <-feed.C; a.Title != "for a" || b.Title != "for b" {
			t.Errorf("got %q, %q", a.Title, b.Title)
		}
	})
}

func TestFailuresAreRetriedWithBackoffAndSkippedWhenInvalid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.New(t)
		makeEffects(t, db)
		registry := prometheus.NewRegistry()
		tl := openWith(t, timeline.Config{DB: db, Logger: slog.New(slog.DiscardHandler), Registerer: registry})
		for _, service := range []string{"flaky", "panics", "invalid", "fine"} {
			appendTo(t, db, tl, deploy(service))
		}
		start, attempts := time.Now(), map[string][]time.Duration{}
		stop := consume(t, tl, "rule", timeline.Filter{}, func(ctx context.Context, tx *store.Tx, e timeline.Entry) error {
			attempts[e.Service] = append(attempts[e.Service], time.Since(start))
			if err := note(ctx, tx, e); err != nil { // undone whenever the handler fails
				return err
			}
			switch n := len(attempts[e.Service]); {
			case e.Service == "flaky" && n <= 4:
				return errors.New("not yet")
			case e.Service == "panics" && n == 1:
				panic("oh")
			case e.Service == "invalid":
				return fmt.Errorf("rule: %w", problem.New(problem.Invalid, "makes no sense"))
			}
			return nil
		})
		time.Sleep(400 * time.Millisecond)
		synctest.Wait()
		expectMetric(t, registry, `daytwo_timeline_consumer_lag{consumer="rule"} 4`) // stuck at the first
		if s := tl.Stuck(300 * time.Millisecond); len(s) != 1 || s[0].Consumer != "rule" || s[0].Err == nil || !s[0].Since.Equal(start) {
			t.Errorf("stuck: %+v", s)
		}
		if s := tl.Stuck(time.Minute); len(s) != 0 {
			t.Errorf("stuck already: %+v", s)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := tl.Stuck(0); len(s) != 0 {
			t.Errorf("stuck still: %+v", s)
		}
		stop()

		const ms = time.Millisecond
		want := map[string][]time.Duration{
			"flaky": {0, 100 * ms, 300 * ms, 700 * ms, 1500 * ms}, "panics": {1500 * ms, 1600 * ms},
			"invalid": {1600 * ms}, "fine": {1600 * ms},
		}
		for service, at := range want {
			if !slices.Equal(attempts[service], at) {
				t.Errorf("%s tried at %v, want %v", service, attempts[service], at)
			}
		}
		if got := noted(t, db); !slices.Equal(got, []int64{1, 2, 4}) {
			t.Errorf("effects %v", got)
		}
		for _, line := range []string{
			`daytwo_timeline_consumer_lag{consumer="rule"} 0`,
			`daytwo_timeline_consumer_handled_total{consumer="rule"} 3`,
			`daytwo_timeline_consumer_failures_total{consumer="rule"} 5`,
			`daytwo_timeline_consumer_skipped_total{consumer="rule"} 1`,
			`daytwo_timeline_entries_total{kind="change"} 4`,
		} {
			expectMetric(t, registry, line)
		}
	})
}

func expectMetric(t testing.TB, g prometheus.Gatherer, line string) {
	t.Helper()
	name, _, _ := strings.Cut(line, "{")
	text, err := testutil.GatherAndFormat(g, expfmt.TypeTextPlain, name)
	if err != nil || !strings.Contains(string(text), line+"\n") {
		t.Errorf("%s is not in (%v)\n%s", line, err, text)
	}
}

// A consumer is woken by the commit: no time passes.
func TestConsumerWakesOnCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := storetest.New(t)
		tl := open(t, db)
		handled := make(chan time.Time, 1)
		stop := consume(t, tl, "rule", timeline.Filter{}, func(context.Context, *store.Tx, timeline.Entry) error {
			handled <- time.Now()
			return nil
		})
		defer stop()
		synctest.Wait()
		start := time.Now()
		appendTo(t, db, tl, deploy("cart"))
		if took := (<-handled).Sub(start); took != 0 {
			t.Errorf("took %v", took)
		}
	})
}

// Whatever order of appends, restarts and failures: the effects are those of
// the obvious model, one for each matching entry that is not invalid.
func TestConsumerAgainstModel(t *testing.T) {
	ops := rapid.SliceOf(rapid.SampledFrom([]string{"fired", "fired", "invalid", "other kind", "other service", "fail", "restart"}))
	rapid.Check(t, func(rt *rapid.T) {
		ops := ops.Draw(rt, "ops")
		var got, want []int64
		synctest.Test(t, func(t *testing.T) { // back-off costs nothing
			m := &consumerModel{t: t, db: storetest.New(t), stop: func() {}, want: []int64{}}
			makeEffects(t, m.db)
			m.restart()
			for _, op := range ops {
				m.do(op)
			}
			m.restart()
			until(t, "all effects", func() bool { return len(noted(t, m.db)) >= len(m.want) })
			synctest.Wait()
			m.stop()
			got, want = noted(t, m.db), m.want
		})
		if !slices.Equal(got, want) {
			rt.Fatalf("effects %v, want %v", got, want)
		}
	})
}

type consumerModel struct {
	t        *testing.T
	db       *store.DB
	tl       *timeline.Timeline
	stop     func()
	want     []int64 // the model: effects expected
	failures atomic.Int32
}

func (m *consumerModel) do(op string) {
	e := timeline.Entry{Kind: timeline.Alert, Action: op, Service: "cart", Title: "x"}
	switch op {
	case "restart":
		m.restart()
		return
	case "fail":
		m.failures.Store(2)
		return
	case "other kind":
		e.Kind = timeline.Change
	case "other service":
		e.Service = "checkout"
	}
	e = appendTo(m.t, m.db, m.tl, e)
	if op == "fired" {
		m.want = append(m.want, e.Seq)
	}
}

func (m *consumerModel) restart() {
	m.stop()
	m.tl = open(m.t, m.db)
	f := timeline.Filter{Services: []string{"cart"}, Kinds: []timeline.Kind{timeline.Alert}}
	m.stop = consume(m.t, m.tl, "rule", f, func(ctx context.Context, tx *store.Tx, e timeline.Entry) error {
		if err := note(ctx, tx, e); err != nil {
			return err
		}
		if m.failures.Load() > 0 {
			m.failures.Add(-1)
			return errors.New("not now")
		}
		if e.Action == "invalid" {
			return problem.New(problem.Invalid, "never")
		}
		return nil
	})
}
