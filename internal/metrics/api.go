package metrics

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/common/route"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/util/features"
	"github.com/prometheus/prometheus/util/notifications"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
)

// remoteRead are the limits of Prometheus's flags for remote read.
const (
	remoteReadSamples     = 5e7
	remoteReadConcurrency = 10
	remoteReadFrame       = 1 << 20
)

// newAPI adapts the engine to Prometheus's own API. Whatever would change data is off: remote write, OTLP, admin.
func (m *Metrics) newAPI(external *url.URL) http.Handler {
	api := apiv1.NewAPI(
		m.engine,
		m.db,
		nil, // nothing to append to: see above
		m.db,
		func(context.Context) apiv1.ScrapePoolsRetriever { return m.scraper },
		func(context.Context) apiv1.TargetRetriever { return m.scraper },
		func(context.Context) apiv1.AlertmanagerRetriever { return noAlertmanagers{} },
		func() config.Config { return *m.inForce.Load() },
		m.flags(),
		apiv1.GlobalURLOptions{ListenAddress: external.Host, Host: external.Host, Scheme: external.Scheme},
		m.whenReady,
		m.db,
		m.cfg.Dir,
		false, // admin
		false, // search
		0,     // no cap for search
		m.cfg.Logger.With("part", "api"),
		func(context.Context) apiv1.RulesRetriever { return m.currentRules() },
		remoteReadSamples,
		remoteReadConcurrency,
		remoteReadFrame,
		false, // not an agent
		nil,   // no cross-origin requests
		m.runtimeInfo,
		&apiv1.PrometheusVersion{Version: m.cfg.Version, GoVersion: runtime.Version()},
		func() []notifications.Notification { return []notifications.Notification{} },
		func() (<-chan notifications.Notification, func(), bool) { return nil, nil, false },
		m.cfg.Gatherer,
		m.cfg.Registerer,
		nil,   // statistics as usual
		false, // remote write
		nil,
		false, false, false, // OTLP
		lookback,
		false, // no type and unit labels
		false, // no metadata records
		nil,   // error codes as usual
		features.NewRegistry(),
		apiv1.OpenAPIOptions{IncludePaths: []string{"none"}}, // see describe
		m.parser,
		false, // no cost estimates
		m.cfg.QueryTimeout,
	)
	router := route.New()
	api.Register(router.WithPrefix("/api/v1"))
	mux := http.NewServeMux()
	mux.Handle("/", router)
	mux.HandleFunc("GET /api/v1/openapi.yaml", m.describe(external))
	return mux
}

// describe serves the API's OpenAPI document, made when first asked for: it takes 40 MB and 150 ms to make.
func (m *Metrics) describe(external *url.URL) http.HandlerFunc {
	builder := sync.OnceValue(func() *apiv1.OpenAPIBuilder {
		return apiv1.NewOpenAPIBuilder(apiv1.OpenAPIOptions{ExternalURL: external.String(), Version: m.cfg.Version}, m.cfg.Logger)
	})
	return func(w http.ResponseWriter, r *http.Request) { builder().ServeOpenAPI(w, r) }
}

// whenReady answers in the API's own shape while the database is not open.
func (m *Metrics) whenReady(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := m.Ready()
		if err == nil {
			next(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
		_ = json.NewEncoder(w).Encode(map[string]string{"status": "error", "errorType": "unavailable", "error": err.Error()}) // the client is gone
	}
}

func (m *Metrics) currentRules() Rules {
	if r := m.rules.Load(); r != nil {
		return *r
	}
	return noRules{}
}

// flags shows daytwo's settings under Prometheus's names, for clients that look there.
func (m *Metrics) flags() map[string]string {
	return map[string]string{
		"config.file":                 m.cfg.ConfigFile,
		"storage.tsdb.path":           m.cfg.Dir,
		"storage.tsdb.retention.time": m.cfg.Retention.String(),
		"query.lookback-delta":        lookback.String(),
		"query.timeout":               m.cfg.QueryTimeout.String(),
		"query.max-concurrency":       strconv.Itoa(m.cfg.QueryConcurrency),
		"query.max-samples":           strconv.Itoa(m.cfg.QuerySamples),
	}
}

func (m *Metrics) runtimeInfo() (apiv1.RuntimeInfo, error) {
	host, err := os.Hostname()
	if err != nil {
		return apiv1.RuntimeInfo{}, err
	}
	return apiv1.RuntimeInfo{
		StartTime:           m.started,
		CWD:                 m.cfg.Dir,
		Hostname:            host,
		ServerTime:          time.Now().UTC(),
		LastConfigTime:      time.Unix(m.lastLoad.at.Load(), 0).UTC(),
		ReloadConfigSuccess: m.lastLoad.ok.Load(),
		GoroutineCount:      runtime.NumGoroutine(),
		GOMAXPROCS:          runtime.GOMAXPROCS(0),
		GOMEMLIMIT:          debug.SetMemoryLimit(-1),
		GOGC:                os.Getenv("GOGC"),
		GODEBUG:             os.Getenv("GODEBUG"),
		StorageRetention:    m.inForce.Load().StorageConfig.TSDBConfig.Retention.Time.String(),
	}, nil
}

type noRules struct{}

func (noRules) RuleGroups() []*rules.Group           { return nil }
func (noRules) AlertingRules() []*rules.AlertingRule { return nil }

type noAlertmanagers struct{}

func (noAlertmanagers) Alertmanagers() []*url.URL        { return nil }
func (noAlertmanagers) DroppedAlertmanagers() []*url.URL { return nil }
