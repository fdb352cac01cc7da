package app

import (
	"context"
	"math"
	"net"
	"path/filepath"
	"time"

	"github.com/daytwo-dev/daytwo/internal/alert"
	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/incident/pagerduty"
	"github.com/daytwo-dev/daytwo/internal/logs"
	"github.com/daytwo-dev/daytwo/internal/loop"
	"github.com/daytwo-dev/daytwo/internal/metrics"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/orchestrate"
	"github.com/daytwo-dev/daytwo/internal/postmortem"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/run"
	"github.com/daytwo-dev/daytwo/internal/statuspage"
	"github.com/daytwo-dev/daytwo/internal/timeline"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// fileActor is who deploys what a changed file of the operations directory asks
// for.
const fileActor = auth.KindSystem + ":operations directory"

// dataFile is a path in the data directory.
func (a *App) dataFile(name string) string { return filepath.Join(a.config.DataDir, name) }

// wire builds the domains on the operations directory, gives them their routes,
// and lists their Run in the order of starting.
func (a *App) wire(ctx context.Context, files operations) error {
	line, err := timeline.New(ctx, timeline.Config{DB: a.db, Logger: a.log, Registerer: a.registry})
	if err != nil {
		return err
	}
	services, err := catalog.Open(ctx, catalog.Config{DB: a.db, File: files.catalog, Logger: a.log})
	if err != nil {
		return err
	}
	services.Sealer, services.PublicURL = a.auth, a.config.PublicURL
	samples, alerts, err := a.observe(ctx, files, line, services)
	if err != nil {
		return err
	}
	a.samples = samples
	if err := a.measureHost(samples); err != nil {
		return err
	}
	if a.logs, err = a.keepLogs(ctx, alerts.Ingest()); err != nil {
		return err
	}
	runs, workloads, err := a.execute(ctx, line, samples)
	if err != nil {
		return err
	}
	incidents, err := a.respond(ctx, line, services)
	if err != nil {
		return err
	}
	door, err := a.pagerDuty(ctx, line, services, incidents)
	if err != nil {
		return err
	}
	lessons, err := postmortem.New(ctx, postmortem.Config{DB: a.db, Timeline: line, Logger: a.log})
	if err != nil {
		return err
	}
	pipelines, err := a.logPipelines()
	if err != nil {
		return err
	}
	joined := loop.New(loop.Config{
		DB: a.db, Timeline: line, Catalog: services, Incidents: incidents, Workloads: workloads, Postmortems: lessons,
		Measure: measure(samples),
	})
	public, err := statuspage.New(ctx, statuspage.Config{DB: a.db, Catalog: services, Troubles: troubles(incidents), PublicURL: a.config.PublicURL, Logger: a.log})
	if err != nil {
		return err
	}
	for _, routes := range []interface{ Routes(s *web.Server) }{
		ledger{a.db, line}, services, alerts, runs, workloads, incidents, door, lessons, joined, a.logs, pipelines, public,
	} {
		routes.Routes(a.server)
	}
	a.server.MountOpen("/status", public.Handler())
	samples.Routes(a.server)
	a.server.MountPublic("/pagerduty", door.Handler())
	a.server.MountPublic("/inbound", door.Inbound())
	a.server.Mount("/alertmanager", auth.Viewer, alerts.Door())
	a.server.MountPublic("/alertmanager/-/healthy", alerts.Health())
	a.server.MountPublic("/alertmanager/-/ready", alerts.Health())
	for _, path := range []string{"/prometheus/metrics", "/alertmanager/metrics"} { // of all of daytwo: both are one process
		a.server.MountMetrics(path, a.gatherer())
	}
	a.server.MountIngest("POST /alertmanager/api/v2/alerts", alerts.Ingest())
	a.server.MountIngest("POST /alertmanager/webhook", alerts.Hook())
	a.reload = (&reloader{app: a, catalog: services, metrics: samples, alerts: alerts, workloads: workloads, pipelines: pipelines}).reload
	a.reloadRoute()

	if err := workloads.Sync(ctx, files.workloads, fileActor); err != nil {
		return err
	}
	a.server.SetReady("metrics", errStarting)
	a.parts = []part{
		{"catalog", services.Run},
		{"metrics", samples.Run},
		{"events", a.events.Run},
		{"logs", a.logs.Run},
		{"pipelines", pipelines.Run},
		{"runs", runs.Run},
		{"workloads", workloads.Run},
		{"pager", incidents.Run},
		{"webhooks", door.Run},
		{"e-mail", a.mailDoor(door)},
		{"status page", public.Run},
		{"loop", joined.Run},
		{"alerts", alerts.Run},
		{"readiness", func(ctx context.Context) error {
			a.server.SetReady("events", a.events.Ready())
			a.watch(ctx, "metrics", samples.Ready)
			<-ctx.Done()
			return nil
		}},
	}
	return nil
}

// observe builds what measures and what watches the measures.
func (a *App) observe(ctx context.Context, files operations, line *timeline.Timeline, services *catalog.Live) (*metrics.Metrics, *alert.Alerts, error) {
	samples, err := metrics.New(ctx, metrics.Config{
		Dir: a.dataFile("metrics"), ConfigFile: files.prometheus, PublicURL: a.config.PublicURL + "/prometheus",
		Self: selfURL(a.listener.Addr().String()), Alerts: a.config.PublicURL + "/alertmanager/api/v2/alerts",
		Retention: a.config.Retention, MaxSeries: a.config.MaxSeries, MaxSeriesPerMetric: a.config.MaxSeriesPerMetric,
		Version: ReadBuild().Version, Revision: ReadBuild().Commit,
		Logger: a.log, Registerer: a.registry, Gatherer: a.gatherer(),
	})
	if err != nil {
		return nil, nil, err
	}
	alerts, err := alert.New(ctx, alert.Config{
		DB: a.db, Timeline: line, Catalog: services, Engine: samples, Outside: samples,
		Dir: files.dir, PublicURL: a.config.PublicURL, Logger: a.log, Registerer: a.registry, Audit: a.server.Audit,
	})
	if err != nil {
		return nil, nil, err
	}
	samples.SetRules(alerts)
	return samples, alerts, nil
}

// execute builds what runs things; what it runs is scraped.
func (a *App) execute(ctx context.Context, line *timeline.Timeline, samples *metrics.Metrics) (*run.Engine, *orchestrate.Orchestrator, error) {
	runs, err := run.New(ctx, run.Config{DB: a.db, Timeline: line, Concurrency: a.config.Runs, Logger: a.log, Registerer: a.registry})
	if err != nil {
		return nil, nil, err
	}
	workloads, err := orchestrate.New(ctx, orchestrate.Config{
		DB: a.db, Timeline: line, Runs: runs, Dir: a.dataFile("workloads"), Logger: a.log, Registerer: a.registry,
		OnLine: workloadLines(func() *logs.Logs { return a.logs }),
		OnTargets: func(targets []orchestrate.Target) {
			scraped := make([]metrics.Target, 0, len(targets))
			for _, t := range targets {
				scraped = append(scraped, metrics.Target{URL: t.URL, Labels: t.Labels})
			}
			if err := samples.AddTargets("workloads", scraped); err != nil {
				a.log.Error("workloads are not scraped", "error", err)
			}
		},
	})
	return runs, workloads, err
}

// respond builds what reaches people.
func (a *App) respond(ctx context.Context, line *timeline.Timeline, services *catalog.Live) (*incident.Incidents, error) {
	pushKey, err := services.Secret(ctx, "push", notify.NewPushKey)
	if err != nil {
		return nil, err
	}
	channels, err := notify.New(notify.Config{
		SMTP: a.config.SMTPURL, From: a.config.MailFrom, AllowPrivate: a.config.AllowPrivate,
		WebhookSecret: a.config.WebhookSecret, Logger: a.log, Registerer: a.registry,
		Phone: a.config.PhoneURL, SlackToken: a.config.SlackToken, SlackSecret: a.config.SlackSecret, TelegramToken: a.config.TelegramToken,
		PushKey: pushKey, Sealer: a.auth, PublicURL: a.config.PublicURL,
	})
	if err != nil {
		return nil, err
	}
	services.Tell = tell(channels, a.config.PublicURL)
	incidents, err := incident.New(ctx, incident.Config{
		DB: a.db, Timeline: line, Catalog: services, Sender: answerable{channels},
		PublicURL: a.config.PublicURL, Logger: a.log, Registerer: a.registry,
		HeartbeatURL: a.config.HeartbeatURL, StrictSeverity: a.config.StrictSeverity, EventsPerKey: a.config.EventsPerKey,
	})
	if err != nil {
		return nil, err
	}
	services.Pages, services.Named = incidents.Paged, incidents.Naming
	a.server.MountPublic(channels.Door(&responder{incidents: incidents, catalog: services, audit: a.server.Audit}))
	pushRoute(a.server, channels)
	return incidents, nil
}

// pagerDuty builds the door for what was made for PagerDuty.
func (a *App) pagerDuty(ctx context.Context, line *timeline.Timeline, services *catalog.Live, incidents *incident.Incidents) (*pagerduty.API, error) {
	return pagerduty.New(ctx, pagerduty.Config{
		DB: a.db, Incidents: incidents, Timeline: line, Catalog: services, Auth: a.auth, Audit: a.server.Audit, PublicURL: a.config.PublicURL,
		Client: notify.NewClient(a.config.AllowPrivate), RequireToken: a.config.RequireIngest, Logger: a.log,
	})
}

// mailDoor takes e-mail as events, where that is wanted.
func (a *App) mailDoor(door *pagerduty.API) func(context.Context) error {
	return func(ctx context.Context) error {
		if a.config.MailListener == "" {
			<-ctx.Done()
			return nil
		}
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", a.config.MailListener)
		if err != nil {
			return problem.New(problem.Unavailable, "cannot listen on %s: %w", a.config.MailListener, err).
				WithField("mail-listener").WithMend("give another address, for example 127.0.0.1:2525")
		}
		a.log.InfoContext(ctx, "e-mail is taken", "address", l.Addr().String())
		return door.ServeMail(ctx, l)
	}
}

// measure gives the loop one number of an expression.
func measure(samples *metrics.Metrics) loop.Measure {
	return func(ctx context.Context, expr string, at time.Time) (float64, bool) {
		vector, err := samples.Query(ctx, expr, at)
		if err != nil || len(vector) != 1 || math.IsNaN(vector[0].F) || math.IsInf(vector[0].F, 0) {
			return 0, false
		}
		return vector[0].F, true
	}
}
