package run

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

const (
	maxName  = 200     // bytes of service, actor, exclusive
	maxTitle = 500     // bytes
	maxInput = 1 << 20 // bytes of Input as JSON
)

// Spec is what to run.
type Spec struct {
	Kind      string
	Title     string
	Service   string // it concerns; may be empty
	Actor     string // who wants it
	Input     any    // as JSON for Task.Input; kept in the clear, so no secrets
	Exclusive string // runs with the same key never overlap, and go in order; may be empty
	Timeout   time.Duration
}

// Start queues a run inside tx; when tx is durable, so is the run, and the
// engine takes it up. With a nil tx Start makes its own transaction.
func (e *Engine) Start(ctx context.Context, tx *store.Tx, s Spec) (r Run, err error) {
	input, err := e.check(&s)
	if err != nil {
		return Run{}, err
	}
	if tx != nil {
		return e.enqueue(ctx, tx, s, input)
	}
	err = e.db.Write(ctx, func(tx *store.Tx) error {
		r, err = e.enqueue(ctx, tx, s, input)
		return err
	})
	return r, err
}

func (e *Engine) check(s *Spec) (input []byte, err error) {
	if _, known := e.kinds[s.Kind]; !known {
		return nil, problem.New(problem.Invalid, "there is no kind of run %q", s.Kind).WithField("kind")
	}
	if s.Title = strings.TrimSpace(store.Text(s.Title)); s.Title == "" {
		return nil, problem.New(problem.Invalid, "a run needs a title").WithField("title")
	}
	s.Title = cut(s.Title, maxTitle)
	for field, value := range map[string]*string{"service": &s.Service, "actor": &s.Actor, "exclusive": &s.Exclusive} {
		if *value = store.Text(*value); len(*value) > maxName {
			return nil, problem.New(problem.TooLarge, "the %s of a run has %d bytes, more than %d", field, len(*value), maxName).WithField(field)
		}
	}
	if input, err = json.Marshal(s.Input); err != nil {
		return nil, fmt.Errorf("input of run: %w", err)
	}
	if len(input) > maxInput {
		return nil, problem.New(problem.TooLarge, "the input of a run has %d bytes, more than %d", len(input), maxInput).WithField("input")
	}
	return input, nil
}

func (e *Engine) enqueue(ctx context.Context, tx *store.Tx, s Spec, input []byte) (Run, error) {
	waiting, err := countQueued(ctx, tx)
	if err != nil {
		return Run{}, fmt.Errorf("start run: %w", err)
	}
	if waiting >= e.queue {
		return Run{}, problem.New(problem.Exhausted, "%d runs are waiting already", waiting).
			WithMend("wait until some have finished, or cancel some")
	}
	r := Run{ID: event.NewID(), Kind: s.Kind, Title: s.Title, Service: s.Service, Actor: s.Actor, Exclusive: s.Exclusive,
		Status: Queued, QueuedAt: now(), Steps: []Step{}}
	_, err = tx.Exec(ctx, `INSERT INTO runs (id, kind, title, service, actor, exclusive, status, error, canceled_by, input,
		output, timeout, queued_at, started_at, finished_at, crashes, revision) VALUES (?, ?, ?, ?, ?, ?, ?, '', '', ?, '', ?, ?, 0, 0, 0, 1)`,
		r.ID, r.Kind, r.Title, r.Service, r.Actor, r.Exclusive, string(r.Status), string(input), int64(s.Timeout), r.QueuedAt)
	if err != nil {
		return Run{}, fmt.Errorf("start run: %w", err)
	}
	tx.OnCommit(e.nudge)
	return r, nil
}

// Cancel asks for the end of a run on behalf of actor. A queued run ends at
// once; a running one gets its context cancelled and its commands ended, and is
// final a little later. The wish survives a crash.
func (e *Engine) Cancel(ctx context.Context, id, actor string) error {
	if actor = cut(store.Text(actor), maxName); actor == "" {
		actor = "somebody"
	}
	err := e.db.Write(ctx, func(tx *store.Tx) error {
		r, err := readHeader(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case r.Status.Final():
			return problem.New(problem.Conflict, "the run has %s already", map[Status]string{Succeeded: "succeeded",
				Failed: "failed", Canceled: "been canceled", Interrupted: "been interrupted"}[r.Status])
		case r.CanceledBy != "":
			return nil
		}
		_, err = tx.Exec(ctx, `UPDATE runs SET canceled_by = ?, revision = revision + 1 WHERE id = ?`, actor, id)
		if err != nil {
			return err
		}
		if r.Status == Queued {
			return e.end(ctx, tx, r, verdict{Canceled, canceled{actor}.Error()}, nil)
		}
		tx.OnCommit(func() { e.cancelActive(id, canceled{actor}) })
		return nil
	})
	if err != nil {
		return fmt.Errorf("cancel run: %w", err)
	}
	e.bells.ring(id)
	return nil
}

func (e *Engine) cancelActive(id string, cause error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if x := e.active[id]; x != nil {
		x.cancel(cause)
	}
}
