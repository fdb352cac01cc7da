package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

const (
	silence   = 6 * time.Second // after which the server ends the session of a writer that hangs, where others stand by
	holdEvery = time.Second     // between signs of life
)

// tenure is how this process has the PostgreSQL database. Every process that takes it begins a term; so one that lost its connection,
// and gets the lock again, can tell whether another one used the database meanwhile.
type tenure struct {
	term atomic.Int64 // 0: not taken yet
	once sync.Once
	lost chan struct{} // closed when another process has the database, or had it
	err  error         // set before
}

func (t *tenure) lose(err error) error {
	t.once.Do(func() {
		t.err = err
		close(t.lost)
	})
	return err
}

// Hold keeps the database for this process until ctx ends; then it returns nil. Where others stand by (see Config.Standby) it gives
// PostgreSQL a sign of life every second: a process that hangs, or whose machine is gone, has its session ended after 6 s, and
// another one takes over. Hold returns a problem when another process took the database or used it meanwhile: what this one
// remembers of the state is out of date, so it has to end.
func (db *DB) Hold(ctx context.Context) error {
	tick := time.NewTicker(holdEvery)
	defer tick.Stop()
	watched := db.standby && db.silencePossible(ctx)
	for {
		if watched {
			_ = db.Write(ctx, live) // what is wrong with the database is told by those who need it
		}
		select {
		case <-ctx.Done():
			return nil
		case <-db.tenure.lost:
			return db.tenure.err
		case <-tick.C:
		}
	}
}

// live is a sign of life. It sets the limits each time, since the connection may be a new one.
func live(tx *Tx) error {
	var idle, within string
	return tx.QueryRow(tx.Context(), `SELECT set_config('idle_session_timeout', ?, false), set_config('idle_in_transaction_session_timeout', ?, false)`,
		silence.String(), silence.String()).Scan(&idle, &within)
}

// silencePossible tells whether the server can end a session that is silent: PostgreSQL 14 and newer.
func (db *DB) silencePossible(ctx context.Context) bool {
	var limit *string
	err := db.Read(ctx, func(tx *Tx) error {
		return tx.QueryRow(ctx, `SELECT current_setting('idle_session_timeout', true)`).Scan(&limit)
	})
	if err == nil && limit == nil {
		db.log.Warn("store: this PostgreSQL is older than 14 and keeps the session of a process that hangs: one that stands by takes over only when it ends",
			"database", db.name)
	}
	return err != nil || limit != nil
}

// beginTerm notes that this process has the database from now on.
func (db *DB) beginTerm(ctx context.Context, conn *pgx.Conn) error {
	const table = `CREATE TABLE IF NOT EXISTS store_term (one INTEGER PRIMARY KEY, term BIGINT NOT NULL)`
	const begin = `INSERT INTO store_term (one, term) VALUES (1, 1) ON CONFLICT (one) DO UPDATE SET term = store_term.term + 1 RETURNING term`
	var term int64
	if _, err := conn.Exec(ctx, table); err != nil {
		return err
	}
	if err := conn.QueryRow(ctx, begin).Scan(&term); err != nil {
		return err
	}
	db.tenure.term.Store(term)
	return nil
}

// sameTerm fails when another process took the database since this one did.
func (db *DB) sameTerm(ctx context.Context, conn *pgx.Conn) error {
	var term int64
	err := conn.QueryRow(ctx, `SELECT term FROM store_term`).Scan(&term)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if term == db.tenure.term.Load() {
		return nil
	}
	return db.tenure.lose(problem.New(problem.Conflict, "%s was taken over; it is in use by %s", db.name, db.holder(ctx, conn)).
		WithMend("start this process again, with --standby to wait for its turn"))
}
