package run

import (
	"context"
	"fmt"
	"time"

	"github.com/daytwo-dev/daytwo/internal/store"
)

const (
	trimEvery = time.Hour
	trimChunk = 20 // runs whose logs one transaction drops
)

// trim drops the logs of runs that ended longer than LogAge ago until ctx ends.
// The runs, their steps and results stay.
func (e *Engine) trim(ctx context.Context) {
	for {
		for more := true; more; {
			n, err := e.dropLogs(ctx, now().Add(-e.logAge))
			if err != nil {
				if ctx.Err() == nil {
					e.log.ErrorContext(ctx, "old logs of runs stay for another hour", "error", err)
				}
				break
			}
			more = n == trimChunk
		}
		select {
		case <-time.After(trimEvery):
		case <-ctx.Done():
			return
		}
	}
}

// dropLogs replaces the logs of at most trimChunk runs that ended before a time
// by one line that says so, and tells how many they were.
func (e *Engine) dropLogs(ctx context.Context, before time.Time) (n int, err error) {
	err = e.db.Write(ctx, func(tx *store.Tx) error {
		old, err := readRuns(ctx, tx, `finished_at > 0 AND finished_at < ? AND status NOT IN (?, ?)
			AND EXISTS (SELECT 1 FROM run_lines WHERE run_id = runs.id AND seq > 1) ORDER BY id LIMIT ?`,
			before, string(Queued), string(Running), trimChunk)
		if err != nil {
			return err
		}
		for _, r := range old {
			if _, err := tx.Exec(ctx, `DELETE FROM run_lines WHERE run_id = ?`, r.ID); err != nil {
				return err
			}
			told := Line{Seq: 1, Time: r.FinishedAt, Stream: Sys, Text: fmt.Sprintf("the log was dropped: it is older than %d days", int(e.logAge.Hours()/24))}
			if err := insertLines(ctx, tx, r.ID, []Line{told}); err != nil {
				return err
			}
		}
		n = len(old)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("drop old logs of runs: %w", err)
	}
	return n, nil
}
