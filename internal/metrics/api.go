package metrics

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"sync"

	"github.com/grafana/regexp"
	"github.com/prometheus/common/route"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/rules"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
)

// remoteRead are the limits of Prometheus's flags for remote read.
const (
	remoteReadSamples     = 5e7
	remoteReadConcurrency = 10
	remoteReadFrame       = 1 << 20
)

// newAPI adapts the engine to Prometheus's own API, all of it. Who may do what is for the doors to say.
func (m *Metrics) newAPI(external *url.URL) http.Handler {
	api := apiv1.NewAPI(
		m.engine,
		m.db,
		m.received,
		m.db,
		func(context.Context) apiv1.ScrapePoolsRetriever { return m.scraper },
		func(context.Context) apiv1.TargetRetriever { return m.scraper },
		func(context.Context) apiv1.AlertmanagerRetriever { return m.outside },
		func() config.Config { return *m.inForce.Load() },
		m.flags(external),
		apiv1.GlobalURLOptions{ListenAddress: external.Host, Host: external.Host, Scheme: external.Scheme},
		m.whenReady,
		m.db,
		m.cfg.Dir,
		true,  // admin
		false, // search
		0,     // no cap for search
		m.cfg.Logger.With("part", "api"),
		func(context.Context) apiv1.RulesRetriever { return m.currentRules() },
		remoteReadSamples,
		remoteReadConcurrency,
		remoteReadFrame,
		false,    // not an agent
		noOrigin, // no cross-origin requests
		m.runtimeInfo,
		m.buildInfo(),
		m.news.Get,
		m.news.Sub,
		m.cfg.Gatherer,
		m.cfg.Registerer,
		nil,                // statistics as usual
		false,              // remote write is received by us
		nil,                // and so are its messages
		true, false, false, // OTLP, deltas refused
		lookback,
		false, // no type and unit labels
		false, // no metadata records
		nil,   // error codes as usual
		m.features,
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

// noOrigin matches no origin: the API lets no page of another site read it.
var noOrigin = regexp.MustCompile(`^\b$`)

type noRules struct{}

func (noRules) RuleGroups() []*rules.Group           { return nil }
func (noRules) AlertingRules() []*rules.AlertingRule { return nil }
