package catalog

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/schedule"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// Live holds the catalog in force. A change replaces it at once and whole; whoever holds the previous one keeps a consistent view.
// The zero value holds an empty catalog and keeps nothing.
type Live struct {
	current atomic.Pointer[Catalog]

	// Set before Routes; what is nil is not offered.
	Pages     func(ctx context.Context, schedule string, from, to time.Time) ([]schedule.Paged, error) // who was paged by steps that ask a schedule, for the fairness report
	Named     func(ctx context.Context, tx *store.Tx, service string) (by []string, err error)         // what names a service beside the catalog: it keeps its name
	Tell      Tell
	Sealer    Sealer
	PublicURL string

	mu    sync.Mutex // one change at a time
	file  *Catalog
	shelf *shelf
	db    *store.DB // nil: files alone
	log   *slog.Logger
	now   func() time.Time
}

// Config is what Open needs.
type Config struct {
	DB     *store.DB
	File   *Catalog // as Load read it
	Logger *slog.Logger
	Now    func() time.Time // nil: time.Now
}

//go:embed migrations/*.sql
var migrations embed.FS

// Open puts the file and what is stored in force.
func Open(ctx context.Context, c Config) (*Live, error) {
	if c.DB == nil || c.File == nil || c.Logger == nil {
		return nil, errors.New("catalog: Config needs DB, File and Logger")
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	if err := c.DB.Migrate(ctx, "catalog", files); err != nil {
		return nil, err
	}
	l := &Live{db: c.DB, log: c.Logger, now: c.Now, file: c.File}
	if l.now == nil {
		l.now = time.Now
	}
	err = c.DB.Read(ctx, func(tx *store.Tx) (err error) {
		l.shelf, err = loadShelf(ctx, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	l.Replace(c.File)
	return l, nil
}

// NewLive holds c alone: nothing can be made through the API.
func NewLive(c *Catalog) *Live {
	l := &Live{}
	l.Replace(c)
	return l
}

// Current is never nil.
func (l *Live) Current() *Catalog {
	if c := l.current.Load(); c != nil {
		return c
	}
	return new(Catalog)
}

// Replace puts another file in force. Its schedules begin now where they differ from those before: what was stays, and whoever is on
// call stays it to the next handoff. If that cannot be stored, it is in force all the same, until the next start. It answers with the file
// that was in force before, for whoever has to go back.
func (l *Live) Replace(file *Catalog) (before *Catalog) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before, l.file = l.file, file
	if l.shelf == nil {
		l.shelf = &shelf{rows: map[Kind][]stored{}}
	}
	if l.db != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := l.write(ctx, l.adopt); err != nil {
			l.log.Error("the history of schedules and the keys of integrations could not be stored", "error", err)
		}
	}
	l.publish()
	return before
}

// adopt stores what has to outlive the file: how its schedules and their overrides came to be, and keys for integrations without.
func (l *Live) adopt(c *change) error {
	for _, x := range l.file.Schedules {
		wanted := schedule.Definition{Zone: x.Zone, Layers: x.Layers}
		for _, r := range c.shelf.rows[kindHistory] {
			if before, ok := decode[schedule.Definition](r); ok && r.id == x.ID {
				wanted.Layers = schedule.Revise(before, x.Zone, x.Layers, c.now)
			}
		}
		if err := c.putIfNew(kindHistory, x.ID, wanted); err != nil {
			return err
		}
		if err := c.declare(x); err != nil {
			return err
		}
	}
	for _, s := range l.file.Services {
		for _, i := range s.Integrations {
			known := false
			for _, r := range c.shelf.rows[kindKey] {
				known = known || r.id == i.ID
			}
			if i.Key == "" && !known {
				if err := c.put(kindKey, i.ID, s.ID, newKey()); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// publish puts what l holds in force. The caller holds mu.
func (l *Live) publish() {
	c, shadowed := merge(l.file, l.shelf)
	c.stamp(l.shelf)
	l.current.Store(c)
	if len(shadowed) > 0 {
		l.log.Warn("entries of the file hide stored ones of the same name", "file", FileName, "hidden", strings.Join(shadowed, ", "))
	}
}

// write runs do on a copy of the shelf, stores what it changes, and keeps the copy. The caller holds mu.
func (l *Live) write(ctx context.Context, do func(*change) error) error {
	if l.db == nil {
		return problem.New(problem.Unavailable, "this catalog keeps nothing")
	}
	var next *shelf
	err := l.db.Write(ctx, func(tx *store.Tx) error {
		var version int64
		if err := tx.QueryRow(ctx, `SELECT version FROM catalog_version WHERE id = 1`).Scan(&version); err != nil {
			return fmt.Errorf("read the catalog: %w", err)
		}
		next = l.shelf.clone()
		if version != l.shelf.version { // another process changed something
			var err error
			if next, err = loadShelf(ctx, tx); err != nil {
				return err
			}
		}
		c := &change{ctx, tx, next, l.now().UTC().Truncate(time.Microsecond)}
		if err := do(c); err != nil {
			return err
		}
		next.version = version + 1
		_, err := tx.Exec(ctx, `UPDATE catalog_version SET version = ? WHERE id = 1`, next.version)
		return err
	})
	if err == nil {
		l.shelf = next
	}
	return err
}

// edit is one change through the API. do sees the catalog as it is and says what to store; check says whether the catalog that comes
// of it may be in force.
func (l *Live) edit(ctx context.Context, do func(*change, *Catalog) error, check func(*Catalog) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		l.file = empty()
	}
	err := l.write(ctx, func(c *change) error {
		before, _ := merge(l.file, c.shelf)
		if err := do(c, before); err != nil {
			return err
		}
		after, _ := merge(l.file, c.shelf)
		return check(after)
	})
	if err == nil {
		l.publish()
	}
	return err
}

// refreshEvery is how often a process looks whether another one changed something.
const refreshEvery = time.Second

// Run follows the changes of other processes that share the store, until ctx ends.
func (l *Live) Run(ctx context.Context) error {
	if l.db == nil || l.db.Dialect() == store.SQLite {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := l.refresh(ctx); err != nil && ctx.Err() == nil {
				l.log.WarnContext(ctx, "changes of the catalog by other processes are not seen", "error", err)
			}
		}
	}
}

func (l *Live) refresh(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var next *shelf
	err := l.db.Read(ctx, func(tx *store.Tx) error {
		var version int64
		if err := tx.QueryRow(ctx, `SELECT version FROM catalog_version WHERE id = 1`).Scan(&version); err != nil || version == l.shelf.version {
			return err
		}
		var err error
		next, err = loadShelf(ctx, tx)
		return err
	})
	if err == nil && next != nil {
		l.shelf = next
		l.publish()
	}
	return err
}
