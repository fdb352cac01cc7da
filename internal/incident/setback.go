package incident

import (
	"context"
	"fmt"
	"time"

	"github.com/daytwo-dev/daytwo/internal/store"
)

// setBackSlack is how far the clock may be corrected backwards before what waits is corrected too.
const setBackSlack = 2 * time.Second

// watch compares the clock with the process's own time. The zero value begins at the first look.
type watch struct {
	wall time.Time // without the process's own time
	own  time.Time
}

// setBack is by how much the clock was set back since the last look; zero if it was not. A clock that was set forward, or a machine
// that slept, needs no correction: what is due by then is late already.
func (w *watch) setBack(wall, own time.Time) time.Duration {
	before := *w
	w.wall, w.own = wall, own
	if before.own.IsZero() {
		return 0
	}
	if by := own.Sub(before.own) - wall.Sub(before.wall); by > setBackSlack {
		return by
	}
	return 0
}

// followClock brings forward what waits for some time to pass when the clock was set back: nobody who waits for an answer, or for a
// page, waits longer for it. What waits for a time of day (a snooze, the end of a maintenance) keeps it.
func (s *Incidents) followClock(ctx context.Context) error {
	seen := s.watch
	by := seen.setBack(s.clock(), time.Now())
	if by == 0 {
		s.watch = seen
		return nil
	}
	s.log.WarnContext(ctx, "the clock was set back; what waits keeps its time", "by", by)
	return s.db.Write(ctx, func(tx *store.Tx) error {
		tx.OnCommit(func() { s.watch = seen })
		if _, err := tx.Exec(ctx, `UPDATE pages SET wake_at = wake_at - ? WHERE wake_at > 0`, by.Microseconds()); err != nil {
			return fmt.Errorf("follow the clock: %w", err)
		}
		if err := s.fact(ctx, tx, "", factSetBack, pagesChange{At: store.Micros(s.clock()), Earlier: by.Microseconds()}); err != nil {
			return err
		}
		list, err := query(ctx, tx, func(row scanner) (Incident, error) { return scanIncident(row) }, `SELECT `+incidentColumns+`
			FROM incidents i WHERE i.next_at > 0 AND i.snoozed_until = 0 OR i.resolve_at > 0`)
		if err != nil {
			return err
		}
		for _, i := range list {
			if !i.nextAt.IsZero() && i.SnoozedUntil == nil {
				i.nextAt = i.nextAt.Add(-by)
			}
			if !i.resolveAt.IsZero() {
				i.resolveAt = i.resolveAt.Add(-by)
			}
			if err := s.saveIncident(ctx, tx, &i); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `UPDATE heartbeats SET due_at = due_at - ? WHERE due_at > 0`, by.Microseconds())
		return err
	})
}
