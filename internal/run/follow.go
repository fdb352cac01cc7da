package run

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/store"
)

// Update is one thing a follower of a run learns: a line or the run's new state.
type Update struct {
	Line *Line `json:"line,omitempty"`
	Run  *Run  `json:"run,omitempty"`
}

// Follow sends the state of a run and its log after the Seq given, then every
// change and line as it is stored, each line once and in order. It returns nil
// when the run is final and all is sent (the last update is the final state), or
// the error of send, or when ctx ends. A slow send slows nobody else down.
func (e *Engine) Follow(ctx context.Context, id string, after int64, send func(Update) error) error {
	const batch = 500
	e.bells.listen(id)
	defer e.bells.leave(id)
	var known int64 // revision sent
	for {
		changed := e.bells.next(id)
		v, err := e.look(ctx, id, known, after, batch)
		if err != nil {
			return fmt.Errorf("follow run: %w", err)
		}
		drained := len(v.lines) < batch
		if v.run != nil && !v.run.Status.Final() {
			if err := send(Update{Run: v.run}); err != nil {
				return err
			}
			known = v.revision
		}
		for i := range v.lines {
			if err := send(Update{Line: &v.lines[i]}); err != nil {
				return err
			}
			after = v.lines[i].Seq
		}
		switch {
		case !drained:
			continue
		case v.run != nil && v.run.Status.Final():
			return send(Update{Run: v.run})
		}
		select {
		case <-changed:
		case <-time.After(5 * time.Second): // a commit may be durable and yet reported as failed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Wait returns the run when it is final.
func (e *Engine) Wait(ctx context.Context, id string) (Run, error) {
	e.bells.listen(id)
	defer e.bells.leave(id)
	for {
		changed := e.bells.next(id)
		r, err := e.Get(ctx, id)
		if err != nil || r.Status.Final() {
			return r, err
		}
		select {
		case <-changed:
		case <-time.After(5 * time.Second):
		case <-ctx.Done():
			return Run{}, ctx.Err()
		}
	}
}

// view is one moment of a run.
type view struct {
	revision int64
	run      *Run // nil if it is the one known
	lines    []Line
}

func (e *Engine) look(ctx context.Context, id string, known, after int64, limit int) (v view, err error) {
	err = e.db.Read(ctx, func(tx *store.Tx) error {
		r, err := readHeader(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `SELECT revision FROM runs WHERE id = ?`, r.ID).Scan(&v.revision); err != nil {
			return err
		}
		if v.revision != known {
			if r, err = readRun(ctx, tx, id); err != nil {
				return err
			}
			v.run = &r
		}
		v.lines, err = readLines(ctx, tx, id, after, limit)
		return err
	})
	return v, err
}

// bells wake the followers of a run.
type bells struct {
	mu   sync.Mutex
	byID map[string]*bell
}

type bell struct {
	rung      chan struct{} // closed and replaced by each ring
	listeners int
}

func (b *bells) listen(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byID == nil {
		b.byID = map[string]*bell{}
	}
	if b.byID[id] == nil {
		b.byID[id] = &bell{rung: make(chan struct{})}
	}
	b.byID[id].listeners++
}

func (b *bells) leave(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byID[id].listeners--; b.byID[id].listeners == 0 {
		delete(b.byID, id)
	}
}

// next, for a listener, is closed by the next ring.
func (b *bells) next(id string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.byID[id].rung
}

func (b *bells) ring(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if heard := b.byID[id]; heard != nil {
		close(heard.rung)
		heard.rung = make(chan struct{})
	}
}
