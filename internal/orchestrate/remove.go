package orchestrate

import (
	"context"
	"fmt"
	"slices"

	"github.com/daytwo-dev/daytwo/internal/run"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// Remove wishes inside tx that a workload be stopped, and queues the run that
// waits for that and then forgets it: its revisions and its port. What is on its
// way is given up. Its files stay: its log, and what its process has written to
// its working directory.
func (o *Orchestrator) Remove(ctx context.Context, tx *store.Tx, name, actor string) (run.Run, error) {
	w, err := readRow(ctx, tx, name)
	if err != nil {
		return run.Run{}, err
	}
	if err := o.supersede(ctx, tx, w, "the workload is removed, on behalf of "+actor); err != nil {
		return run.Run{}, err
	}
	j := job{Workload: name, Revision: w.current, Action: remove}
	w.current, w.synced = 0, ""
	if err := o.wish(ctx, tx, &w, 0); err != nil {
		return run.Run{}, err
	}
	return o.runs.Start(ctx, tx, run.Spec{
		Kind: "deploy", Title: "Remove " + name, Service: w.service, Actor: actor, Input: j, Exclusive: "workload/" + name,
	})
}

// remove executes the run. A manifest applied after Remove is deployed when the
// run has ended, so it keeps the workload.
func (o *Orchestrator) remove(ctx context.Context, t *run.Task, j job) error {
	err := t.Step(ctx, "stop the process", func(ctx context.Context, _ *run.Task) error {
		var w row
		err := o.db.Read(ctx, func(tx *store.Tx) (err error) {
			w, err = readRow(ctx, tx, j.Workload)
			return err
		})
		if isMissing(err) {
			return nil // two removed it at once
		}
		if err != nil {
			return err
		}
		return o.await(ctx, j.Workload, func(seen observed) (bool, error) { return seen.generation >= w.generation, nil })
	})
	if err != nil {
		return err
	}
	return t.Commit(ctx, "forget it", func(ctx context.Context, tx *store.Tx) error {
		err := o.forget(ctx, tx, j, t.Run())
		if isMissing(err) {
			return nil
		}
		return err
	})
}

func (o *Orchestrator) forget(ctx context.Context, tx *store.Tx, j job, by run.Run) error {
	w, err := readRow(ctx, tx, j.Workload)
	if err != nil {
		return err
	}
	e := &timeline.Entry{
		Kind: timeline.Change, Action: remove, Service: w.service, Actor: by.Actor, Ref: "workload/" + w.name, Tone: timeline.Info,
		Title: w.name + " removed", Data: map[string]string{"workload": w.name, "run": by.ID},
	}
	if j.Revision > 0 {
		r, err := readRevision(ctx, tx, w.name, j.Revision)
		if err != nil {
			return err
		}
		e.Data["version"], e.Data["revision"] = r.Version, fmt.Sprint(r.Revision)
		e.Title = fmt.Sprintf("%s removed (was %s)", w.name, r.title())
	}
	if err := o.timeline.Append(ctx, tx, e); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM orchestrate_revisions WHERE workload = ? AND state <> ?`, w.name, pending); err != nil {
		return fmt.Errorf("remove revisions of %s: %w", w.name, err)
	}
	coming, err := readRevisions(ctx, tx, w.name, "")
	if err != nil || len(coming) > 0 {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM orchestrate_workloads WHERE name = ?`, w.name); err != nil {
		return fmt.Errorf("remove workload %s: %w", w.name, err)
	}
	tx.OnCommit(o.nudge)
	return o.releasePort(ctx, tx, w.name)
}

// releasePort forgets a port, unless a workload refers to it.
func (o *Orchestrator) releasePort(ctx context.Context, tx *store.Tx, name string) error {
	rows, err := readRows(ctx, tx, `WHERE desired_revision > 0`)
	if err != nil {
		return err
	}
	for _, w := range rows {
		m, err := o.manifest(ctx, tx, w)
		if err != nil {
			return err
		}
		if slices.Contains(m.references(), name) {
			return nil
		}
	}
	if _, err := tx.Exec(ctx, `DELETE FROM orchestrate_ports WHERE name = ?`, name); err != nil {
		return fmt.Errorf("release port of %s: %w", name, err)
	}
	return nil
}
