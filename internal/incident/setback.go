package incident

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/store"
)

// setBackSlack is how far the clock may be corrected backwards before what waits is corrected too.
const setBackSlack = 2 * time.Second

// watch compares the clock with the process's own time. The zero value begins at the first look.
type watch struct {
	mu        sync.Mutex
	wall      time.Time // without the process's own time
	own       time.Time
	behind    time.Duration // by how much the clock was set back, and nothing followed it yet
	since     time.Time     // when that was noticed
	following sync.Mutex
}

// look tells by how much the clock was set back, and when that was noticed by the clock as it is now. A clock that was set forward, or
// a machine that slept, needs no correction: what is due by then is late already.
func (w *watch) look(clock func() time.Time) (behind time.Duration, since time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	wall, own := clock(), time.Now()
	if by := own.Sub(w.own) - wall.Sub(w.wall); !w.own.IsZero() && by > setBackSlack {
		w.behind, w.since = w.behind+by, wall
	}
	w.wall, w.own = wall, own
	return w.behind, w.since
}

func (w *watch) followed(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.behind -= by
}

// write is db.Write after what is stored has followed the clock: so a row written by the new clock is not taken for an older one.
func (s *Incidents) write(ctx context.Context, fn func(tx *store.Tx) error) error {
	if err := s.followClock(ctx); err != nil {
		return err
	}
	return s.db.Write(ctx, fn)
}

// followClock brings forward what waits for some time to pass when the clock was set back: nobody who waits for an answer, or for a
// page, waits longer for it. What waits for a time of day (a snooze, the end of a maintenance) keeps it, and so does what was opened
// after the change, as part of another's write.
func (s *Incidents) followClock(ctx context.Context) error {
	if by, _ := s.watch.look(s.clock); by == 0 {
		return nil
	}
	s.watch.following.Lock()
	defer s.watch.following.Unlock()
	by, since := s.watch.look(s.clock)
	if by == 0 {
		return nil // another write was first
	}
	s.log.WarnContext(ctx, "the clock was set back; what waits keeps its time", "by", by)
	err := s.db.Write(ctx, func(tx *store.Tx) error { return s.bringForward(ctx, tx, by, since) })
	if err == nil {
		s.watch.followed(by)
	}
	return err
}

// bringForward makes everything that waits due earlier, except for what was opened since.
func (s *Incidents) bringForward(ctx context.Context, tx *store.Tx, by time.Duration, since time.Time) error {
	now := s.clock()
	_, err := tx.Exec(ctx, `UPDATE pages SET wake_at = wake_at - ? WHERE wake_at > 0 AND (created_at < ? OR created_at > ?)`, by.Microseconds(), since, now)
	if err != nil {
		return fmt.Errorf("follow the clock: %w", err)
	}
	err = s.fact(ctx, tx, "", factSetBack, pagesChange{At: store.Micros(now), Earlier: by.Microseconds(), Since: store.Micros(since)})
	if err != nil {
		return err
	}
	list, err := query(ctx, tx, func(row scanner) (Incident, error) { return scanIncident(row) }, `SELECT `+incidentColumns+`
		FROM incidents i WHERE (i.next_at > 0 AND i.snoozed_until = 0 OR i.resolve_at > 0) AND (i.opened_at < ? OR i.opened_at > ?)`, since, now)
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
}
