// Package eventdb keeps events: wide records of any number of fields, in a
// columnar store of its own with one query type, event.Query. What Append has
// acknowledged survives a kill and a power loss; damage of a file is found by
// checksums, told, and kept to the block it is in; nothing panics. The format
// of the files is described in docs/adr.
package eventdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Sync says when a write is made durable.
type Sync string

// The ways to sync.
const (
	SyncAlways   Sync = "always"   // before Append returns; writers at the same time share one
	SyncInterval Sync = "interval" // every Config.SyncEvery: a power loss may take what came after, a kill does not
)

// Config says where events are kept and what they may take.
type Config struct {
	Dir       string        // made if it is missing
	Sync      Sync          // default SyncAlways
	SyncEvery time.Duration // with SyncInterval; default 1 s
	Retention []Retention   // every rule is applied; none: events are kept for ever
	Limits    event.Limits  // of a query that names none, and the most it may name; default 60 s, 10 billion events, 256 MiB

	Logger     *slog.Logger
	Registerer prometheus.Registerer // nil: nothing is measured

	files files // tests put another in
}

func (c *Config) setDefaults() {
	c.Sync = cmp.Or(c.Sync, SyncAlways)
	c.SyncEvery = cmp.Or(c.SyncEvery, time.Second)
	c.Limits.Time = cmp.Or(c.Limits.Time, time.Minute)
	c.Limits.Rows = cmp.Or(c.Limits.Rows, 10_000_000_000)
	c.Limits.Memory = cmp.Or(c.Limits.Memory, 256<<20)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	if c.files == nil {
		c.files = osFiles{}
	}
}

// Validate says what is wrong with c.
func (c *Config) Validate() error {
	switch c.Sync {
	case "", SyncAlways, SyncInterval:
	default:
		return problem.New(problem.Invalid, "events cannot be synced %q", c.Sync).WithField("event-sync").WithMend("give always or interval")
	}
	for _, r := range c.Retention {
		if err := r.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// DB is the store. Make it with Open, keep Run running, and Close it.
type DB struct {
	cfg     Config
	lock    *flock.Flock
	metrics *metrics
	commits committer
	tails   tails

	mu     sync.RWMutex // the view: what queries see
	head   *head
	sealed []*head // on their way to become parts, the oldest first
	parts  []*part
	closed bool

	nextID uint64        // of the writer
	full   chan struct{} // wakes Run: a head was sealed

	awaited atomic.Int32 // who waits for upkeep

	flushing sync.Mutex // held while heads become parts
	upkeep   sync.Mutex // held while parts are rewritten
	adopting sync.Mutex // guards what is below
	manifest manifest
	orphans  []string // files that only a manifest of uncertain fate names
}

// Open recovers what is in the directory and is ready to append and to answer.
func Open(ctx context.Context, c Config) (*DB, error) {
	c.setDefaults()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	for _, dir := range []string{"wal", "parts"} {
		if err := c.files.MakeDir(filepath.Join(c.Dir, dir)); err != nil {
			return nil, problem.New(problem.Unavailable, "make the directory of events: %w", err).WithMend("check its rights and the free space")
		}
	}
	db := &DB{cfg: c, lock: flock.New(filepath.Join(c.Dir, "lock")), head: newHead(), nextID: 1, full: make(chan struct{}, 1)}
	if ok, err := db.lock.TryLock(); err != nil || !ok {
		return nil, problem.New(problem.Conflict, "the events in %s are in use by another process", c.Dir).WithMend("stop it, or give another data directory")
	}
	m, err := newMetrics(c.Registerer, db)
	if err != nil {
		return nil, errors.Join(err, db.lock.Unlock())
	}
	db.metrics = m
	if err := db.recover(ctx); err != nil {
		m.unregister()
		return nil, errors.Join(err, db.lock.Unlock())
	}
	return db, nil
}

// recover opens the parts and reads the log into the head.
func (db *DB) recover(ctx context.Context) error {
	m, damaged, err := readManifest(db.cfg.files, db.cfg.Dir)
	if err != nil {
		return problem.New(problem.Unavailable, "open the events in %s: %w", db.cfg.Dir, err).WithMend("restore the file manifest from a backup")
	}
	if damaged {
		db.cfg.Logger.ErrorContext(ctx, "a copy of the list of parts of the events is damaged; the other is used")
	}
	db.manifest, db.nextID = m, m.NextID
	listed := map[string]bool{}
	for _, info := range m.Parts {
		p := openPart(db.cfg.files, db.partsDir(), info)
		if p.broken != nil || p.bad.Load() > 0 {
			db.metrics.damaged.Inc()
			db.cfg.Logger.ErrorContext(ctx, "a part of the events is damaged", "file", p.path, "lost", p.broken != nil, "events", info.Rows, "error", p.broken)
		}
		db.parts = append(db.parts, p)
		listed[partName(info.ID)] = true
	}
	names, err := db.cfg.files.List(db.partsDir())
	if err != nil {
		return problem.New(problem.Unavailable, "read the directory of events: %w", err)
	}
	for _, name := range names {
		if !listed[name] { // written, but never adopted: its events are in the log
			db.remove(filepath.Join(db.partsDir(), name))
		}
	}
	return db.recoverLog(ctx)
}

func (db *DB) recoverLog(ctx context.Context) error {
	dir := filepath.Join(db.cfg.Dir, "wal")
	w := &db.commits.wal
	w.fs, w.dir, w.segments, w.segment = db.cfg.files, dir, map[uint64]int64{}, db.manifest.Floor
	segments, err := listSegments(db.cfg.files, dir)
	if err != nil {
		return problem.New(problem.Unavailable, "read the log of events: %w", err)
	}
	for _, n := range segments {
		if err := ctx.Err(); err != nil {
			return err
		}
		path := filepath.Join(dir, segmentName(n))
		if n < db.manifest.Floor {
			db.remove(path)
			continue
		}
		damaged, torn, err := readSegment(db.cfg.files, path, db.replay)
		if err != nil {
			return problem.New(problem.Unavailable, "read the log of events, %s: %w", path, err)
		}
		if damaged > 0 {
			db.metrics.damaged.Inc()
			db.cfg.Logger.ErrorContext(ctx, "the log of events is damaged; what could be read is there", "file", path, "bytes", damaged)
		}
		if torn > 0 {
			db.cfg.Logger.InfoContext(ctx, "an unfinished write at the end of the log of events was left out", "file", path, "bytes", torn)
		}
		w.note(n, 0)
		w.segment = max(w.segment, n)
	}
	if !db.head.fits() {
		// Where there is no room for a part, the events are there and can be asked for, and
		// none is taken until they could be written.
		if err := db.Flush(); err != nil {
			db.upkeepFailed(ctx, "write a part of events", err)
		}
	}
	return nil
}

// replay puts a frame of the log into the head.
func (db *DB) replay(f frame) error {
	b, err := readBatch(f.firstID, string(f.batch))
	if err != nil {
		return err
	}
	if f.firstID > math.MaxInt64-uint64(len(b.events)) {
		return errDamaged("event %d", f.firstID)
	}
	if len(b.events) > 0 {
		db.addToHead(b)
	}
	db.nextID = max(db.nextID, f.firstID+uint64(len(b.events)))
	return nil
}

// Close makes everything durable and gives the directory free. Afterwards
// nothing can be appended or asked.
func (db *DB) Close() error {
	db.mu.Lock()
	was := db.closed
	db.closed = true
	db.mu.Unlock()
	if was {
		return nil
	}
	db.tails.close()
	err := db.commits.close()
	db.takeUpkeep() // what runs comes to its end
	db.flushing.Lock()
	defer db.upkeep.Unlock()
	defer db.flushing.Unlock()
	db.mu.Lock()
	for _, p := range db.parts {
		p.release()
	}
	db.parts = nil
	db.mu.Unlock()
	if db.metrics != nil {
		db.metrics.unregister()
	}
	if err = errors.Join(err, db.lock.Unlock()); err != nil {
		return fmt.Errorf("close the events: %w", err)
	}
	return nil
}

// Ready is nil while events can be stored and asked for; otherwise it says why
// not.
func (db *DB) Ready() error {
	if db.isClosed() {
		return errClosed
	}
	return nil
}

var errClosed = problem.New(problem.Unavailable, "the store of events is closed")

func (db *DB) isClosed() bool {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.closed
}
