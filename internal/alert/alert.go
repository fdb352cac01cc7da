// Package alert turns rules into alerts that last. Prometheus's rule manager evaluates the rule files of prometheus.yml
// and rules made from the objectives of the catalog; what a rule says is compared with the alerts on record after each
// successful evaluation, and each difference becomes one transaction: the alert and its timeline entry.
//
// An alert fires because an evaluation found it and ends because an evaluation did not, or because its rule was removed.
// Neither a restart nor an evaluation that failed ends one, so an alert keeps its identity across both. Alerts that others send
// to the door /alertmanager are kept alike, see outside.go.
//
// Every alert on record goes through Alertmanager's routing too, and by it is handed over to become an incident, at once or
// later or not at all, see handover.go.
package alert

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"golang.org/x/sync/errgroup"

	"github.com/daytwo-dev/daytwo/internal/alert/alertmanager"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

//go:embed migrations/*.sql
var migrations embed.FS

// State tells whether an alert goes on.
type State string

const (
	Firing   State = "firing"
	Resolved State = "resolved"
)

// Sources of alerts.
const (
	FromRule = "rule" // a rule file
	FromSLO  = "slo"  // an objective of the catalog

	FromOutside = "outside" // sent to the door /alertmanager
)

// Alert is one firing condition, from its first evaluation to its last.
type Alert struct {
	ID          string       `json:"id" doc:"of the rule, the labels and the start"`
	Fingerprint string       `json:"fingerprint" doc:"of the labels: the same whenever it fires again"`
	Name        string       `json:"name"`
	Service     string       `json:"service,omitempty" doc:"the label service"`
	Severity    string       `json:"severity" doc:"the label severity, or warning"`
	State       State        `json:"state" enum:"firing,resolved"`
	Labels      event.Labels `json:"labels"`
	Annotations event.Labels `json:"annotations" doc:"summary and, where known, runbook are always among them; title where the summary has numbers that change"`
	Value       *float64     `json:"value,omitempty" doc:"of the expression, at the last evaluation while firing; absent if it is not a finite number"`
	StartsAt    time.Time    `json:"startsAt"`
	EndsAt      *time.Time   `json:"endsAt,omitempty"`
	Ended       string       `json:"ended,omitempty" doc:"why it is resolved"`
	Expr        string       `json:"expr" doc:"empty for alerts from outside"`
	Source      string       `json:"source" enum:"rule,slo,outside"`
	Generator   string       `json:"generatorUrl,omitempty" doc:"where an alert from outside comes from, as its sender says"`
	HandedAt    *time.Time   `json:"handedAt,omitempty" doc:"when it was handed over to become an incident"`
	Withheld    string       `json:"withheld,omitempty" doc:"why it was not handed over, or not yet: a silence, an inhibition, a time interval, its route"`
	Suppressed  string       `json:"suppressed,omitempty" enum:"silenced,inhibited,muted" doc:"what keeps it from being told now, also after it was handed over; only of an alert that fires"`

	rule    string    // which rule it comes from, see ruleKey
	added   []string  // annotations that neither the rule nor the sender gave: Alertmanager is not told of them
	expires time.Time // of an alert from outside that fires: when it ends if nobody says it goes on; zero: never
	kept    time.Time // what the disk has of expires
	timeout bool      // nobody gave that end: it is resolve_timeout
}

// Engine is where rules read and write samples and where their files are named: *metrics.Metrics.
type Engine interface {
	storage.Queryable
	storage.AppendableV2
	Query(ctx context.Context, expr string, at time.Time) (promql.Vector, error)
	Config() *config.Config
	Opened() <-chan struct{}
}

// Config is what New needs.
type Config struct {
	DB         *store.DB
	Timeline   *timeline.Timeline
	Catalog    *catalog.Live
	Engine     Engine
	Outside    rules.Sender // gets every alert that Prometheus would send to its Alertmanagers; nil: nobody does
	Dir        string       // the configuration directory: rules are known by their file's path in it; alertmanager.yml is read from it
	PublicURL  string       // for links in annotations
	Logger     *slog.Logger
	Registerer prometheus.Registerer

	// Settle is how long after the start no alert is resolved, because targets are not scraped enough yet to tell; zero is
	// 30 s or two scrapes of the slowest job, whichever is longer.
	Settle time.Duration

	// Audit writes down who changed which silence through Alertmanager's API. It may be nil.
	Audit func(ctx context.Context, action, target, detail string)
}

// Alerts evaluates rules and keeps their alerts.
type Alerts struct {
	cfg      Config
	parser   parser.Parser
	loader   *loader
	manager  *rules.Manager
	routing  *alertmanager.Manager
	stopEval context.CancelFunc // aborts evaluations that do not end by themselves
	started  atomic.Int64       // unix ms of the first evaluation that was possible
	status   *memo
	counters counters
	send     rules.NotifyFunc // to Config.Outside

	reloads sync.Mutex // one at a time
	outside sync.Mutex // one writer of alerts from outside at a time

	mu     sync.Mutex
	firing map[string]map[string]*Alert // by rule, then fingerprint; what the store has as firing
}

// New brings the tables up to date and reads the alerts that were firing. Nothing is evaluated before Run.
func New(ctx context.Context, c Config) (*Alerts, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("alert: %w", err)
	}
	if err := c.DB.Migrate(ctx, "alert", files); err != nil {
		return nil, fmt.Errorf("migrate alert: %w", err)
	}
	if err := checkObjectives(c); err != nil {
		return nil, err
	}
	external, err := url.Parse(c.PublicURL)
	if err != nil {
		return nil, problem.New(problem.Invalid, "public URL: %w", err)
	}
	promql := parser.NewParser(parser.Options{})
	a := &Alerts{
		cfg:    c,
		parser: promql,
		loader: &loader{parser: promql, logger: c.Logger},
		status: newMemo(c.Engine.Query),
		firing: map[string]map[string]*Alert{},
	}
	if c.Outside != nil {
		a.send = rules.SendAlerts(c.Outside, c.PublicURL+"/prometheus")
	}
	if err := a.readFiring(ctx); err != nil {
		return nil, err
	}
	routing, findings := alertmanager.Load(c.Dir, c.PublicURL, c.Logger)
	if err := refuse(findings); err != nil {
		return nil, err
	}
	a.routing, err = alertmanager.New(ctx, alertmanager.Config{
		DB: c.DB, Routing: routing, URL: c.PublicURL, Logger: c.Logger, Registerer: c.Registerer, Receive: a.receive, Audit: c.Audit,
		Firing: func() []*alertmanager.Alert { return a.told(a.Firing()) },
	})
	if err != nil {
		return nil, err
	}
	if err := a.counters.register(c.Registerer, a); err != nil {
		return nil, err
	}
	evaluation, stop := context.WithCancel(context.Background())
	a.stopEval = stop
	a.manager = rules.NewManager(&rules.ManagerOptions{
		Context:         evaluation,
		ExternalURL:     external,
		AppendableV2:    c.Engine,
		Queryable:       c.Engine,
		QueryFunc:       c.Engine.Query,
		NotifyFunc:      a.evaluated,
		GroupLoader:     a.loader,
		Parser:          promql,
		Logger:          c.Logger.With("part", "rules"),
		Registerer:      c.Registerer,
		OutageTolerance: time.Hour,
		ForGracePeriod:  10 * time.Minute,
		ResendDelay:     time.Minute,
		DefaultRuleQueryOffset: func() time.Duration {
			return time.Duration(c.Engine.Config().GlobalConfig.RuleQueryOffset)
		},
	})
	return a, nil
}

// stopGrace is how long evaluations under way may take to end when Run ends.
const stopGrace = 5 * time.Second

// Run waits for the engine to open, then evaluates rules until ctx ends and no evaluation is under way any more.
func (a *Alerts) Run(ctx context.Context) error {
	defer a.stopEval()
	select {
	case <-ctx.Done():
		return nil
	case <-a.cfg.Engine.Opened():
	}
	a.started.Store(time.Now().UnixMilli())
	routed, unroute := context.WithCancel(context.WithoutCancel(ctx)) // ends after what uses it
	var routing errgroup.Group
	routing.Go(func() error { return a.routing.Run(routed) })
	routing.Go(func() error { a.tend(routed); return nil })
	defer func() { unroute(); _ = routing.Wait() }() // neither fails after it was ready
	<-a.routing.Ready()
	a.publish(ctx, a.Firing()) // again, with those that came in while it started
	if err := a.Reload(ctx); err != nil {
		return fmt.Errorf("load rules: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		a.manager.Run()
		close(ended)
	}()
	<-ctx.Done()
	abort := time.AfterFunc(stopGrace, a.stopEval)
	defer abort.Stop()
	a.manager.Stop()
	<-ended
	return nil
}

// Reload puts the rule files that the engine's configuration names, the objectives of the catalog and alertmanager.yml in force,
// whole or not at all: Check a catalog before it replaces the one in force. Alerts whose rule is gone are resolved. Before Run it
// does nothing: Run loads what is there then.
func (a *Alerts) Reload(ctx context.Context) error {
	a.reloads.Lock()
	defer a.reloads.Unlock()
	if a.started.Load() == 0 {
		return nil
	}
	if err := checkObjectives(a.cfg); err != nil {
		return err
	}
	routing, findings := alertmanager.Load(a.cfg.Dir, a.cfg.PublicURL, a.cfg.Logger)
	if err := refuse(findings); err != nil {
		return err
	}
	c := a.cfg.Engine.Config()
	files, err := ruleFiles(c)
	if err != nil {
		return err
	}
	every := time.Duration(c.GlobalConfig.EvaluationInterval)
	a.loader.objectives = objectiveRules(a.cfg.Catalog.Current(), every)
	err = a.manager.Update(every, append(files, objectivesFile), c.GlobalConfig.ExternalLabels, a.cfg.PublicURL, a.evaluate)
	if err != nil {
		return problem.New(problem.Invalid, "rules: %w", cmp.Or(errors.Join(a.loader.failed...), err)).
			WithMend("the previous rules are still in force; daytwo check shows what is wrong")
	}
	a.routing.Apply(routing)
	return a.resolveOrphans(ctx)
}

// refuse turns findings that are errors into one error that names them all.
func refuse(findings []problem.Finding) error {
	var refused []error
	for _, f := range findings {
		if f.Severity == problem.SeverityError {
			refused = append(refused, errors.New(f.String()))
		}
	}
	if len(refused) == 0 {
		return nil
	}
	return problem.New(problem.Invalid, "%w", errors.Join(refused...)).WithMend("daytwo check shows every finding")
}

// RuleGroups and AlertingRules are what the Prometheus API shows.
func (a *Alerts) RuleGroups() []*rules.Group { return a.manager.RuleGroups() }

// AlertingRules lists them across groups.
func (a *Alerts) AlertingRules() []*rules.AlertingRule { return a.manager.AlertingRules() }

// settled is when alerts may be resolved: from then on every target was scraped twice since the start.
func (a *Alerts) settled() time.Time {
	settle := a.cfg.Settle
	if settle == 0 {
		c := a.cfg.Engine.Config()
		slowest := time.Duration(c.GlobalConfig.ScrapeInterval)
		for _, job := range c.ScrapeConfigs {
			slowest = max(slowest, time.Duration(job.ScrapeInterval))
		}
		settle = max(30*time.Second, 2*slowest)
	}
	return time.UnixMilli(a.started.Load()).Add(settle)
}
