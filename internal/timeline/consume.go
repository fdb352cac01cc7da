package timeline

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// Handler does what one entry calls for, through tx alone: tx also moves the
// consumer's cursor, so either both happen or neither does.
type Handler func(ctx context.Context, tx *store.Tx, e Entry) error

// Consume hands every entry that f selects to h, in Seq order and one at a time,
// until ctx ends; then it returns nil. The position is durable under name: after
// a restart or kill -9 it goes on where it was, and the effects of h through its
// tx happen exactly once per entry. A new name starts at the beginning of the
// ledger; bound f.Range to leave out what is old.
//
// When h fails the same entry is tried again with back-off, and later entries
// wait. A problem of code Invalid cannot get better: the entry is logged,
// counted and passed over.
func (t *Timeline) Consume(ctx context.Context, name string, f Filter, h Handler) error {
	c := &consumer{t: t, name: name, handle: h, position: t.metrics.consumer(name)}
	defer t.failing.ended(name)
	for failures := 0; ctx.Err() == nil; {
		err := c.work(ctx, f, func() {
			if failures > 0 {
				failures = 0
				t.failing.ended(name)
			}
		})
		if err == nil || ctx.Err() != nil {
			continue
		}
		failures++
		wait := backoff(failures)
		t.failing.began(name, err)
		t.metrics.failures.WithLabelValues(name).Inc()
		t.log.Error("timeline consumer failed, trying again", "consumer", name, "error", err, "failures", failures, "wait", wait)
		pause(ctx, wait)
	}
	return nil
}

// errMoved says that somebody else consumes under the same name.
var errMoved = errors.New("the cursor was moved by somebody else")

type consumer struct {
	t        *Timeline
	name     string
	handle   Handler
	position *atomic.Int64 // for the lag: also moves over entries that do not match
	cursor   int64         // as stored: the last entry handled or skipped
}

// work loads the cursor and handles entries until something fails. It calls
// progress after each entry, and whenever there is none to handle.
func (c *consumer) work(ctx context.Context, f Filter, progress func()) error {
	if err := c.load(ctx); err != nil {
		return fmt.Errorf("load cursor: %w", err)
	}
	ahead := &follower{t: c.t, filter: f, after: c.cursor, idle: func(after int64) {
		c.position.Store(after)
		progress()
	}}
	for {
		entries, err := ahead.next(ctx)
		if err != nil {
			return fmt.Errorf("read entries: %w", err)
		}
		for _, e := range entries {
			c.position.Store(e.Seq - 1)
			switch err := c.one(ctx, e); {
			case errors.Is(err, errMoved):
				return nil
			case err != nil:
				return fmt.Errorf("entry %d: %w", e.Seq, err)
			}
			progress()
		}
	}
}

// load reads the cursor, creating it for a new name.
func (c *consumer) load(ctx context.Context) error {
	return c.t.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO timeline_consumers (name, seq) VALUES (?, 0) ON CONFLICT (name) DO NOTHING`, c.name)
		if err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT seq FROM timeline_consumers WHERE name = ?`, c.name).Scan(&c.cursor)
	})
}

// one handles e and moves the cursor to it, in one transaction.
func (c *consumer) one(ctx context.Context, e Entry) error {
	err := c.t.db.Write(ctx, func(tx *store.Tx) error {
		if err := c.move(ctx, tx, e.Seq); err != nil {
			return err
		}
		return c.guarded(tx, e)
	})
	if problem.CodeOf(err) == problem.Invalid {
		c.t.metrics.skipped.WithLabelValues(c.name).Inc()
		c.t.log.Error("timeline consumer skips an entry it cannot handle", "consumer", c.name, "seq", e.Seq, "error", err)
		err = c.t.db.Write(ctx, func(tx *store.Tx) error { return c.move(ctx, tx, e.Seq) })
	} else if err == nil {
		c.t.metrics.handled.WithLabelValues(c.name).Inc()
	}
	if err == nil {
		c.cursor = e.Seq
	}
	return err
}

// move sets the cursor from where this consumer believes it is to seq.
func (c *consumer) move(ctx context.Context, tx *store.Tx, seq int64) error {
	done, err := tx.Exec(ctx, `UPDATE timeline_consumers SET seq = ? WHERE name = ? AND seq = ?`, seq, c.name, c.cursor)
	if err != nil {
		return fmt.Errorf("move cursor: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(errMoved, err)
	}
	return nil
}

// guarded turns a panic of the handler into an error: one bad rule must not take
// the others down.
func (c *consumer) guarded(tx *store.Tx, e Entry) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.t.log.Error("timeline consumer panicked", "consumer", c.name, "seq", e.Seq, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return c.handle(tx.Context(), tx, e)
}
