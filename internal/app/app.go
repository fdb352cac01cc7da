// Package app wires the parts into one server: it builds them, starts them in
// order, reports what it waits for, reloads the operations directory as a whole
// and stops everything in reverse. It decides nothing about any domain.
package app

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/eventdb"
	"github.com/daytwo-dev/daytwo/internal/logs"
	"github.com/daytwo-dev/daytwo/internal/metrics"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/web"
	"github.com/daytwo-dev/daytwo/ui"
)

// Options is what the process gives the server beside its configuration.
type Options struct {
	Logger   *slog.Logger
	Listener net.Listener      // from Listen; New and Run own it
	Demo     bool              // tells the UI to show the demo's pages
	Routes   func(*web.Server) // adds routes of the caller's
}

// App is the whole server.
type App struct {
	config    Config
	log       *slog.Logger
	listener  net.Listener
	registry  *prometheus.Registry
	db        *store.DB
	events    *eventdb.DB
	auth      *auth.Auth
	server    *web.Server
	samples   *metrics.Metrics
	logs      *logs.Logs
	parts     []part
	reload    func(context.Context) error
	firstLink string // path that signs the first administrator in, once
}

// New opens the state, reads the operations directory and builds every part. It
// serves nothing yet. After an error nothing stays open.
func New(ctx context.Context, c Config, o Options) (*App, error) {
	a := &App{config: c, log: o.Logger, listener: o.Listener, registry: prometheus.NewRegistry()}
	if err := a.build(ctx, o); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func (a *App) build(ctx context.Context, o Options) error {
	if err := a.config.Validate(); err != nil {
		return err
	}
	files, err := readOperations(a.config.ConfigDir, a.listener.Addr().String())
	if err != nil {
		return err
	}
	a.config.PublicURL = strings.TrimSuffix(cmp.Or(a.config.PublicURL, URL(a.listener)), "/")
	if a.db, err = a.openStore(ctx); err != nil {
		return err
	}
	if a.events, err = eventdb.Open(ctx, eventdb.Config{
		Dir: a.dataFile("events"), Sync: eventdb.Sync(a.config.EventSync),
		Retention: []eventdb.Retention{{Age: a.config.EventRetention, Bytes: int64(a.config.EventMaxMiB) << 20}},
		Logger:    a.log, Registerer: a.registry,
	}); err != nil {
		return err
	}
	if err := a.openDoor(ctx, o); err != nil {
		return err
	}
	if err := a.wire(ctx, files); err != nil {
		return err
	}
	if o.Routes != nil {
		o.Routes(a.server)
	}
	a.server.MountUI(ui.Dist())
	return nil
}

// gatherer is everything that is measured about this process. Parts of
// Prometheus register on the default registry, which has the Go runtime and the
// process already.
func (a *App) gatherer() prometheus.Gatherer {
	return prometheus.Gatherers{a.registry, prometheus.DefaultGatherer}
}

// openDoor builds who may come in, and the HTTP kit.
func (a *App) openDoor(ctx context.Context, o Options) (err error) {
	a.auth, err = auth.New(ctx, auth.Config{
		DB: a.db, AdminToken: a.config.AdminToken, SecretKey: a.config.SecretKey,
		KeyFile: a.dataFile("secret.key"), Logger: a.log,
	})
	if err != nil {
		return err
	}
	if a.firstLink, _, err = a.auth.Bootstrap(ctx); err != nil {
		return err
	}
	build := ReadBuild()
	a.server = web.New(web.Config{
		Auth: a.auth, Logger: a.log, Registerer: a.registry,
		Gatherer:  a.gatherer(),
		PublicURL: a.config.PublicURL, TrustProxy: a.config.TrustProxy, Version: build.Version,
		RequireIngestToken: a.config.RequireIngest,
		SamplesSince:       func() (time.Time, bool) { return a.samples.Since() },
		Grace:              a.config.Grace / 2, // the rest is for the parts that the requests use
		Info: web.Info{
			Commit: build.Commit, StartedAt: time.Now().UTC(), Demo: o.Demo,
			Storage: string(a.db.Dialect()), DataDir: a.config.DataDir,
		},
	})
	return nil
}

// Run serves until ctx ends, then stops within the grace time. SIGHUP reloads.
func (a *App) Run(ctx context.Context) error {
	defer a.Close()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	reloads := part{"reload", func(ctx context.Context) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-hup:
				if err := a.reload(ctx); err != nil {
					a.log.ErrorContext(ctx, "reload refused, the previous files stay in force", "error", err)
				}
			}
		}
	}}
	serve := part{"web", func(ctx context.Context) error { return a.server.Serve(ctx, a.listener) }}
	a.log.InfoContext(ctx, "serving", "url", a.config.PublicURL, "address", a.listener.Addr().String())
	return runParts(ctx, a.log, a.config.Grace, slices.Concat([]part{{"store", a.db.Hold}}, a.parts, []part{{"settle", settle}, reloads, serve}))
}

// Close frees what New took. Run does it too.
func (a *App) Close() {
	if a.listener != nil {
		a.listener.Close()
	}
	if a.events != nil {
		if err := a.events.Close(); err != nil {
			a.log.Error("closing the events", "error", err)
		}
	}
	if a.db != nil {
		if err := a.db.Close(); err != nil {
			a.log.Error("closing the store", "error", err)
		}
	}
}

// FirstLink is the one-time link of an administrator who never signed in, empty
// once one has.
func (a *App) FirstLink() string {
	if a.firstLink == "" {
		return ""
	}
	return a.config.PublicURL + a.firstLink
}

// SignInLink makes a one-time link for the first administrator.
func (a *App) SignInLink(ctx context.Context) (string, error) {
	if link := a.FirstLink(); link != "" {
		return link, nil
	}
	users, err := a.auth.Users(ctx)
	if err != nil {
		return "", err
	}
	for _, u := range users {
		if u.Role == auth.Admin && !u.Disabled {
			link, err := a.auth.OneTimeLink(ctx, u.ID)
			return a.config.PublicURL + link, err
		}
	}
	return "", problem.New(problem.NotFound, "no administrator is enabled").
		WithMend("start with DAYTWO_ADMIN_TOKEN and enable one with PATCH /api/users/{id}")
}

// OpenAPI returns the document of every route.
func (a *App) OpenAPI() ([]byte, error) { return a.server.OpenAPI() }

// watch keeps the readiness of a part up to date until it is ready.
func (a *App) watch(ctx context.Context, name string, ready func() error) {
	for {
		err := ready()
		a.server.SetReady(name, err)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

var errStarting = errors.New("starting")
