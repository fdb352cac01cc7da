package orchestrate

import (
	"context"
	"errors"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// supersede gives up every revision that is on its way, so that nobody waits
// for one that is not wanted any more. Its run ends as soon as recall has seen
// it; its process, if it has one, stays until what comes next takes its place.
func (o *Orchestrator) supersede(ctx context.Context, tx *store.Tx, w row, why string) error {
	coming, err := readRevisions(ctx, tx, w.name, `AND state = ?`, pending)
	if err != nil {
		return err
	}
	for _, r := range coming {
		r.State, r.Fault = failed, why
		if err := r.save(ctx, tx, w.name); err != nil {
			return err
		}
		if err := o.timeline.Append(ctx, tx, failure(w, r, Revision{})); err != nil {
			return err
		}
	}
	return nil
}

var errGivenUp = errors.New("given up")

// givenUp is why the run of a revision has nothing more to do.
func (r Revision) givenUp() error {
	fault := r.Fault
	if r.State != failed {
		fault = "something else is wanted"
	}
	return problem.New(problem.Conflict, "%s was %w: %s", r.title(), errGivenUp, fault)
}

// rollout is a run on its way to a revision.
type rollout struct {
	job
	end context.CancelCauseFunc
}

// enlist makes a rollout known to recall until leave is called.
func (o *Orchestrator) enlist(ctx context.Context, j job) (context.Context, func()) {
	ctx, end := context.WithCancelCause(ctx)
	r := &rollout{j, end}
	o.mu.Lock()
	o.rollouts[r] = true
	o.mu.Unlock()
	return ctx, func() {
		o.mu.Lock()
		delete(o.rollouts, r)
		o.mu.Unlock()
		end(nil)
	}
}

// recall ends the rollouts of revisions that were given up. A restart is given
// up for any deploy.
func (o *Orchestrator) recall(ctx context.Context) error {
	o.mu.Lock()
	all := make([]*rollout, 0, len(o.rollouts))
	for r := range o.rollouts {
		all = append(all, r)
	}
	o.mu.Unlock()
	if len(all) == 0 {
		return nil
	}
	return o.db.Read(ctx, func(tx *store.Tx) error {
		for _, out := range all {
			r, err := readRevision(ctx, tx, out.Workload, out.Revision)
			if err != nil {
				return err
			}
			given := r.State == failed
			if out.Action == restart {
				w, err := readRow(ctx, tx, out.Workload)
				if err != nil {
					return err
				}
				coming, err := readRevisions(ctx, tx, out.Workload, `AND state = ?`, pending)
				if err != nil {
					return err
				}
				given = w.desired != r.Revision || len(coming) > 0
			}
			if given {
				out.end(r.givenUp())
			}
		}
		return nil
	})
}
