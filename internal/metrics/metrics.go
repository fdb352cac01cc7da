// Package metrics does Prometheus's job inside daytwo: it discovers and scrapes targets, keeps their samples in a time
// series database, answers PromQL, and serves Prometheus's HTTP API. All of that is Prometheus's own code, embedded; this
// package wires it, opens and closes it in order, and refuses what it cannot carry out by name. Rules live in package alert.
package metrics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/features"
	"github.com/prometheus/prometheus/util/logging"
	"github.com/prometheus/prometheus/util/notifications"

	"github.com/daytwo-dev/daytwo/internal/metrics/push"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Config says where samples are kept and how much a query may take.
type Config struct {
	Dir        string // the time series database; made if it is missing
	ConfigFile string // a prometheus.yml; where there is none, the built-in default is in force
	PublicURL  string // daytwo's own address, for links in answers and templates
	Self       string // URL of daytwo's own metrics, scraped as job "daytwo" unless a job of the file does; empty: not scraped
	Alerts     string // where the Alertmanager of this process takes alerts, for the API to show; empty: there is none
	PushDir    string // where pushed metrics are kept; default Dir with "-pushed" after it

	Retention      time.Duration // how long samples are kept unless the file says otherwise; default 15 days
	TargetInterval time.Duration // targets given by AddTargets are scraped this often, or at the global scrape_interval if that is shorter; default 5 s

	MaxSeries          int // most series in memory; beyond, no new one begins and those that exist go on; 0: any
	MaxSeriesPerMetric int // the same of one metric name

	QueryTimeout     time.Duration // default 2 minutes
	QuerySamples     int           // most samples one query may hold in memory; default 50 million
	QueryConcurrency int           // queries at once, the others wait; default 20

	Version    string // shown by the API
	Revision   string // shown by the API
	Logger     *slog.Logger
	Registerer prometheus.Registerer
	Gatherer   prometheus.Gatherer // what /metrics serves; the API shows parts of it
}

func (c *Config) setDefaults() {
	c.PushDir = cmp.Or(c.PushDir, c.Dir+"-pushed")
	c.Retention = cmp.Or(c.Retention, 15*24*time.Hour)
	c.TargetInterval = cmp.Or(c.TargetInterval, 5*time.Second)
	c.QueryTimeout = cmp.Or(c.QueryTimeout, 2*time.Minute)
	c.QuerySamples = cmp.Or(c.QuerySamples, 50_000_000)
	c.QueryConcurrency = cmp.Or(c.QueryConcurrency, 20)
}

// Rules is where the API finds rules and their alerts.
type Rules interface {
	RuleGroups() []*rules.Group
	AlertingRules() []*rules.AlertingRule
}

// Metrics is the engine. Make it with New and keep Run running; before Opened, queries answer that the database is not ready.
type Metrics struct {
	cfg     Config
	started time.Time
	parser  parser.Parser
	engine  *promql.Engine
	db      *database
	remote  *remote.Storage
	scraper *scrape.Manager
	finder  *discovery.Manager
	stop    context.CancelFunc // ends finder
	own     *ownTargets
	pushed  *ownTargets // the gateway, once there is something to scrape

	pushedOnce atomic.Bool

	opened chan struct{}
	ended  atomic.Bool
	api    func() http.Handler // made when first asked for: it takes 20 MB and 60 ms to make

	outside    *outside
	received   *received
	federation *federation
	gateway    *push.Gateway
	features   features.Collector
	news       *notifications.Notifications

	rules     atomic.Pointer[Rules]
	evalEvery atomic.Int64 // milliseconds: the step of subqueries that name none

	reloads  sync.Mutex                    // one reload at a time
	inForce  atomic.Pointer[config.Config] // as the file has it
	lastLoad loadState
}

// New reads the configuration and wires the engine; nothing moves before Run, which also releases what New took.
func New(_ context.Context, c Config) (*Metrics, error) {
	c.setDefaults()
	external, err := url.Parse(c.PublicURL)
	if err != nil {
		return nil, problem.New(problem.Invalid, "public URL: %w", err)
	}
	loaded, findings := load(c.ConfigFile, c.Retention, c.Self)
	if err := refuse(findings); err != nil {
		return nil, err
	}
	warn(c.Logger, findings)
	if err := os.MkdirAll(c.Dir, 0o750); err != nil {
		return nil, problem.New(problem.Unavailable, "make the metrics directory: %w", err).WithMend("check its rights and the free space")
	}
	guard, err := newGuard(c)
	if err != nil {
		return nil, err
	}
	m := &Metrics{
		db:      newDatabase(guard),
		cfg:     c,
		started: time.Now().UTC(),
		parser:  parser.NewParser(parser.Options{}),
		own:     newOwnTargets(ownPool, false),
		pushed:  newOwnTargets(pushPool, true),
		opened:  make(chan struct{}),

		features: features.NewRegistry(),
		news:     notifications.NewNotifications(newsReaders, c.Registerer),
	}
	m.news.AddNotification(notifications.StartingUp)
	m.inForce.Store(loaded)
	if err := m.wire(); err != nil {
		return nil, err
	}
	m.api = sync.OnceValue(func() http.Handler { return m.newAPI(external) })
	return m, nil
}

// newsReaders is how many may follow the API's notifications at once.
const newsReaders = 16

// wire makes the parts that do not need the database to be open.
func (m *Metrics) wire() (err error) {
	c := m.cfg
	if err := m.lastLoad.register(c.Registerer); err != nil {
		return err
	}
	if m.received, err = newReceived(m.db, c.Registerer); err != nil {
		return err
	}
	if m.federation, err = newFederation(m); err != nil {
		return err
	}
	if m.gateway, err = push.New(push.Config{
		Dir: c.PushDir, Version: c.Version, Logger: c.Logger.With("part", "pushes"), Registerer: c.Registerer, OnFirst: m.scrapeGateway,
	}); err != nil {
		return err
	}
	if err := m.wireScraping(); err != nil {
		return err
	}
	return m.wireQueries()
}

func (m *Metrics) wireScraping() error {
	c := m.cfg
	scraper, err := scrape.NewManager(&scrape.Options{
		DiscoveryReloadInterval:  model.Duration(time.Second), // how late a new target may be
		DiscoveryReloadOnStartup: true,
		FeatureRegistry:          m.features,
	}, slog.New(newSeldom(c.Logger.With("part", "scrape").Handler())), logging.NewJSONFileLogger, nil, m.db, c.Registerer)
	if err != nil {
		return fmt.Errorf("scrape manager: %w", err)
	}
	m.scraper = scraper
	m.remote = remote.NewStorage(c.Logger.With("part", "remote"), c.Registerer, m.db.startTime, c.Dir, flushWithin, scraperOf{scraper}, false)

	discovered, err := discovery.CreateAndRegisterSDMetrics(c.Registerer)
	if err != nil {
		return fmt.Errorf("discovery metrics: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	m.stop = stop
	m.finder = discovery.NewManager(ctx, c.Logger.With("part", "discovery"), c.Registerer, discovered,
		discovery.Name("scrape"), discovery.Updatert(time.Second), discovery.FeatureRegistry(m.features))
	if m.finder == nil {
		return errors.New("discovery manager: see the log")
	}
	if m.outside, err = newOutside(c.Logger, c.Registerer, discovered); err != nil || c.Alerts == "" {
		return err
	}
	inside, err := url.Parse(c.Alerts)
	if err != nil {
		return fmt.Errorf("address of the Alertmanager: %w", err)
	}
	m.outside.inside = []*url.URL{inside}
	return nil
}

func (m *Metrics) wireQueries() error {
	c := m.cfg
	queries, err := promql.NewActiveQueryTracker(c.Dir, c.QueryConcurrency, c.Logger.With("part", "queries"))
	if err != nil {
		return problem.New(problem.Unavailable, "the metrics directory: %w", err).WithMend("check its rights and the free space")
	}
	options := m.engineOptions()
	options.Logger, options.Reg = c.Logger.With("part", "promql"), c.Registerer
	options.ActiveQueryTracker, options.FeatureRegistry = queries, m.features
	m.engine = promql.NewEngine(options)
	return nil
}

// engineOptions are those that decide what a query yields and what it may take.
func (m *Metrics) engineOptions() promql.EngineOpts {
	return promql.EngineOpts{
		MaxSamples:               m.cfg.QuerySamples,
		Timeout:                  m.cfg.QueryTimeout,
		LookbackDelta:            lookback,
		NoStepSubqueryIntervalFn: func(int64) int64 { return m.evalEvery.Load() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		Parser:                   m.parser,
	}
}

// stripes of the series map: Prometheus's 16384 take 4 MB when empty and help only with many more cores.
const stripes = 2048

// scraperOf gives remote storage the scrape manager, for the metadata it sends along.
type scraperOf struct{ manager *scrape.Manager }

func (s scraperOf) Get() (*scrape.Manager, error) { return s.manager, nil }

// flushWithin is how long samples for remote storage may take to be sent when the process stops or a reload changes it.
const flushWithin = 10 * time.Second

// lookback is how old a sample may be and still count as current, Prometheus's default.
const lookback = 5 * time.Minute

// Run opens the database, scrapes, and blocks until ctx ends and everything is closed. Stop whoever reads and writes
// through m (the HTTP server, package alert) before ctx ends: afterwards there is no database.
func (m *Metrics) Run(ctx context.Context) error {
	defer m.release()
	if err := m.open(); err != nil {
		return err
	}
	if err := m.apply(m.inForce.Load()); err != nil {
		return errors.Join(err, m.db.close())
	}
	m.lastLoad.succeeded()
	m.news.DeleteNotification(notifications.StartingUp)
	close(m.opened)

	var group sync.WaitGroup
	group.Go(func() { _ = m.finder.Run() }) // returns only its context's end
	group.Go(func() { _ = m.scraper.Run(m.finder.SyncCh()) })
	group.Go(m.outside.run)
	<-ctx.Done()
	m.ended.Store(true)
	m.news.AddNotification(notifications.ShuttingDown)
	m.outside.end()
	m.scraper.Stop() // before the database, so that no scrape writes into a closed one
	m.stop()
	group.Wait()
	if err := m.db.close(); err != nil {
		return fmt.Errorf("close the time series database: %w", err)
	}
	return nil
}

func (m *Metrics) release() {
	m.stop()
	m.outside.stop()
	if err := m.engine.Close(); err != nil {
		m.cfg.Logger.Error("close the query log", "error", err)
	}
}

func (m *Metrics) open() error {
	limitMemory(m.cfg.Logger)
	defer hurryCollector(m.inForce.Load())()
	options := m.options()
	db, err := tsdb.Open(m.cfg.Dir, m.cfg.Logger.With("part", "tsdb"), m.cfg.Registerer, options, m.db.stats)
	if err != nil {
		return problem.New(problem.Unavailable, "open the time series database in %s: %w", m.cfg.Dir, err).
			WithMend("if its files are damaged, move the directory away to start with empty metrics, or restore it from a backup")
	}
	if err := m.db.register(db, m.cfg.Registerer); err != nil {
		return errors.Join(err, db.Close())
	}
	m.db.guard.armed.Store(true)
	db.SetWriteNotified(m.remote)
	m.db.set(db, storage.NewFanout(m.cfg.Logger, db, m.remote))
	return nil
}

// options of the database as Prometheus would set them from its flags and the file in force, which counts first.
func (m *Metrics) options() *tsdb.Options {
	options := tsdb.DefaultOptions()
	stored := m.inForce.Load().StorageConfig
	kept := stored.TSDBConfig.Retention
	options.RetentionDuration = time.Duration(kept.Time).Milliseconds()
	options.MaxBytes, options.MaxPercentage = int64(kept.Size), kept.Percentage
	longest := 31 * 24 * time.Hour
	if kept.Time > 0 {
		longest = min(longest, time.Duration(kept.Time)/10)
	}
	options.MaxBlockDuration = max(longest.Milliseconds(), options.MinBlockDuration)
	options.WALCompression = compressWAL
	options.StripeSize = stripes
	options.OutOfOrderTimeWindow = stored.TSDBConfig.OutOfOrderTimeWindow
	options.StaleSeriesCompactionThreshold = stored.TSDBConfig.StaleSeriesCompactionThreshold
	if stored.TSDBConfig.ChunkEncoding.Floats == config.FloatChunkEncodingXOR2 {
		options.FloatChunkEncoding = chunkenc.EncXOR2
	}
	options.EnableExemplarStorage = true
	options.MaxExemplars = stored.ExemplarsConfig.MaxExemplars
	options.EnableMemorySnapshotOnShutdown = true // a restart then reads the head as it was, not the log of how it came about
	options.FeatureRegistry = m.features
	options.SeriesLifecycleCallback = m.db.guard
	return options
}

// Ready is nil once samples can be written and queried; until then it says what is going on.
func (m *Metrics) Ready() error {
	select {
	case <-m.opened:
		return m.db.ready()
	default:
		return m.db.progress()
	}
}

// Opened is closed when the database is open.
func (m *Metrics) Opened() <-chan struct{} { return m.opened }

// SetRules tells the API where rules and alerts are; without, there are none.
func (m *Metrics) SetRules(r Rules) { m.rules.Store(&r) }

// Config is the configuration in force, read-only: the file as loaded, with relative paths made absolute.
func (m *Metrics) Config() *config.Config { return m.inForce.Load() }

// Query evaluates an expression at one moment. A scalar comes as one sample without labels.
func (m *Metrics) Query(ctx context.Context, expr string, at time.Time) (promql.Vector, error) {
	if err := m.db.ready(); err != nil {
		return nil, err
	}
	if _, err := m.parser.ParseExpr(expr); err != nil {
		return nil, problem.New(problem.Invalid, "PromQL %q: %w", expr, err)
	}
	return rules.EngineQueryFunc(m.engine, m.db)(ctx, expr, at)
}

// Since is the time of the oldest sample kept; ok is false while there is none.
func (m *Metrics) Since() (oldest time.Time, ok bool) {
	return m.db.oldest()
}

// Querier reads samples between two times in milliseconds.
func (m *Metrics) Querier(from, to int64) (storage.Querier, error) { return m.db.Querier(from, to) }

// AppenderV2 writes samples.
func (m *Metrics) AppenderV2(ctx context.Context) storage.AppenderV2 { return m.db.AppenderV2(ctx) }
