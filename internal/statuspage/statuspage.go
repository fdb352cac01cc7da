// Package statuspage is the public status page: components, what is wrong with them, what people tell of it, and how they did. It shows
// services that daytwo.yml or an operator puts on it and nothing else, under names meant for customers.
//
// It shares no fate with signing in: it is served from a snapshot in memory, looks at no session and asks the store nothing, so that it
// answers while the rest does not.
package statuspage

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// The states of a component, as Statuspage calls them.
const (
	Operational = "operational"
	Degraded    = "degraded_performance"
	Partial     = "partial_outage"
	Major       = "major_outage"
	Maintenance = "under_maintenance"
)

// Trouble is a span in which something was wrong with a service.
type Trouble struct {
	ID       string
	Service  string
	Severity string // critical, warning or info
	Start    time.Time
	End      time.Time // zero: it lasts
	Taken    time.Time // when somebody took it; zero: nobody has
	Updates  []Update  // what was told the public, the oldest first
}

// Troubles are those of a service that ended from a time on and before another, the zero time for no end; with lasting also those that
// last. There may be any number.
type Troubles func(ctx context.Context, service string, from, to time.Time, lasting bool) ([]Trouble, error)

// Config is what New needs.
type Config struct {
	DB        *store.DB // of the notices
	Catalog   *catalog.Live
	Troubles  Troubles
	PublicURL string
	Now       func() time.Time // nil: time.Now
	Logger    *slog.Logger
}

// Page is the status page.
type Page struct {
	cfg     Config
	current atomic.Pointer[snapshot]

	mu   sync.Mutex // one refresh at a time
	past history
}

//go:embed migrations/*.sql
var migrations embed.FS

// New brings the tables up to date. The page is empty until Run.
func New(ctx context.Context, c Config) (*Page, error) {
	if c.DB == nil || c.Catalog == nil || c.Troubles == nil || c.Logger == nil {
		return nil, errors.New("statuspage: Config needs DB, Catalog, Troubles and Logger")
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("statuspage: %w", err)
	}
	if err := c.DB.Migrate(ctx, "statuspage", files); err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	p := &Page{cfg: c}
	p.current.Store(&snapshot{Title: "Status", Updated: c.Now().UTC()})
	return p, nil
}

const refreshEvery = 5 * time.Second

// Run keeps the snapshot up to date until ctx ends. While the store does not answer, the last one stays, and says how old it is.
func (p *Page) Run(ctx context.Context) error {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		if err := p.Refresh(ctx); err != nil && ctx.Err() == nil {
			p.cfg.Logger.WarnContext(ctx, "the status page shows what was known before", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Refresh looks once.
func (p *Page) Refresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.cfg.Now().UTC()
	notices, err := p.Notices(ctx, now.AddDate(0, 0, -historyDays))
	if err != nil {
		return err
	}
	shown := p.shown()
	p.past.forget(shown)
	var troubles []Trouble
	past := map[string]*settled{}
	for _, service := range shown {
		if past[service], err = p.past.settle(ctx, p.cfg.Troubles, service, now); err != nil {
			return err
		}
		list, err := p.cfg.Troubles(ctx, service, listedSince(now), time.Time{}, true)
		if err != nil {
			return err
		}
		troubles = append(troubles, list...)
	}
	p.current.Store(assemble(p.cfg.Catalog.Current(), past, troubles, notices, now))
	return nil
}
