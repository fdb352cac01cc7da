package run

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/store"
)

const maxReason = 4 << 10 // bytes of why something failed

// execution is a run while it executes.
type execution struct {
	e       *Engine
	run     Run
	kind    Kind
	input   []byte
	timeout time.Duration

	ctx    context.Context // ends with canceled or errStopping as its cause
	cancel context.CancelCauseFunc
	mask   *mask
	log    *runLog
	groups sync.WaitGroup // process groups that are being ended

	writing sync.Mutex // held while lines are on their way to the store, to keep their order
	mu      sync.Mutex
	steps   map[string]*stepRecord // by path, also those of earlier processes
	began   int                    // steps so far
}

// claim takes the oldest queued run whose Exclusive key is free and makes it
// running. It returns nil without an error when there is none.
func (e *Engine) claim(ctx context.Context) (x *execution, err error) {
	err = e.db.Write(ctx, func(tx *store.Tx) error {
		x = nil
		var id string
		err := tx.QueryRow(ctx, `SELECT id FROM runs WHERE status = ? AND (exclusive = '' OR exclusive NOT IN
			(SELECT exclusive FROM runs WHERE status = ?)) ORDER BY id LIMIT 1`, string(Queued), string(Running)).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		claimed, err := e.take(ctx, tx, id)
		if err != nil {
			return fmt.Errorf("run %s: %w", id, err)
		}
		x = claimed
		tx.OnCommit(func() { // before any Cancel that sees it running
			e.mu.Lock()
			e.active[id] = claimed
			e.mu.Unlock()
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if x != nil {
		e.bells.ring(x.run.ID)
	}
	return x, nil
}

// take loads a queued run as it was left and makes it running.
func (e *Engine) take(ctx context.Context, tx *store.Tx, id string) (*execution, error) {
	r, err := readHeader(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	x := &execution{e: e, kind: e.kinds[r.Kind], mask: &mask{}, steps: map[string]*stepRecord{}}
	var input string
	err = tx.QueryRow(ctx, `SELECT input, timeout FROM runs WHERE id = ?`, id).Scan(&input, (*int64)(&x.timeout))
	if err != nil {
		return nil, err
	}
	x.input = []byte(input)
	if x.timeout <= 0 {
		x.timeout = x.kind.Timeout
	}
	steps, err := readSteps(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	for _, s := range steps {
		x.steps[s.Path] = s
		x.began = s.position
	}
	seq, bytes, err := logEnd(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	x.log = newRunLog(x.mask, e.logLimit, seq, bytes)

	action := "resumed"
	if r.StartedAt.IsZero() {
		action, r.StartedAt = "started", now()
	}
	r.Status = Running
	x.run = r
	_, err = tx.Exec(ctx, `UPDATE runs SET status = ?, started_at = ?, revision = revision + 1 WHERE id = ?`, string(Running), r.StartedAt, id)
	if err != nil {
		return nil, err
	}
	x.ctx, x.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	return x, e.timeline.Append(ctx, tx, entryFor(r, action, r.Title))
}

// execute runs the run to its end, or until ctx ends.
func (x *execution) execute(ctx context.Context) {
	x.e.metrics.active.Inc()
	defer x.e.metrics.active.Dec()
	defer context.AfterFunc(ctx, func() { x.cancel(errStopping) })()
	defer x.cancel(nil)

	ended := make(chan struct{})
	var flusher sync.WaitGroup
	flusher.Go(func() { x.flush(ended) })
	defer flusher.Wait()
	defer close(ended)

	work, cancel := withTimeout(x.ctx, x.timeout)
	defer cancel()
	task := &Task{x: x}
	err := guarded(x.e.log, x.run.ID, func() error { return x.kind.Run(work, task) })
	task.close()
	v := judge(err, context.Cause(work))
	cancel()
	x.groups.Wait()
	x.finish(ctx, v, task.ownOutput())
	x.log.close()

	x.e.mu.Lock()
	delete(x.e.active, x.run.ID)
	x.e.mu.Unlock()
}

// finish stores the end. Should the store fail, it tries again: giving up would
// leave the run running for ever, or until the next start once daytwo stops.
func (x *execution) finish(ctx context.Context, v verdict, output map[string]string) {
	v.reason = x.presentable(v.reason)
	requeue := v.status == Interrupted && x.kind.Resumable
	omitted, lost := x.log.missing()
	x.e.metrics.lostLines.Add(float64(lost))
	if omitted > 0 {
		x.log.say("", Sys, fmt.Sprintf("%d lines are left out of this log, which has reached its limit", omitted))
	}
	switch {
	case requeue:
		x.log.say("", Sys, "daytwo stops; this goes on when it is back")
	case v.reason != "":
		x.log.say("", Sys, string(v.status)+": "+v.reason)
	default:
		x.log.say("", Sys, string(v.status))
	}
	for n := 1; ; n++ {
		err := x.write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
			if requeue {
				return x.e.requeue(tx.Context(), tx, x.run.ID)
			}
			return x.e.end(tx.Context(), tx, x.run, v, output)
		})
		if err == nil {
			return
		}
		x.e.log.Error("the end of a run cannot be stored, trying again", "run", x.run.ID, "status", v.status, "error", err)
		if ctx.Err() != nil && n >= 3 {
			return // the next start settles it
		}
		select {
		case <-time.After(doubling(100*time.Millisecond, n, 10*time.Second)):
		case <-ctx.Done():
		}
	}
}

// write stores the lines logged so far and what fn does, in one transaction, and
// tells the followers.
func (x *execution) write(ctx context.Context, fn func(tx *store.Tx) error) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	lines := x.log.take()
	err := x.e.db.Write(ctx, func(tx *store.Tx) error {
		if err := insertLines(ctx, tx, x.run.ID, lines); err != nil || fn == nil {
			return err
		}
		return guarded(x.e.log, x.run.ID, func() error { return fn(tx) })
	})
	if err != nil {
		x.log.putBack(lines)
		return err
	}
	x.e.bells.ring(x.run.ID)
	return nil
}

// flush stores what is logged, a little after it was logged, until ended.
func (x *execution) flush(ended <-chan struct{}) {
	const little = 100 * time.Millisecond
	wait := little
	for {
		select {
		case <-x.log.waiting:
		case <-ended:
			return
		}
		select {
		case <-x.log.full:
		case <-time.After(wait):
		case <-ended:
			return
		}
		wait = little
		if err := x.write(context.WithoutCancel(x.ctx), nil); err != nil {
			wait = time.Second
			x.e.log.Error("the log of a run cannot be stored, trying again", "run", x.run.ID, "error", err)
		}
	}
}

// presentable makes the text of an error fit to be stored and shown.
func (x *execution) presentable(reason string) string {
	return cut(store.Text(x.mask.apply(reason)), maxReason)
}

// guarded turns a panic into an error: one bad kind must not take daytwo down.
func guarded(log *slog.Logger, id string, fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("a run panicked", "run", id, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return fn()
}

// withTimeout bounds ctx by d, 0 for no bound, with timedOut as the cause.
func withTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, d, timedOut{d})
}

// doubling is how long to wait after the nth failure, n from 1: first, then
// twice as long each time, up to longest.
func doubling(first time.Duration, n int, longest time.Duration) time.Duration {
	d := first
	for ; n > 1 && d < longest; n-- {
		d *= 2
	}
	return min(d, max(first, longest))
}
