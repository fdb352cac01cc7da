// Package logs does the job of Elasticsearch, Logstash and Kibana: it takes logs
// through the doors of many shippers, keeps them as events, finds them again for
// people and for clients of Elasticsearch's API, watches searches, and shows what
// a service wrote when.
package logs

import (
	"context"
	"crypto/tls"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/eventdb"
	"github.com/daytwo-dev/daytwo/internal/logs/elasticsearch"
	"github.com/daytwo-dev/daytwo/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Events is where logs are kept: *eventdb.DB, or an engine beyond one machine.
type Events interface {
	Append(ctx context.Context, events []event.Event) error
	Query(ctx context.Context, q event.Query) (*event.Result, error)
	Tail(ctx context.Context, filter event.Filter) (*eventdb.Tail, error)
}

// Alerts takes what watched searches found: package alert, adapted.
type Alerts interface {
	// Report says that an alert with these labels fires until a time; one that has
	// passed ends it.
	Report(ctx context.Context, labels, annotations event.Labels, link string, until time.Time) error
}

// Tokens finds out who comes with a token: *auth.Auth.
type Tokens interface {
	Bearer(ctx context.Context, secret string) (auth.Principal, error)
}

// Config is what New needs.
type Config struct {
	DB         *store.DB
	Events     Events
	Tokens     Tokens
	Alerts     Alerts // nil: searches are not watched
	PublicURL  string // for links in alerts
	Logger     *slog.Logger
	Registerer prometheus.Registerer

	RequireToken bool // also from this machine

	Listeners Listeners
}

// Logs is the domain.
type Logs struct {
	cfg     Config
	log     *slog.Logger
	guard   guard
	counts  *counts
	elastic *elasticsearch.Door
	watcher *watcher
	offers  chan offered
	now     func() time.Time

	syslogTLS *tls.Config // nil: syslog is not taken over TLS
}

// maxBody bounds what one request may hold, decompressed.
const maxBody = 32 << 20

// New brings the tables up to date and builds the doors.
func New(ctx context.Context, c Config) (*Logs, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("logs: %w", err)
	}
	if err := c.DB.Migrate(ctx, "logs", files); err != nil {
		return nil, err
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if err := c.Listeners.Validate(); err != nil {
		return nil, err
	}
	l := &Logs{cfg: c, log: c.Logger, now: time.Now, offers: make(chan offered, maxOffered), guard: guard{tokens: c.Tokens, always: c.RequireToken}}
	l.watcher = newWatcher(l)
	if l.syslogTLS, err = c.Listeners.tls(); err != nil {
		return nil, err
	}
	if l.counts, err = newCounts(c.Registerer); err != nil {
		return nil, err
	}
	l.elastic = elasticsearch.New(elasticsearch.Config{
		Events: c.Events, Documents: documents{c.DB}, Counts: l.counts, Logger: c.Logger, MaxBody: maxBody,
		Ingest: l.guard.mayIngest, Read: l.guard.mayRead,
	})
	return l, nil
}

// Elasticsearch is the door for clients of Elasticsearch, at its root.
func (l *Logs) Elasticsearch() http.Handler { return l.elastic }

// Append keeps events that came through a door of this process.
func (l *Logs) Append(ctx context.Context, door string, events []event.Event) error {
	if err := l.cfg.Events.Append(ctx, events); err != nil {
		l.counts.Refused(door, "store", len(events))
		return err
	}
	l.counts.Taken(door, len(events))
	return nil
}
