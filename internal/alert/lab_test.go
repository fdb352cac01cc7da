package alert_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/daytwo-dev/daytwo/internal/alert"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// lab is a world in a synctest bubble: a real time series database whose series are written every second, as if scraped,
// and alerts evaluated over it, on fake time.
type lab struct {
	t        *testing.T
	dir      string
	db       *store.DB
	samples  *tsdb.DB
	engine   *promql.Engine
	catalog  *catalog.Live
	timeline *timeline.Timeline
	opened   chan struct{}

	mu     sync.Mutex
	series map[string]float64
	broken bool // queries fail

	alerts  *alert.Alerts
	metrics *prometheus.Registry
	stop    func()
}

var errBroken = errors.New("the disk is on fire")

func (l *lab) Querier(from, to int64) (storage.Querier, error) { return l.samples.Querier(from, to) }
func (l *lab) AppenderV2(ctx context.Context) storage.AppenderV2 {
	return l.samples.AppenderV2(ctx)
}
func (l *lab) Opened() <-chan struct{} { return l.opened }

func (l *lab) Config() *config.Config {
	c, err := config.LoadFile(filepath.Join(l.dir, "prometheus.yml"), false, promslog.NewNopLogger())
	if err != nil {
		l.t.Error(err)
		return new(config.Config)
	}
	return c
}

func (l *lab) Query(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
	l.mu.Lock()
	broken := l.broken
	l.mu.Unlock()
	if broken {
		return nil, errBroken
	}
	return rules.EngineQueryFunc(l.engine, l.samples)(ctx, expr, at)
}

// inLab runs f in a bubble, on SQLite, with nothing started yet.
func inLab(t *testing.T, f func(l *lab)) { inLabOn(t, store.Config{Dir: t.TempDir()}, f) }

// inLabs runs f as a sub-test on each store. It opens them inside the bubble: their connections have timers.
func inLabs(t *testing.T, f func(l *lab)) {
	t.Run("sqlite", func(t *testing.T) { inLab(t, f) })
	t.Run("postgres", func(t *testing.T) { inLabOn(t, store.Config{URL: storetest.PostgresURL(t)}, f) })
}

func inLabOn(t *testing.T, c store.Config, f func(l *lab)) {
	synctest.Test(t, func(t *testing.T) {
		l := &lab{t: t, dir: t.TempDir(), catalog: new(catalog.Live), opened: make(chan struct{}), series: map[string]float64{}}
		var err error
		if l.db, err = store.Open(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		l.write("prometheus.yml", "global: {scrape_interval: 1s, evaluation_interval: 5s}\nrule_files: [rules.yml]\n")
		options := tsdb.DefaultOptions()
		if l.samples, err = tsdb.Open(t.TempDir(), promslog.NewNopLogger(), nil, options, nil); err != nil {
			t.Fatal(err)
		}
		l.engine = promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute, LookbackDelta: 5 * time.Minute})
		if l.timeline, err = timeline.New(t.Context(), timeline.Config{DB: l.db, Logger: slog.New(slog.DiscardHandler)}); err != nil {
			t.Fatal(err)
		}
		close(l.opened)
		ctx, cancel := context.WithCancel(t.Context())
		var scraping sync.WaitGroup
		scraping.Go(func() { l.scrape(ctx) })
		f(l)
		if l.stop != nil {
			l.stop()
		}
		cancel()
		scraping.Wait()
		if err := errors.Join(l.samples.Close(), l.db.Close()); err != nil {
			t.Error(err)
		}
	})
}

func (l *lab) write(name, text string) {
	l.t.Helper()
	if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

// scrape writes every series once a second.
func (l *lab) scrape(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	promql := parser.NewParser(parser.Options{})
	for {
		select {
		case <-ctx.Done():
			return
		case at := <-tick.C:
			l.mu.Lock()
			app := l.samples.AppenderV2(ctx)
			for series, value := range l.series {
				metric, err := promql.ParseMetric(series)
				if err == nil {
					_, err = app.Append(0, metric, 0, at.UnixMilli(), value, nil, nil, storage.AOptions{})
				}
				if err != nil {
					l.t.Errorf("write %s: %v", series, err)
				}
			}
			l.mu.Unlock()
			if err := app.Commit(); err != nil {
				l.t.Error(err)
			}
		}
	}
}

func (l *lab) set(series string, value float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.series[series] = value
}

func (l *lab) breakQueries(broken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = broken
}

// start runs alerts as a new process would.
func (l *lab) start() *alert.Alerts {
	l.t.Helper()
	l.metrics = prometheus.NewRegistry()
	a, err := alert.New(l.t.Context(), alert.Config{
		DB: l.db, Timeline: l.timeline, Catalog: l.catalog, Engine: l, Dir: l.dir, PublicURL: "http://localhost:2020",
		Logger: slog.New(slog.DiscardHandler), Registerer: l.metrics,
	})
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	l.alerts = a
	l.stop = func() {
		cancel()
		if err := <-done; err != nil {
			l.t.Errorf("Run: %v", err)
		}
		l.stop = nil
	}
	return a
}

// counted is what a counter of alerts stands at.
func (l *lab) counted(name string) float64 {
	l.t.Helper()
	families, err := l.metrics.Gather()
	if err != nil {
		l.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	l.t.Fatalf("there is no counter %s", name)
	return 0
}

// restart ends alerts and starts them again after a while. Nothing is written at the end, so a kill is no different.
func (l *lab) restart(down time.Duration) *alert.Alerts {
	l.t.Helper()
	l.stop()
	time.Sleep(down)
	return l.start()
}

// one waits some fake time and returns the only alert on record.
func (l *lab) one(wait time.Duration) *alert.Alert {
	l.t.Helper()
	time.Sleep(wait)
	synctest.Wait()
	all := l.list(alert.Filter{Limit: 10})
	if len(all) != 1 {
		l.t.Fatalf("%d alerts on record, want 1: %v\n%s", len(all), all, l.history())
	}
	return all[0]
}

func (l *lab) list(f alert.Filter) []*alert.Alert {
	l.t.Helper()
	all, _, err := l.alerts.List(l.t.Context(), f)
	if err != nil {
		l.t.Fatal(err)
	}
	return all
}

// history is the timeline, oldest first, one line an entry.
func (l *lab) history() string {
	l.t.Helper()
	entries, _, err := l.timeline.List(l.t.Context(), timeline.Filter{Limit: 100})
	if err != nil {
		l.t.Fatal(err)
	}
	var b strings.Builder
	for i := len(entries) - 1; i >= 0; i-- {
		e := entries[i]
		b.WriteString(string(e.Kind) + " " + e.Action + " " + e.Service + ": " + e.Title + " (" + e.Tone + ")\n")
	}
	return b.String()
}
