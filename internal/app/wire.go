package app

import (
	"context"
	"path/filepath"

	"github.com/daytwo-dev/daytwo/internal/alert"
	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/metrics"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// dataFile is a path in the data directory.
func (a *App) dataFile(name string) string { return filepath.Join(a.config.DataDir, name) }

// wire builds the domains on the operations directory, gives them their routes,
// and lists their Run in the order of starting.
func (a *App) wire(ctx context.Context, files operations) error {
	ledger := ledger{db: a.db}
	var err error
	if ledger.timeline, err = timeline.New(ctx, timeline.Config{DB: a.db, Logger: a.log, Registerer: a.registry}); err != nil {
		return err
	}
	services := catalog.NewLive(files.catalog)
	samples, err := metrics.New(ctx, metrics.Config{
		Dir: a.dataFile("metrics"), ConfigFile: files.prometheus, PublicURL: a.config.PublicURL + "/prometheus",
		Retention: a.config.Retention, Version: ReadBuild().Version,
		Logger: a.log, Registerer: a.registry, Gatherer: a.registry,
	})
	if err != nil {
		return err
	}
	alerts, err := alert.New(ctx, alert.Config{
		DB: a.db, Timeline: ledger.timeline, Catalog: services, Engine: samples,
		Dir: files.dir, PublicURL: a.config.PublicURL, Logger: a.log, Registerer: a.registry,
	})
	if err != nil {
		return err
	}
	if err := samples.AddTargets("daytwo", []metrics.Target{{URL: URL(a.listener) + "/metrics"}}); err != nil {
		return err
	}
	ledger.routes(a.server)
	services.Routes(a.server)
	alerts.Routes(a.server)
	a.server.Mount("/prometheus", auth.Viewer, samples.Handler())

	a.server.SetReady("metrics", errStarting)
	a.parts = []part{
		{"metrics", samples.Run},
		{"alerts", alerts.Run},
		{"readiness", func(ctx context.Context) error {
			a.watch(ctx, "metrics", samples.Ready)
			<-ctx.Done()
			return nil
		}},
	}
	return nil
}
