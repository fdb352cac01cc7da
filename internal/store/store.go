// Package store keeps daytwo's state: SQLite in the data directory by default,
// PostgreSQL by URL, with one meaning on both. There is one writer at a time and
// any number of readers, each of which sees one moment. What Write has answered
// for is on disk.
//
// SQL is written once, in what both dialects share: ? placeholders; TEXT,
// BIGINT, INTEGER and DOUBLE PRECISION columns; times as BIGINT microseconds
// (see Micros), booleans as INTEGER 0 and 1, JSON as TEXT.
package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Config says where the state lives.
type Config struct {
	Dir    string       // data directory, made when missing; may be empty only with URL
	URL    string       // postgres://…; empty means SQLite in Dir/state.db
	Logger *slog.Logger // nil discards
	// Standby waits for a PostgreSQL database that another process uses, until ctx of Open ends, rather than give up.
	Standby bool

	Registerer prometheus.Registerer // of the store's own metrics; may be nil
}

// Dialect is the SQL a DB speaks.
type Dialect string

const (
	SQLite     Dialect = "sqlite"
	PostgreSQL Dialect = "postgres"
)

// DB is an open store. Its methods may be called from any goroutine.
type DB struct {
	dialect Dialect
	name    string // of the database in messages: a path, or host and database
	log     *slog.Logger
	standby bool
	metrics metrics
	tenure  tenure
	lock    *flock.Flock // nil without Config.Dir
	writes  writer
	readers *sql.DB
	close   sync.Once
}

// Reads beyond maxReaders at once wait for one to end; idleReaders connections
// are kept between reads.
const (
	maxReaders  = 16
	idleReaders = 4
)

// Open takes the data directory, or the PostgreSQL database, for this process
// and opens it. Every foreseeable failure is a *problem.Error that says what to
// do. A second process is refused, and told who holds the store.
func Open(ctx context.Context, c Config) (*DB, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	postgres := strings.HasPrefix(c.URL, "postgres://") || strings.HasPrefix(c.URL, "postgresql://")
	switch {
	case c.URL != "" && !postgres:
		return nil, problem.New(problem.Invalid, "the database URL is not one of PostgreSQL").
			WithMend("write postgres://user:password@host:5432/database, or leave it empty for SQLite in the data directory")
	case c.URL == "" && c.Dir == "":
		return nil, problem.New(problem.Invalid, "neither a data directory nor a database URL is set").
			WithMend("set a data directory")
	}
	db := &DB{log: c.Logger, standby: c.Standby, tenure: tenure{lost: make(chan struct{})}}
	db.metrics = newMetrics(c.Registerer, &db.writes.line)
	if c.Dir != "" {
		lock, err := lockDir(c.Dir)
		if err != nil {
			return nil, err
		}
		db.lock = lock
	}
	open := db.openSQLite
	if postgres {
		open = db.openPostgres
	}
	if err := open(ctx, c); err != nil {
		return nil, errors.Join(err, db.release())
	}
	return db, nil
}

// Dialect tells which SQL the store speaks, for the few queries that differ.
func (db *DB) Dialect() Dialect { return db.dialect }

// closePatience bounds the wait of Close for the writes under way.
const closePatience = 30 * time.Second

// Close waits for writes under way, refuses later ones, and frees the store for
// another process. Transactions still reading fail. When a write does not end
// within half a minute, Close fails, and the store is freed when it does, or
// with the process, which undoes it.
func (db *DB) Close() error {
	var err error
	db.close.Do(func() {
		turn := db.writes.line.close()
		finish := func() error {
			db.passTurn() // the last batch may be open
			return db.release()
		}
		timeout := time.NewTimer(closePatience)
		defer timeout.Stop()
		select {
		case <-turn:
			err = finish()
		case <-timeout.C:
			err = problem.New(problem.Unavailable, "%s is not closed: a write has kept it for %s", db.name, closePatience).
				WithMend("end the process: the write is undone, and what was committed is kept; then report what its log says")
			go func() {
				<-turn
				if err := finish(); err != nil {
					db.log.Error("store: closed late", "err", err)
				}
			}()
		}
	})
	return err
}

// release undoes what Open has done so far.
func (db *DB) release() error {
	var errs []error
	for _, pool := range []*sql.DB{db.readers, db.writes.pool} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Unlock())
	}
	return errors.Join(errs...)
}

// Read runs fn in a transaction that sees one moment of the store and cannot
// write. Many run at once and none waits for the writer. A Read inside a Read
// takes a second connection, which may not be free: use the first's tx.
func (db *DB) Read(ctx context.Context, fn func(tx *Tx) error) error {
	opts := &sql.TxOptions{ReadOnly: true}
	if db.dialect == PostgreSQL {
		opts.Isolation = sql.LevelRepeatableRead
	}
	q, err := db.begin(ctx, db.readers, opts)
	if err != nil {
		return db.explain(ctx, err)
	}
	defer func() { _ = q.Rollback() }() // nothing was written
	return db.explain(ctx, fn(&Tx{dialect: db.dialect, sql: q, ctx: ctx}))
}

// begin starts a transaction. Idle connections may have died unnoticed when
// PostgreSQL restarted; each is met once, dropped, and another one tried.
func (db *DB) begin(ctx context.Context, pool *sql.DB, opts *sql.TxOptions) (*sql.Tx, error) {
	for spare := idleReaders; ; spare-- {
		tx, err := pool.BeginTx(ctx, opts)
		if err == nil || spare == 0 || ctx.Err() != nil || !db.droppedIdle(err) {
			return tx, err
		}
	}
}
