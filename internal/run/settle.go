package run

import (
	"context"
	"fmt"

	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// settle decides about every run that a process before this one left running,
// and ends queued ones whose kind nobody knows any more.
func (e *Engine) settle(ctx context.Context) error {
	return e.db.Write(ctx, func(tx *store.Tx) error {
		left, err := readRuns(ctx, tx, "status = ? OR status = ? ORDER BY id", string(Running), string(Queued))
		if err != nil {
			return err
		}
		for _, r := range left {
			if err := e.settleOne(ctx, tx, r); err != nil {
				return fmt.Errorf("run %s: %w", r.ID, err)
			}
		}
		return nil
	})
}

func (e *Engine) settleOne(ctx context.Context, tx *store.Tx, r Run) error {
	kind, known := e.kinds[r.Kind]
	if r.Status == Queued {
		if known {
			return nil
		}
		return e.end(ctx, tx, r, verdict{Interrupted, fmt.Sprintf("this daytwo does not know the kind %q", r.Kind)}, nil)
	}
	var crashes int
	if err := tx.QueryRow(ctx, `SELECT crashes FROM runs WHERE id = ?`, r.ID).Scan(&crashes); err != nil {
		return err
	}
	v := afterCrash(known, kind.Resumable, r.CanceledBy, crashes)
	seq, _, err := logEnd(ctx, tx, r.ID)
	if err != nil {
		return err
	}
	if err := insertLines(ctx, tx, r.ID, []Line{{Seq: seq + 1, Time: now(), Stream: Sys, Text: v.reason}}); err != nil {
		return err
	}
	if v.status != Queued {
		return e.end(ctx, tx, r, v, r.Output)
	}
	_, err = tx.Exec(ctx, `UPDATE runs SET crashes = crashes + 1 WHERE id = ?`, r.ID)
	if err != nil {
		return err
	}
	return e.requeue(ctx, tx, r.ID)
}

// requeue puts a running run back into the queue, where its age puts it first.
func (e *Engine) requeue(ctx context.Context, tx *store.Tx, id string) error {
	_, err := tx.Exec(ctx, `UPDATE runs SET status = ?, revision = revision + 1 WHERE id = ?`, string(Queued), id)
	if err != nil {
		return err
	}
	return stopSteps(ctx, tx, id, verdict{Interrupted, errStopping.Error()})
}

// stopSteps ends the steps that are running as v says.
func stopSteps(ctx context.Context, tx *store.Tx, id string, v verdict) error {
	_, err := tx.Exec(ctx, `UPDATE run_steps SET status = ?, error = ?, finished_at = ? WHERE run_id = ? AND status = ?`,
		string(v.status), v.reason, now(), id, string(Running))
	return err
}

// end makes a run final and says so on the timeline.
func (e *Engine) end(ctx context.Context, tx *store.Tx, r Run, v verdict, output map[string]string) error {
	encoded, err := encodeOutput(output)
	if err != nil {
		return err
	}
	finished := now()
	_, err = tx.Exec(ctx, `UPDATE runs SET status = ?, error = ?, output = ?, finished_at = ?, revision = revision + 1 WHERE id = ?`,
		string(v.status), v.reason, encoded, finished, r.ID)
	if err != nil {
		return err
	}
	if err := stopSteps(ctx, tx, r.ID, v); err != nil {
		return err
	}
	entry := entryFor(r, "finished", r.Title+": "+string(v.status))
	entry.Time = finished
	entry.Data["status"] = string(v.status)
	switch v.status {
	case Succeeded:
		entry.Tone = timeline.Good
	case Failed:
		entry.Tone = timeline.Critical
	default:
		entry.Tone = timeline.Warning
	}
	if v.reason != "" {
		entry.Data["error"] = v.reason
	}
	if err := e.timeline.Append(ctx, tx, entry); err != nil {
		return err
	}
	tx.OnCommit(func() { e.metrics.finished(r, v.status, finished) })
	return nil
}

func entryFor(r Run, action, title string) *timeline.Entry {
	return &timeline.Entry{Kind: timeline.Run, Action: action, Service: r.Service, Title: title, Actor: r.Actor,
		Ref: "run/" + r.ID, Data: map[string]string{"kind": r.Kind}}
}
