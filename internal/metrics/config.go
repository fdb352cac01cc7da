package metrics

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	_ "github.com/prometheus/prometheus/discovery/dns"  // dns_sd_configs
	_ "github.com/prometheus/prometheus/discovery/file" // file_sd_configs
	_ "github.com/prometheus/prometheus/discovery/http" // http_sd_configs
	"github.com/prometheus/prometheus/util/logging"
	"github.com/prometheus/prometheus/util/notifications"

	"github.com/daytwo-dev/daytwo/internal/configfile"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// builtIn is in force where there is no prometheus.yml: only own targets are scraped.
const builtIn = "global: {scrape_interval: 15s, evaluation_interval: 15s}\n"

// load reads and checks a configuration. With an error among the findings the configuration is nil. A file that does not
// exist stands for the built-in default.
func load(file string, retention time.Duration, self string) (*config.Config, []problem.Finding) {
	content, err := configfile.Read(file)
	switch {
	case file == "" || errors.Is(err, fs.ErrNotExist):
		content = []byte(builtIn)
	case err != nil:
		return nil, []problem.Finding{configfile.Finding(file, err)}
	}
	doc := document{file: file, content: content}
	findings := doc.checkSupport()
	if problem.Broken(findings) {
		return nil, findings
	}
	loaded, err := config.Load(string(content), promslog.NewNopLogger())
	if err != nil {
		return nil, append(findings, doc.locate(err)...)
	}
	if file != "" {
		loaded.SetDirectory(filepath.Dir(file))
	}
	if loaded.StorageConfig.ExemplarsConfig == nil {
		loaded.StorageConfig.ExemplarsConfig = &config.DefaultExemplarsConfig
	}
	if stored := loaded.StorageConfig.TSDBConfig; stored.Retention == nil || *stored.Retention == (config.TSDBRetentionConfig{}) {
		stored.Retention = &config.TSDBRetentionConfig{Time: model.Duration(retention)}
	}
	findings = append(findings, doc.checkReferences(loaded, self)...)
	if problem.Broken(findings) {
		return nil, findings
	}
	return loaded, findings
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

func warn(logger *slog.Logger, findings []problem.Finding) {
	for _, f := range findings {
		if f.Severity == problem.SeverityWarning {
			logger.Warn("metrics configuration", "finding", f.String())
		}
	}
}

// Reload puts the file's present content in force, whole or not at all: after an error the previous configuration still is.
func (m *Metrics) Reload(_ context.Context) error {
	m.reloads.Lock()
	defer m.reloads.Unlock()
	loaded, findings := load(m.cfg.ConfigFile, m.cfg.Retention, m.cfg.Self)
	if err := refuse(findings); err != nil {
		m.Refused()
		return err
	}
	if m.db.ready() != nil {
		return problem.New(problem.Unavailable, "metrics are still starting: %w", m.Ready()).WithMend("reload again in a moment")
	}
	warn(m.cfg.Logger, findings)
	if err := m.apply(loaded); err != nil {
		m.Refused()
		if back := m.apply(m.inForce.Load()); back != nil {
			err = errors.Join(err, fmt.Errorf("go back to the previous configuration: %w", back))
		}
		return problem.New(problem.Invalid, "apply %s: %w", m.cfg.ConfigFile, err)
	}
	m.inForce.Store(loaded)
	m.lastLoad.succeeded()
	m.news.DeleteNotification(notifications.ConfigurationUnsuccessful)
	return nil
}

// Refused makes it known, under Prometheus's names, that the files are not what is in force; Reload does so by itself.
func (m *Metrics) Refused() {
	m.lastLoad.failed()
	m.news.AddNotification(notifications.ConfigurationUnsuccessful)
}

// Restore puts an earlier Config in force again, for whoever could not bring a Reload to its end elsewhere.
func (m *Metrics) Restore(c *config.Config) error {
	m.reloads.Lock()
	defer m.reloads.Unlock()
	m.Refused()
	if err := m.apply(c); err != nil {
		return fmt.Errorf("go back to the previous configuration: %w", err)
	}
	m.inForce.Store(c)
	return nil
}

// apply hands a configuration to every part, in Prometheus's order: the scrape manager must know a job before discovery
// sends its targets.
func (m *Metrics) apply(c *config.Config) error {
	withOwn, err := m.withOwnTargets(c)
	if err != nil {
		return err
	}
	setCollector(c.Runtime.GoGC)
	steps := []struct {
		name  string
		apply func(*config.Config) error
	}{
		{"storage", m.db.apply},
		{"remote storage", m.remote.ApplyConfig},
		{"query engine", m.applyQueryLog},
		{"scrape jobs", m.scraper.ApplyConfig},
		{"discovery", m.applyDiscovery},
		{"alertmanagers", m.outside.apply},
	}
	for _, step := range steps {
		if err := step.apply(withOwn); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	m.evalEvery.Store(time.Duration(c.GlobalConfig.EvaluationInterval).Milliseconds())
	return nil
}

// withOwnTargets adds the job of AddTargets to a copy: what the API shows stays what the file says.
func (m *Metrics) withOwnTargets(c *config.Config) (*config.Config, error) {
	self, err := m.selfTargets(c)
	if err != nil {
		return nil, err
	}
	if err := m.AddTargets(selfJob, self); err != nil {
		return nil, err
	}
	m.pushed.replace(m.pushedTargets(c))
	with := *c
	with.ScrapeConfigs = slices.Clone(c.ScrapeConfigs)
	for _, own := range []*ownTargets{m.own, m.pushed} {
		job, err := own.scrapeConfig(c.GlobalConfig, min(m.cfg.TargetInterval, time.Duration(c.GlobalConfig.ScrapeInterval)))
		if err != nil {
			return nil, fmt.Errorf("own targets: %w", err)
		}
		with.ScrapeConfigs = append(with.ScrapeConfigs, job)
	}
	return &with, nil
}

func (m *Metrics) applyQueryLog(c *config.Config) error {
	if c.GlobalConfig.QueryLogFile == "" {
		m.engine.SetQueryLogger(nil)
		return nil
	}
	l, err := logging.NewJSONFileLogger(c.GlobalConfig.QueryLogFile)
	if err != nil {
		return err
	}
	m.engine.SetQueryLogger(l)
	return nil
}

func (m *Metrics) applyDiscovery(c *config.Config) error {
	jobs, err := c.GetScrapeConfigs()
	if err != nil {
		return err
	}
	sets := map[string]discovery.Configs{}
	for _, job := range jobs {
		sets[job.JobName] = job.ServiceDiscoveryConfigs
	}
	return m.finder.ApplyConfig(sets)
}

// loadState remembers how the last attempt to load a configuration went, under Prometheus's metric names.
type loadState struct {
	ok atomic.Bool
	at atomic.Int64 // unix seconds of the last success
}

func (l *loadState) succeeded() {
	l.ok.Store(true)
	l.at.Store(time.Now().Unix())
}

func (l *loadState) failed() { l.ok.Store(false) }

func (l *loadState) register(r prometheus.Registerer) error {
	for _, gauge := range []prometheus.GaugeFunc{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "prometheus_config_last_reload_successful",
			Help: "Whether the last configuration reload attempt was successful.",
		}, func() float64 {
			if l.ok.Load() {
				return 1
			}
			return 0
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "prometheus_config_last_reload_success_timestamp_seconds",
			Help: "Timestamp of the last successful configuration reload.",
		}, func() float64 { return float64(l.at.Load()) }),
	} {
		if err := r.Register(gauge); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	return nil
}
