package incident

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// errTaken says that the incident was acknowledged or resolved before the message went out.
var errTaken = errors.New("the incident was taken before the message went out")

// deliver makes one attempt, records how it went for each page of the message, and tells whether it arrived. sending ends when daytwo
// stops and the grace is over.
func (s *Incidents) deliver(sending context.Context, a attempt) (arrived bool) {
	ctx, cancel := context.WithTimeout(sending, sendLimit)
	defer cancel()
	// Enter first, look second: whoever acknowledges commits first and stops the sends under way second. So either we see it, or
	// it sees us.
	defer s.underway.enter(a, cancel)()
	wanted, err := s.wanted(ctx, a)
	if err == nil {
		err = s.sender.Send(ctx, notify.Address{Channel: a.Channel, To: a.to}, s.compose(ctx, a, wanted))
	}
	// Broken off because daytwo stops, or because the incidents were taken.
	again := sending.Err() != nil || errors.Is(ctx.Err(), context.Canceled)
	works, began := s.working.note(a, err, again, s.clock())
	recording, cancel := context.WithTimeout(context.WithoutCancel(sending), lease-sendLimit)
	defer cancel()
	failed := s.write(recording, func(tx *store.Tx) error {
		now := s.clock() // the same for all, so that they are tried again together
		for _, p := range a.all() {
			result := err
			if _, ok := wanted[p.ID]; err == nil && !ok {
				result = errTaken
			}
			if err := s.record(recording, tx, p, len(wanted), result, again, works, began, now); err != nil {
				return err
			}
		}
		return nil
	})
	if failed != nil {
		s.log.ErrorContext(ctx, "how a page went could not be stored; it is sent again when its lease ends", "page", a.ID, "err", failed)
	}
	return err == nil
}

// wanted are the incidents, by page, that the message of a is still called for; errTaken if there is none.
func (s *Incidents) wanted(ctx context.Context, a attempt) (map[string]Incident, error) {
	list := map[string]Incident{}
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		for _, p := range a.all() {
			i, err := findIncident(ctx, tx, `i.id = ?`, p.incident)
			if err != nil {
				return err
			}
			if i != nil && i.wants(p.Kind) {
				list[p.ID] = *i
			}
		}
		return nil
	})
	if err == nil && len(list) == 0 {
		err = errTaken
	}
	return list, err
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

// record stores the outcome of an attempt, unless its lease ended meanwhile and another attempt is under way, or the provider's
// receipt came first. together is how many pages the message carried, works since when the channel works, began that it does since this
// attempt.
func (s *Incidents) record(ctx context.Context, tx *store.Tx, a attempt, together int, failed error, again bool, works time.Time, began bool, now time.Time) error {
	i, err := findIncident(ctx, tx, `i.id = ?`, a.incident)
	if err != nil || i == nil {
		return err
	}
	status, wakeAt, reason := outcome(*i, a, failed, again, now)
	text := ""
	if failed != nil && !again && !errors.Is(failed, errTaken) { // what was broken off from here did not fail
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
		if err := s.recordSent(ctx, tx, *i, a, together, now); err != nil || a.Attempts == 1 && !began {
			return err
		}
		return s.recovered(ctx, tx, a, works, now)
	case "exhausted":
		return s.recordExhausted(ctx, tx, *i, a, reason+": "+text, wakeAt, a.Attempts > maxAttempts)
	}
	return nil
}

// outcome is the status of a page after an attempt, and when to look at it again. again says that the attempt was broken off from
// here, which says nothing about the address.
func outcome(i Incident, a attempt, failed error, again bool, now time.Time) (status string, wakeAt time.Time, reason string) {
	switch {
	case failed == nil:
		return "sent", time.Time{}, ""
	case !i.wants(a.Kind):
		return "canceled", time.Time{}, ""
	case again && a.Attempts > maxAttempts:
		return "exhausted", now, ""
	case again:
		return "retry", now, "" // at once, or after the next start
	}
	f := decideFailed(a.Attempts, now.Sub(a.created), notify.Permanent(failed))
	if !f.exhausted {
		return "retry", now.Add(f.after), f.reason
	}
	if f.after > 0 && i.Open() { // the news of what is over is stale
		wakeAt = now.Add(f.after)
	}
	return "exhausted", wakeAt, f.reason
}

// recovered tries at once what waits for a channel that failed and works again, also what was given up meanwhile, so that it drains by
// what matters and not by how long each page happened to wait. What failed after the channel began to work waits: it is not the channel that is broken.
func (s *Incidents) recovered(ctx context.Context, tx *store.Tx, a attempt, works, now time.Time) error {
	c := pagesChange{At: store.Micros(now), Channel: a.Channel, Address: a.server(), Before: store.Micros(works)}
	done, err := tx.Exec(ctx, `UPDATE pages SET wake_at = ? WHERE status IN ('retry', 'exhausted') AND wake_at > 0 AND wake_at > ? AND at < ? AND channel = ? AND (? = '' OR address = ?)`,
		now, now, works, c.Channel, c.Address, c.Address)
	if err != nil {
		return fmt.Errorf("pages of a channel that works again: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	tx.OnCommit(s.ring)
	return s.fact(ctx, tx, "", factRecovered, c)
}

// server is the address of a where every address is another's server; empty where a channel has one for all.
func (a attempt) server() string {
	if strings.Contains(a.to, "://") {
		return a.to
	}
	return ""
}

// working knows since when channels work. The zero value works.
type working struct {
	mu    sync.Mutex
	since map[[2]string]time.Time // by channel and server
}

// note tells since when the channel of a works, after an attempt, and whether this is the attempt that shows it. It stops to work when a
// first attempt fails: that a retry fails again says more of its address.
func (w *working) note(a attempt, failed error, again bool, now time.Time) (since time.Time, began bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.since == nil {
		w.since = map[[2]string]time.Time{}
	}
	key := [2]string{a.Channel, a.server()}
	since, known := w.since[key]
	switch {
	case failed != nil && a.Attempts == 1 && !again && !errors.Is(failed, errTaken):
		delete(w.since, key)
	case failed == nil && (!known || since.After(now)):
		w.since[key] = now
		return now, true
	}
	return since, false
}

// recordSent tells that a channel took a page.
func (s *Incidents) recordSent(ctx context.Context, tx *store.Tx, i Incident, a attempt, together int, now time.Time) error {
	tx.OnCommit(func() {
		s.metrics.pages.WithLabelValues(a.Channel, "sent").Inc()
		s.metrics.delay.Observe(now.Sub(a.created).Seconds())
		if together > 1 {
			s.metrics.bundled.WithLabelValues(a.Channel).Inc()
		}
	})
	text, data := fmt.Sprintf("Paged %s by %s (%s)", a.Person, a.Channel, notify.Address{Channel: a.Channel, To: a.to}), a.data()
	if together > 1 {
		text += fmt.Sprintf(", in one message with %s of other incidents", plural(together-1, "page"))
		data["message"] = a.message()
	}
	if err := s.writeLog(ctx, tx, i.ID, "paged", self, text); err != nil {
		return err
	}
	if a.Kind == "" && i.Unreached != "" && i.Status == Triggered { // at last
		if i.Unreached = ""; i.step >= len(i.escalation.steps()) {
			i.nextAt = time.Time{}
		}
		if err := s.saveIncident(ctx, tx, &i); err != nil {
			return err
		}
	}
	return s.tell(ctx, tx, i, timeline.Entry{Kind: timeline.Page, Action: "sent", Actor: self,
		Title: fmt.Sprintf("Paged %s by %s for #%d", a.Person, a.Channel, i.Number), Data: data})
}

// recordExhausted gives a page up; again is when it is tried nevertheless, zero: never; late says that it was given up before. When that was the last hope of its step, the next
// step comes at once; when there is no next step and nobody was reached at all, that is said loudly.
func (s *Incidents) recordExhausted(ctx context.Context, tx *store.Tx, i Incident, a attempt, why string, again time.Time, late bool) error {
	if late && !again.IsZero() {
		return nil
	}
	if !again.IsZero() {
		why += "; it is tried now and then, and as soon as the channel works"
	}
	if !late {
		tx.OnCommit(func() { s.metrics.pages.WithLabelValues(a.Channel, "exhausted").Inc() })
	}
	text := fmt.Sprintf("%s cannot be reached by %s (%s): %s", a.Person, a.Channel, notify.Address{Channel: a.Channel, To: a.to}, why)
	if err := s.writeLog(ctx, tx, i.ID, "failed", self, text); err != nil {
		return err
	}
	err := s.tell(ctx, tx, i, timeline.Entry{Kind: timeline.Page, Action: "failed", Actor: self, Tone: timeline.Warning,
		Title: fmt.Sprintf("Incident #%d: %s", i.Number, text), Data: a.data()})
	if err != nil {
		return err
	}
	if a.Kind != "" || late {
		return nil // the escalation does not depend on it
	}
	if err := s.nextChannel(ctx, tx, a); err != nil {
		return err
	}
	where, step := hopeful+` AND step = ?`, a.step
	if i.nextAt.IsZero() {
		where, step = hopeful+` AND step >= ?`, i.stepNumber(0)
	}
	hopes, err := countPages(ctx, tx, i.ID, where, step)
	switch {
	case err != nil || hopes > 0:
		return err
	case i.nextAt.IsZero():
		if err := s.unreachable(ctx, tx, &i, "every attempt failed and nobody is left to page"); err != nil {
			return err
		}
		return s.saveIncident(ctx, tx, &i)
	case i.step < len(i.escalation.steps()) && i.stepNumber(i.step) == a.step+1:
		i.nextAt = s.clock()
		return s.saveIncident(ctx, tx, &i)
	}
	return nil
}

// nextChannel pages the person of a by what their rules have next, at once: the time between was for a page that reached nobody.
func (s *Incidents) nextChannel(ctx context.Context, tx *store.Tx, a attempt) error {
	var next string
	err := tx.QueryRow(ctx, `SELECT id FROM pages WHERE incident_id = ? AND step = ? AND person = ? AND kind = '' AND status = 'due' AND wake_at > ?
		ORDER BY wake_at, id LIMIT 1`, a.incident, a.step, a.Person, s.clock()).Scan(&next)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("next channel: %w", err)
	}
	if _, err := tx.Exec(ctx, `UPDATE pages SET wake_at = ? WHERE id = ?`, s.clock(), next); err != nil {
		return fmt.Errorf("next channel: %w", err)
	}
	tx.OnCommit(s.ring)
	return s.notePage(ctx, tx, next)
}

func (a attempt) data() map[string]string {
	return map[string]string{"page": a.ID, "person": a.Person, "channel": a.Channel}
}

// underway knows the sends on the wire, by incident. The zero value works.
type underway struct {
	mu    sync.Mutex
	sends map[string]map[*send]struct{}
}

// send is a message on the wire.
type send struct {
	cancel context.CancelFunc
	left   map[string]struct{} // incidents it tells of that nobody took
}

// enter makes the send of a message known; the returned function takes it out again.
func (u *underway) enter(a attempt, cancel context.CancelFunc) (leave func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.sends == nil {
		u.sends = map[string]map[*send]struct{}{}
	}
	this := &send{cancel: cancel, left: map[string]struct{}{}}
	for _, p := range a.all() {
		if u.sends[p.incident] == nil {
			u.sends[p.incident] = map[*send]struct{}{}
		}
		u.sends[p.incident][this], this.left[p.incident] = struct{}{}, struct{}{}
	}
	return func() { u.leave(a, this) }
}

func (u *underway) leave(a attempt, this *send) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, p := range a.all() {
		if delete(u.sends[p.incident], this); len(u.sends[p.incident]) == 0 {
			delete(u.sends, p.incident)
		}
	}
}

// stop breaks off every send for an incident that tells of no other: one of several goes on until the last of them is taken.
func (u *underway) stop(incident string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for this := range u.sends[incident] {
		if delete(this.left, incident); len(this.left) == 0 {
			this.cancel()
		}
	}
}
