package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

const (
	maxWaiting  = 1024                  // writes that may queue for the writer
	maxWait     = 30 * time.Second      // how long each does
	maxBatch    = 256                   // writes that share one commit
	maxBatchAge = 20 * time.Millisecond // age from which a batch takes no more of them
	maxAttempts = 3                     // of one write, when its batch was lost before the commit
	maxBatchRun = time.Minute           // bounds a PostgreSQL that no longer answers
)

// Write runs fn in a transaction. When Write returns nil, what fn wrote is on
// disk; otherwise none of it is, except that a PostgreSQL lost during the commit
// leaves that unknown (the problem says so). One write runs at a time; those
// that arrive meanwhile join its transaction, each under a savepoint of its own,
// and share one commit.
//
// fn may be run again when the transaction was lost before its commit, so its
// effects go through tx, or tx.OnCommit. A statement that failed fails the
// write, even if fn returns nil. ctx bounds the wait for the writer and is
// looked at before each statement; a commit under way is waited for.
func (db *DB) Write(ctx context.Context, fn func(tx *Tx) error) error {
	if ctx.Value(writing{}) == db {
		return problem.New(problem.Internal, "a Write was called inside a Write of the same store")
	}
	for attempt := 1; ; attempt++ {
		err := db.writes.join(context.WithValue(ctx, writing{}, db), db, fn)
		if attempt == maxAttempts || !errors.Is(err, errBatchLost) {
			return db.explain(ctx, err)
		}
	}
}

// writing marks the contexts of writes with the *DB that runs them.
type writing struct{}

// errBatchLost says that a write was undone before its commit through no fault
// of its own, so that running it again is right.
var errBatchLost = errors.New("the transaction was lost before its commit")

// writer lets one goroutine at a time, in order of arrival, use the connection
// that writes. Whoever has the turn runs its own function and then hands the
// turn and the open batch on; the last in line commits for all. So there is no
// goroutine to start or stop, and a panic stays with the caller whose it is.
type writer struct {
	pool  *sql.DB // of one connection
	batch *batch  // under way, or nil; belongs to whoever has the turn

	mu     sync.Mutex
	taken  bool            // somebody has the turn
	queue  []chan struct{} // waiting for it, each with room for one message
	closed bool
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
	done    chan struct{} // closed when err is set
	err     error
}

// join runs fn as the next member of the batch and waits for the commit.
func (w *writer) join(ctx context.Context, db *DB, fn func(*Tx) error) error {
	if err := w.takeTurn(ctx, db); err != nil {
		return err
	}
	b, err := w.member(ctx, db, fn)
	if err != nil {
		return err
	}
	<-b.done
	return b.err
}

func (w *writer) member(ctx context.Context, db *DB, fn func(*Tx) error) (*batch, error) {
	defer w.passTurn(db) // also when fn panics or ends its goroutine
	if w.batch == nil {
		b, err := w.begin(db)
		if err != nil {
			return nil, err
		}
		w.batch = b
	}
	return w.batch, w.batch.run(ctx, db, fn)
}

func (w *writer) begin(db *DB) (*batch, error) {
	b := &batch{ctx: context.Background(), cancel: func() {}, began: time.Now(), done: make(chan struct{})}
	if db.dialect == PostgreSQL {
		b.ctx, b.cancel = context.WithTimeout(b.ctx, maxBatchRun)
	}
	var err error
	if b.sql, err = db.begin(b.ctx, w.pool, nil); err != nil {
		b.cancel()
		return nil, err
	}
	return b, nil
}

// run gives fn a savepoint of its own, so that its failure undoes nothing else.
func (b *batch) run(ctx context.Context, db *DB, fn func(*Tx) error) (err error) {
	tx := &Tx{dialect: db.dialect, sql: b.sql, ctx: ctx, statement: b.ctx}
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

// takeTurn waits until the turn is the caller's.
func (w *writer) takeTurn(ctx context.Context, db *DB) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.mu.Lock()
	switch {
	case w.closed:
		w.mu.Unlock()
		return problem.New(problem.Unavailable, "the store is closed: daytwo is stopping")
	case !w.taken:
		w.taken = true
		w.mu.Unlock()
		return nil
	case len(w.queue) >= maxWaiting:
		w.mu.Unlock()
		return problem.New(problem.Exhausted, "%d writes are waiting for %s already", maxWaiting, db.name).
			WithMend("try again later; if it stays so, the disk is too slow for the load")
	}
	turn := make(chan struct{}, 1)
	w.queue = append(w.queue, turn)
	w.mu.Unlock()

	timeout := time.NewTimer(maxWait)
	defer timeout.Stop()
	var err error
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timeout.C:
		err = problem.New(problem.Unavailable, "another write has kept %s for %s", db.name, maxWait).
			WithMend("try again; if it stays so, restart daytwo and report what its log says")
	}
	if !w.leaveQueue(turn) { // the turn came at the same moment
		w.passTurn(db)
	}
	return err
}

// leaveQueue tells whether turn was still waiting.
func (w *writer) leaveQueue(turn chan struct{}) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.queue, turn)
	if i < 0 {
		return false
	}
	w.queue = slices.Delete(w.queue, i, i+1)
	return true
}

// passTurn hands the open batch to the next in line if it may take more, and
// otherwise commits it first.
func (w *writer) passTurn(db *DB) {
	b := w.batch
	if b != nil && !b.lost && b.members < maxBatch && time.Since(b.began) < maxBatchAge && w.callNext() {
		return
	}
	if b != nil {
		w.batch = nil
		b.finish(db)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken = len(w.queue) > 0
	w.callNextLocked()
}

func (w *writer) callNext() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.callNextLocked()
}

func (w *writer) callNextLocked() bool {
	if len(w.queue) == 0 {
		return false
	}
	w.queue[0] <- struct{}{}
	w.queue = slices.Delete(w.queue, 0, 1)
	return true
}

// finish ends the transaction and answers its members.
func (b *batch) finish(db *DB) {
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
		for _, f := range b.hooks {
			b.call(f, db.log)
		}
	}
}

// call keeps a panic in one hook from the others and from the writer.
func (b *batch) call(f func(), log *slog.Logger) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("panic in a store.OnCommit function", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	f()
}

// shut refuses later writes and waits for those under way.
func (w *writer) shut(db *DB) {
	w.mu.Lock()
	w.closed = true
	if !w.taken {
		w.mu.Unlock()
		return
	}
	turn := make(chan struct{}, 1)
	w.queue = append(w.queue, turn)
	w.mu.Unlock()
	<-turn
	w.passTurn(db)
}
