package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

const (
	maxBatch    = 256                   // writes that share one commit
	maxBatchAge = 20 * time.Millisecond // age from which a batch takes no more of them
	maxBatchRun = time.Minute           // bounds the wait for a PostgreSQL that no longer answers
	maxAttempts = 3                     // of one write, when its batch was lost before the commit
)

// Write runs fn in a transaction. When Write returns nil, what fn wrote is on
// disk; otherwise none of it is, except that a PostgreSQL lost during the commit
// leaves that unknown (the problem says so). One write runs at a time; those
// that arrive meanwhile join its transaction, each under a savepoint of its own,
// and share one commit.
//
// fn may be run again when the transaction was lost before its commit, so its
// effects go through tx, or tx.OnCommit. A statement that failed fails the
// write, even if fn returns nil: to expect a conflict, write ON CONFLICT. ctx
// bounds the wait for the writer and is looked at before each statement; a
// commit under way is waited for.
func (db *DB) Write(ctx context.Context, fn func(tx *Tx) error) error {
	if ctx.Value(writing{}) == db {
		return problem.New(problem.Internal, "a Write was called inside a Write of the same store")
	}
	defer func(start time.Time) { db.metrics.write.Observe(time.Since(start).Seconds()) }(time.Now())
	ctx = context.WithValue(ctx, writing{}, db)
	for attempt := 1; ; attempt++ {
		err := db.joinBatch(ctx, fn)
		if !errors.Is(err, errBatchLost) {
			return db.explain(ctx, err)
		}
		if attempt == maxAttempts {
			return db.explain(ctx, fmt.Errorf("%d attempts: %w", attempt, err))
		}
	}
}

// writing marks the contexts of writes with the *DB that runs them.
type writing struct{}

// errBatchLost says that a write was undone before its commit through no fault
// of its own, so that running it again is right.
var errBatchLost = errors.New("the transaction was lost before its commit")

// writer is the one connection that writes. Whoever has the turn runs its own
// function and then hands the turn and the open batch on; the last in line
// commits for all. So there is no goroutine to start or stop, and a panic stays
// with the caller whose it is.
type writer struct {
	line  line
	pool  *sql.DB // of one connection
	batch *batch  // under way, or nil; belongs to whoever has the turn
}

// batch is one transaction that several writes share.
type batch struct {
	ctx     context.Context
	cancel  context.CancelFunc
	sql     *sql.Tx
	began   time.Time
	members int // that succeeded
	lost    bool
	hooks   []func()
	done    chan struct{} // closed when err is set and the hooks have run
	err     error
}

// joinBatch runs fn as the next member of the batch and waits for the commit.
func (db *DB) joinBatch(ctx context.Context, fn func(*Tx) error) error {
	if mine, err := db.writes.line.wait(ctx); err != nil {
		if mine {
			db.passTurn()
		}
		if _, ok := errors.AsType[*problem.Error](err); ok {
			db.metrics.refused.Inc()
		}
		return err
	}
	b, err := db.runMember(ctx, fn)
	if err != nil {
		return err
	}
	<-b.done
	return b.err
}

func (db *DB) runMember(ctx context.Context, fn func(*Tx) error) (*batch, error) {
	defer db.passTurn() // also when fn panics or ends its goroutine
	if db.writes.batch == nil {
		b, err := db.beginBatch()
		if err != nil {
			return nil, err
		}
		db.writes.batch = b
	}
	b := db.writes.batch
	return b, b.run(&Tx{dialect: db.dialect, sql: b.sql, ctx: ctx, statement: b.ctx}, fn)
}

func (db *DB) beginBatch() (*batch, error) {
	b := &batch{ctx: context.Background(), cancel: func() {}, began: time.Now(), done: make(chan struct{})}
	if db.dialect == PostgreSQL {
		b.ctx, b.cancel = context.WithTimeout(b.ctx, maxBatchRun)
	}
	var err error
	if b.sql, err = db.begin(b.ctx, db.writes.pool, nil); err != nil {
		b.cancel()
		return nil, err
	}
	return b, nil
}

// run gives fn a savepoint of its own, so that its failure undoes nothing else.
func (b *batch) run(tx *Tx, fn func(*Tx) error) (err error) {
	kept := false
	defer func() { // also when fn panics or ends its goroutine
		if kept {
			b.members++
			b.hooks = append(b.hooks, tx.hooks...)
			return
		}
		if _, undo := b.sql.ExecContext(b.ctx, "ROLLBACK TO SAVEPOINT member"); undo != nil {
			b.lost = true // the engine has rolled back everything, or is gone
		}
		if err != nil && (b.lost || unserializable(err)) {
			err = fmt.Errorf("%w: %w", errBatchLost, err)
		}
	}()
	if _, err := b.sql.ExecContext(b.ctx, "SAVEPOINT member"); err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return err
	}
	if tx.failed != nil {
		return tx.failed
	}
	_, err = b.sql.ExecContext(b.ctx, "RELEASE SAVEPOINT member")
	kept = err == nil
	return err
}

// passTurn hands the open batch to the next in line if it may take more, and
// otherwise ends it first.
func (db *DB) passTurn() {
	w := &db.writes
	b := w.batch
	if b != nil && !b.lost && b.members < maxBatch && time.Since(b.began) < maxBatchAge && w.line.callNext() {
		return
	}
	defer w.line.end()
	if b != nil {
		w.batch = nil
		db.finish(b)
	}
}

// finish ends the transaction, runs the hooks and answers the members.
func (db *DB) finish(b *batch) {
	defer b.cancel()
	defer close(b.done)
	switch {
	case b.lost:
		b.err = errBatchLost
		_ = b.sql.Rollback() // there is nothing left to keep
	case b.members == 0:
		_ = b.sql.Rollback()
	default:
		if b.err = b.sql.Commit(); b.err != nil {
			b.err = db.uncommitted(b.err)
			return
		}
		db.metrics.commit.Observe(float64(b.members))
		for _, f := range b.hooks {
			callHook(f, db.log)
		}
	}
}

// callHook keeps a panic in one hook from the others and from the writer.
func callHook(f func(), log *slog.Logger) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("store: panic in an OnCommit function", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	f()
}
