// Package timeline is the append-only ledger of everything that happens to a
// service: changes, alerts, incidents, pages, runs. It is three things at once:
//
//   - a history to page through (List),
//   - a live feed that loses nothing (Subscribe),
//   - a durable log whose consumers have exactly-once effects (Consume).
//
// Entries are numbered by Seq without gaps in the order their transactions
// commit, so "everything after Seq n" is always a complete answer.
package timeline

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daytwo-dev/daytwo/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// safetyPoll is how often followers look at the store although nothing woke
// them: a commit may be durable and yet reported as failed.
const safetyPoll = 5 * time.Second

// Config is what New needs.
type Config struct {
	DB         *store.DB
	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil keeps the metrics unregistered
}

// Timeline is the ledger. It starts no goroutines of its own.
type Timeline struct {
	db      *store.DB
	log     *slog.Logger
	recent  *recent
	metrics *metrics
	failing failing
}

// New brings the tables up to date and opens the ledger.
func New(ctx context.Context, c Config) (*Timeline, error) {
	if c.DB == nil || c.Logger == nil {
		return nil, errors.New("timeline: Config needs DB and Logger")
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("timeline: %w", err)
	}
	if err := c.DB.Migrate(ctx, "timeline", files); err != nil {
		return nil, err
	}
	t := &Timeline{db: c.DB, log: c.Logger}
	head, err := t.storedHead(ctx)
	if err != nil {
		return nil, fmt.Errorf("open timeline: %w", err)
	}
	t.recent = newRecent(head)
	t.metrics = newMetrics(c.Registerer, t.recent)
	return t, nil
}

// Head is the Seq of the newest entry this process knows to be committed, 0 for
// an empty ledger.
func (t *Timeline) Head() int64 { return t.recent.headSeq() }

func (t *Timeline) storedHead(ctx context.Context) (head int64, err error) {
	err = t.db.Read(ctx, func(tx *store.Tx) error {
		head, err = readHead(ctx, tx)
		return err
	})
	return head, err
}

func readHead(ctx context.Context, tx *store.Tx) (head int64, err error) {
	err = tx.QueryRow(ctx, `SELECT seq FROM timeline_head`).Scan(&head)
	return head, err
}
