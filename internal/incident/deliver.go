package incident

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// errTaken says that the incident was acknowledged or resolved before the message went out.
var errTaken = errors.New("the incident was taken before the message went out")

// deliver makes one attempt and records how it went. sending ends when daytwo stops and the grace is over.
func (s *Incidents) deliver(sending context.Context, a attempt) {
	ctx, cancel := context.WithTimeout(sending, sendLimit)
	defer cancel()
	// Enter first, look second: whoever acknowledges commits first and stops the sends under way second. So either we see it, or
	// it sees us.
	defer s.underway.enter(a.incident, cancel)()
	err := s.send(ctx, a)
	recording, cancel := context.WithTimeout(context.WithoutCancel(sending), lease-sendLimit)
	defer cancel()
	record := func(tx *store.Tx) error { return s.record(recording, tx, a, err, sending.Err() != nil) }
	if failed := s.db.Write(recording, record); failed != nil {
		s.log.ErrorContext(ctx, "how a page went could not be stored; it is sent again when its lease ends", "page", a.ID, "err", failed)
	}
}

func (s *Incidents) send(ctx context.Context, a attempt) error {
	var i *Incident
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		i, err = findIncident(ctx, tx, `i.id = ?`, a.incident)
		return err
	})
	switch {
	case err != nil:
		return err
	case i == nil || !i.wants(a.Kind):
		return errTaken
	}
	return s.sender.Send(ctx, notify.Address{Channel: a.Channel, To: a.to}, s.compose(ctx, *i, a))
}

// wants tells whether a page of a kind is still called for.
func (i Incident) wants(kind string) bool {
	switch kind {
	case "":
		return i.Status == Triggered
	case "responder":
		return i.Open()
	}
	return true // an update is news also after the end
}

// record stores the outcome of an attempt, unless its lease ended meanwhile and another attempt is under way.
func (s *Incidents) record(ctx context.Context, tx *store.Tx, a attempt, failed error, stopping bool) error {
	i, err := findIncident(ctx, tx, `i.id = ?`, a.incident)
	if err != nil || i == nil {
		return err
	}
	now := s.clock()
	status, wakeAt, reason := outcome(*i, a, failed, stopping, now)
	text := ""
	if failed != nil {
		text = clip(failed.Error(), maxTitle)
	}
	done, err := tx.Exec(ctx, `UPDATE pages SET status = ?, at = ?, wake_at = ?, error = ? WHERE id = ? AND status = 'sending' AND attempts = ?`,
		status, now, wakeAt, text, a.ID, a.Attempts)
	if err != nil {
		return fmt.Errorf("record page: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return err
	}
	if err := s.notePage(ctx, tx, a.ID); err != nil {
		return err
	}
	switch status {
	case "sent":
		return s.recordSent(ctx, tx, *i, a, now)
	case "exhausted":
		return s.recordExhausted(ctx, tx, *i, a, reason+": "+text)
	}
	return nil
}

// outcome is the status of a page after an attempt, and when to look at it again.
func outcome(i Incident, a attempt, failed error, stopping bool, now time.Time) (status string, wakeAt time.Time, reason string) {
	switch {
	case failed == nil:
		return "sent", time.Time{}, ""
	case !i.wants(a.Kind):
		return "canceled", time.Time{}, ""
	case stopping:
		return "retry", now, "" // after the next start, at once
	}
	again, after, reason := decideFailed(a.Attempts, notify.Permanent(failed))
	if again {
		return "retry", now.Add(after), reason
	}
	return "exhausted", time.Time{}, reason
}

func (s *Incidents) recordSent(ctx context.Context, tx *store.Tx, i Incident, a attempt, now time.Time) error {
	tx.OnCommit(func() {
		s.metrics.pages.WithLabelValues(a.Channel, "sent").Inc()
		s.metrics.delay.Observe(now.Sub(a.created).Seconds())
	})
	text := fmt.Sprintf("Paged %s by %s (%s)", a.Person, a.Channel, notify.Address{Channel: a.Channel, To: a.to})
	if err := s.writeLog(ctx, tx, i.ID, "paged", self, text); err != nil {
		return err
	}
	return s.tell(ctx, tx, i, timeline.Entry{Kind: timeline.Page, Action: "sent", Actor: self,
		Title: fmt.Sprintf("Paged %s by %s for #%d", a.Person, a.Channel, i.Number), Data: a.data()})
}

// recordExhausted gives a page up. When that was the last hope of its step, the next step comes at once; when there is no next
// step and nobody was reached at all, that is said loudly.
func (s *Incidents) recordExhausted(ctx context.Context, tx *store.Tx, i Incident, a attempt, why string) error {
	tx.OnCommit(func() { s.metrics.pages.WithLabelValues(a.Channel, "exhausted").Inc() })
	text := fmt.Sprintf("%s cannot be reached by %s (%s): %s", a.Person, a.Channel, notify.Address{Channel: a.Channel, To: a.to}, why)
	if err := s.writeLog(ctx, tx, i.ID, "failed", self, text); err != nil {
		return err
	}
	err := s.tell(ctx, tx, i, timeline.Entry{Kind: timeline.Page, Action: "failed", Actor: self, Tone: timeline.Warning,
		Title: fmt.Sprintf("Incident #%d: %s", i.Number, text), Data: a.data()})
	if err != nil {
		return err
	}
	if a.Kind != "" {
		return nil // the escalation does not depend on it
	}
	where, args := `kind = '' AND step = ? AND status <> 'exhausted'`, []any{a.step}
	if i.nextAt.IsZero() {
		where, args = `kind = '' AND status <> 'exhausted'`, nil
	}
	hopes, err := countPages(ctx, tx, i.ID, where, args...)
	switch {
	case err != nil || hopes > 0:
		return err
	case i.nextAt.IsZero():
		if err := s.unreachable(ctx, tx, &i, "every attempt failed and nobody is left to page"); err != nil {
			return err
		}
		return s.saveIncident(ctx, tx, &i)
	case i.stepNumber(i.step) == a.step+1:
		i.nextAt = s.clock()
		return s.saveIncident(ctx, tx, &i)
	}
	return nil
}

func (a attempt) data() map[string]string {
	return map[string]string{"page": a.ID, "person": a.Person, "channel": a.Channel}
}

// underway knows the sends on the wire, by incident. The zero value works.
type underway struct {
	mu    sync.Mutex
	sends map[string]map[*context.CancelFunc]struct{}
}

// enter makes a send known; the returned function takes it out again.
func (u *underway) enter(incident string, cancel context.CancelFunc) (leave func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sends == nil {
		u.sends = map[string]map[*context.CancelFunc]struct{}{}
	}
	if u.sends[incident] == nil {
		u.sends[incident] = map[*context.CancelFunc]struct{}{}
	}
	u.sends[incident][&cancel] = struct{}{}
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		if delete(u.sends[incident], &cancel); len(u.sends[incident]) == 0 {
			delete(u.sends, incident)
		}
	}
}

// stop breaks off every send for an incident.
func (u *underway) stop(incident string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for cancel := range u.sends[incident] {
		(*cancel)()
	}
}
