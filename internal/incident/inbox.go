package incident

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// Event is one thing that an outside system says: that an alert begins, is being looked at, or is over, or that something changed.
type Event struct {
	ID       string    `json:"id"`
	Time     time.Time `json:"time" doc:"when it came in"`
	Key      string    `json:"key,omitempty" doc:"the integration it came in by"`
	Service  string    `json:"service,omitempty"`
	Source   string    `json:"source" doc:"events-v2, events-v1, alertmanager, grafana, webhook, email; rule or heartbeat: an alert of daytwo's own that was dropped"`
	Action   string    `json:"action" enum:"trigger,acknowledge,resolve,change"`
	DedupKey string    `json:"dedupKey,omitempty"`
	Body     EventBody `json:"body"`

	Fresh      bool   `json:"fresh,omitempty" doc:"it was not looked at yet"`
	Outcome    string `json:"outcome,omitempty" doc:"what became of it: opened, joined, updated, suppressed, dropped, acknowledged, resolved, noted, ignored, failed"`
	Reason     string `json:"reason,omitempty"`
	IncidentID string `json:"incidentId,omitempty"`
}

// EventBody is what an event says.
type EventBody struct {
	Title    string    `json:"title,omitempty"`
	Severity string    `json:"severity,omitempty"`
	Time     time.Time `json:"time,omitzero" doc:"when it happened, as the sender has it"`
	Fields   Fields    `json:"fields"`
}

const (
	maxTogetherIn = 200                    // events of one transaction
	takeBudget    = 15 * time.Millisecond  // of one transaction, while senders wait for theirs
	courtesy      = 100 * time.Millisecond // at most between transactions while many events come in
	maxFresh      = 100_000                // events not looked at: more are refused for a while
	keepEvents    = 7 * 24 * time.Hour     // how long events are kept for looking back
	oldDedupKey   = 255                    // bytes: what keys were cut to before; alerts that are open since then have such ones
	keepFailed    = 24 * time.Hour         // how long events that could not be worked out are tried again
	maxFailed     = 100                    // of them, shown
	maxAgain      = 500                    // of them, tried again at once
	maxDedupKey   = 4 * 255                // bytes: 255 characters of any script
)

// inbox is what is known of the events under way in this process. The zero value works.
type inbox struct {
	strict bool // unknown severities are refused
	perKey int  // events a minute; 0: no limit

	mu     sync.Mutex
	counts map[string]*minute
	fresh  int // about how many were not looked at
	bell   chan struct{}
	once   sync.Once
}

// minute counts the events of a key over a rolling minute, in sixty parts.
type minute struct {
	parts [60]int
	last  int64 // second of the newest part
	sum   int
}

// add counts one more at second now, unless that is more than limit.
func (m *minute) add(now int64, limit int) bool {
	for now > m.last {
		if m.last++; now-m.last >= 60 {
			m.last, m.sum, m.parts = now, 0, [60]int{}
		}
		m.sum -= m.parts[m.last%60]
		m.parts[m.last%60] = 0
	}
	if m.sum >= limit {
		return false
	}
	m.parts[m.last%60]++
	m.sum++
	return true
}

// allow tells whether a key may send another event now.
func (b *inbox) allow(key string, now time.Time) bool {
	if b.perKey <= 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.counts == nil || len(b.counts) > 10_000 {
		b.counts = map[string]*minute{}
	}
	m := b.counts[key]
	if m == nil {
		m = &minute{last: now.Unix()}
		b.counts[key] = m
	}
	return m.add(now.Unix(), b.perKey)
}

func (b *inbox) rings() chan struct{} {
	b.once.Do(func() { b.bell = make(chan struct{}, 1) })
	return b.bell
}

func (b *inbox) ring() {
	select {
	case b.rings() <- struct{}{}:
	default:
	}
}

func (b *inbox) add(n int) {
	b.mu.Lock()
	b.fresh = max(b.fresh+n, 0)
	b.mu.Unlock()
}

// behind tells whether events come in faster than they are looked at.
func (b *inbox) behind() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fresh > maxTogetherIn
}

func (b *inbox) full() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fresh >= maxFresh
}

// Accept makes an event durable; what it means is worked out right after. When Accept returns nil, the event is on disk. A key
// that sends too much is refused with problem.Exhausted, an inbox that is full with problem.Unavailable.
func (s *Incidents) Accept(ctx context.Context, e Event) (Event, error) {
	list, err := s.AcceptAll(ctx, []Event{e})
	if err != nil {
		return e, err
	}
	return list[0], nil
}

// AcceptAll is Accept for events that came together: all of them become durable, or none.
func (s *Incidents) AcceptAll(ctx context.Context, list []Event) ([]Event, error) {
	bodies := make([]string, len(list))
	for i := range list {
		e := &list[i]
		if !s.inbox.allow(e.Key, s.now()) {
			s.metrics.events.WithLabelValues(e.Source, "throttled").Inc()
			return nil, problem.New(problem.Exhausted, "this key sent more than %d events in a minute", s.inbox.perKey).
				WithMend("send less, or raise --events-per-key")
		}
		e.ID, e.Time = event.NewID(), s.clock()
		e.Body.Title, e.DedupKey, e.Service = tidy(e.Body.Title, maxSummary), clip(e.DedupKey, maxDedupKey), tidy(e.Service, 200)
		var err error
		if bodies[i], err = e.Body.text(); err != nil {
			return nil, err
		}
	}
	if s.inbox.full() {
		return nil, problem.New(problem.Unavailable, "%d events wait to be looked at", maxFresh).WithMend("send the event again in a moment")
	}
	err := s.write(ctx, func(tx *store.Tx) error {
		for i, e := range list {
			if err := insertEvent(ctx, tx, e, bodies[i]); err != nil {
				return err
			}
		}
		tx.OnCommit(func() {
			s.inbox.add(len(list))
			s.inbox.ring()
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		s.metrics.events.WithLabelValues(e.Source, "accepted").Inc()
	}
	return list, nil
}

// text is a body as it is stored.
func (b EventBody) text() (string, error) {
	raw, err := json.Marshal(b)
	if err != nil {
		return "", problem.New(problem.Invalid, "the event cannot be kept: %w", err)
	}
	return withoutEscapedNUL(string(raw)), nil
}

// insertEvent keeps an event to be looked at.
func insertEvent(ctx context.Context, tx *store.Tx, e Event, body string) error {
	_, err := tx.Exec(ctx, `INSERT INTO inbound_events (id, at, key_id, service, source, action, dedup_key, body, fresh, outcome, reason,
		incident_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, '', '', '')`, e.ID, e.Time, e.Key, e.Service, e.Source, e.Action, e.DedupKey, body)
	if err != nil {
		return fmt.Errorf("keep event: %w", err)
	}
	return nil
}

// withoutEscapedNUL mends JSON text so that what is decoded from it can be stored (see store.Text).
func withoutEscapedNUL(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), `\u0000`, `\ufffd`)
}

// work looks at the events that came in, until ctx ends. It sleeps until one is committed.
func (s *Incidents) work(ctx context.Context) {
	purge := time.NewTicker(time.Hour)
	defer purge.Stop()
	s.reconsider(ctx)
	for failures := 0; ctx.Err() == nil; {
		began := time.Now()
		n, err := s.takeIn(ctx)
		wait := maxIdle
		if n > 0 && s.inbox.behind() { // whoever sends comes first: an event is safe once it is kept
			s.idle(ctx, min(2*time.Since(began), courtesy))
		}
		switch {
		case err != nil && ctx.Err() == nil:
			failures++
			wait = min(time.Second<<min(failures, 5), 30*time.Second)
			s.log.ErrorContext(ctx, "events wait: they cannot be looked at", "err", err, "failures", failures, "wait", wait)
		case n > 0:
			failures = 0
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-s.inbox.rings():
		case <-timer.C:
		case <-purge.C:
			s.forget(ctx)
			s.reconsider(ctx)
		}
		timer.Stop()
	}
}

// failedEvents are those that came in after a time and could not be worked out, newest first.
func failedEvents(ctx context.Context, tx *store.Tx, after time.Time, n int) ([]Event, error) {
	return query(ctx, tx, scanEvent, `SELECT `+eventColumns+` FROM inbound_events e WHERE e.outcome = 'failed' AND e.fresh = 0 AND e.at > ? ORDER BY e.id DESC LIMIT ?`, after, n)
}

// reconsider has events looked at again that could not be worked out: perhaps what was in their way is gone, or this daytwo is a newer
// one. One whose key had a later event that was worked out is left: what it said is no longer so. It is called by whoever works events
// out, so that none is meanwhile.
func (s *Incidents) reconsider(ctx context.Context) {
	var list []Event
	newest := map[[2]string]string{} // id of the latest event that was worked out, by key and dedup key
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		list, err = failedEvents(ctx, tx, s.clock().Add(-keepFailed), maxAgain)
		if err != nil || len(list) == 0 {
			return err
		}
		return overtaken(ctx, tx, list, newest)
	})
	for err == nil && len(list) > 0 {
		done := 0
		err = s.write(ctx, func(tx *store.Tx) error {
			began, again := time.Now(), 0
			for done = 0; done < len(list) && (done == 0 || time.Since(began) < s.budget); done++ {
				e := list[done]
				if e.DedupKey != "" && newest[[2]string{e.Key, e.DedupKey}] > e.ID {
					if err := s.outcome(ctx, tx, e, "ignored", "a later event of its key was worked out before it", ""); err != nil {
						return err
					}
					continue
				}
				if _, err := tx.Exec(ctx, `UPDATE inbound_events SET fresh = 1, outcome = '' WHERE id = ?`, e.ID); err != nil {
					return fmt.Errorf("failed event: %w", err)
				}
				again++
			}
			tx.OnCommit(func() { s.inbox.add(again); s.inbox.ring() })
			return nil
		})
		list = list[done:]
	}
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "events that could not be worked out are tried again in an hour", "err", err)
	}
}

// overtaken notes the latest event that was worked out of each key of the list.
func overtaken(ctx context.Context, tx *store.Tx, list []Event, newest map[[2]string]string) error {
	keys := map[string]bool{}
	var args []any
	for _, e := range list {
		if e.DedupKey != "" && !keys[e.DedupKey] {
			keys[e.DedupKey] = true
			args = append(args, e.DedupKey)
		}
	}
	if len(args) == 0 {
		return nil
	}
	type last struct{ key, dedup, id string }
	found, err := query(ctx, tx, func(row scanner) (l last, err error) { return l, row.Scan(&l.key, &l.dedup, &l.id) },
		`SELECT key_id, dedup_key, MAX(id) FROM inbound_events WHERE id > ? AND fresh = 0 AND outcome <> 'failed'
		AND dedup_key IN (?`+strings.Repeat(`, ?`, len(args)-1)+`) GROUP BY key_id, dedup_key`, append([]any{list[len(list)-1].ID}, args...)...)
	for _, l := range found {
		newest[[2]string{l.key, l.dedup}] = l.id
	}
	return err
}

// idle waits for d, or until ctx ends.
func (s *Incidents) idle(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

const eventColumns = `e.id, e.at, e.key_id, e.service, e.source, e.action, e.dedup_key, e.body, e.fresh, e.outcome, e.reason, e.incident_id`

func scanEvent(row scanner) (e Event, err error) {
	var at int64
	var body string
	err = row.Scan(&e.ID, &at, &e.Key, &e.Service, &e.Source, &e.Action, &e.DedupKey, &body, &e.Fresh, &e.Outcome, &e.Reason, &e.IncidentID)
	if err != nil {
		return e, err
	}
	e.Time = store.FromMicros(at)
	if err := json.Unmarshal([]byte(body), &e.Body); err != nil {
		return e, fmt.Errorf("body of event %s: %w", e.ID, err)
	}
	return e, nil
}

// takeIn looks at the oldest events that came in; n is how many. Each one's effects and its outcome are one transaction, so it
// counts once, also across a crash.
func (s *Incidents) takeIn(ctx context.Context) (n int, err error) {
	var list []Event
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		list, err = query(ctx, tx, scanEvent, `SELECT `+eventColumns+` FROM inbound_events e WHERE e.fresh = 1 ORDER BY e.id LIMIT ?`, maxTogetherIn)
		return err
	})
	if err != nil || len(list) == 0 {
		return 0, err
	}
	err = s.write(ctx, func(tx *store.Tx) error {
		began := time.Now()
		for n = 0; n < len(list) && (n == 0 || time.Since(began) < s.budget); n++ {
			if err := s.takeOne(ctx, tx, list[n]); err != nil {
				return err
			}
		}
		taken := n
		tx.OnCommit(func() { s.inbox.add(-taken) })
		return nil
	})
	if err == nil {
		return n, nil
	}
	for _, e := range list { // one of them is bad: find it, and let the others go on
		if err := s.takeAlone(ctx, e); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}

// takeAlone looks at one event in a transaction of its own. An event that cannot be worked out is a failure of daytwo's: it is kept, marked, and told
// loudly; trouble of the store is returned.
func (s *Incidents) takeAlone(ctx context.Context, e Event) error {
	err := s.write(ctx, func(tx *store.Tx) error {
		tx.OnCommit(func() { s.inbox.add(-1) })
		return s.takeOne(ctx, tx, e)
	})
	if err == nil || problem.CodeOf(err) == problem.Unavailable || ctx.Err() != nil {
		return err
	}
	s.log.ErrorContext(ctx, "an event could not be worked out", "event", e.ID, "source", e.Source, "title", e.Body.Title, "err", err)
	s.metrics.events.WithLabelValues(e.Source, "failed").Inc()
	why := err.Error()
	return s.write(ctx, func(tx *store.Tx) error {
		tx.OnCommit(func() { s.inbox.add(-1) })
		if err := s.timeline.Append(ctx, tx, &timeline.Entry{Kind: timeline.Alert, Action: "failed", Service: e.Service, Actor: self, Tone: timeline.Critical,
			Title: fmt.Sprintf("An event could not be worked out: %s (%s)", clip(e.Body.Title, shownTitle), why)}); err != nil {
			return err
		}
		return s.outcome(ctx, tx, e, "failed", why, "")
	})
}

func (s *Incidents) outcome(ctx context.Context, tx *store.Tx, e Event, outcome, reason, incident string) error {
	_, err := tx.Exec(ctx, `UPDATE inbound_events SET fresh = 0, outcome = ?, reason = ?, incident_id = ? WHERE id = ?`,
		outcome, clip(reason, maxTitle), incident, e.ID)
	if err != nil {
		return fmt.Errorf("outcome of event: %w", err)
	}
	return nil
}

// takeOne works out what an event means.
func (s *Incidents) takeOne(ctx context.Context, tx *store.Tx, e Event) error {
	if e.Action == "change" {
		return s.takeChange(ctx, tx, e)
	}
	if e.Action == "trigger" {
		p, err := s.receive(ctx, tx, e.trigger())
		if err != nil {
			return err
		}
		return s.outcome(ctx, tx, e, p.outcome, p.reason, p.incident.ID)
	}
	open, err := s.openRecord(ctx, tx, e.Key, e.DedupKey)
	if err != nil {
		return err
	}
	if open == nil {
		return s.outcome(ctx, tx, e, "ignored", "no alert with this key is open", "")
	}
	if e.Action == "resolve" {
		before, err := findSeen(ctx, tx, open.ID)
		if err != nil {
			return err
		}
		id := ""
		if before != nil {
			id = before.incident.ID
		}
		if err := s.AlertResolved(ctx, tx, open.ID); err != nil {
			return err
		}
		return s.outcome(ctx, tx, e, "resolved", "", id)
	}
	before, err := findSeen(ctx, tx, open.ID)
	if err != nil {
		return err
	}
	if before == nil || !before.incident.Open() {
		return s.outcome(ctx, tx, e, "ignored", "the alert is part of no open incident", "")
	}
	_, integration, _ := s.catalog.Current().ByKey(e.Key)
	sender := auth.System(cmp.Or(integration.Name, e.Source)).String() // no person: nobody in particular has it
	if err := s.respond(ctx, tx, &before.incident, Acknowledged, sender, "its sender says that somebody looks at it ("+e.Source+")"); err != nil {
		return err
	}
	return s.outcome(ctx, tx, e, "acknowledged", "", before.incident.ID)
}

// takeChange puts what changed on the timeline, where suspects are looked for.
func (s *Incidents) takeChange(ctx context.Context, tx *store.Tx, e Event) error {
	entry := timeline.Entry{Kind: timeline.Change, Action: "event", Service: e.Service, Title: e.Body.Title, Actor: e.Source, Time: s.since(e.Body.Time),
		Data: map[string]string{"event": e.ID, "source": e.Body.Fields.Origin}}
	if entry.Title == "" {
		entry.Title = "Change of " + e.Service
	}
	for i, l := range e.Body.Fields.Links {
		if i < 5 {
			entry.Data[fmt.Sprintf("link%d", i+1)] = clip(l.Href, 2000)
		}
	}
	if err := s.timeline.Append(ctx, tx, &entry); err != nil {
		return err
	}
	return s.outcome(ctx, tx, e, "noted", "", "")
}

// trigger is what an event of a sender means before the rules are asked.
func (e Event) trigger() Trigger {
	return Trigger{Key: e.Key, DedupKey: e.DedupKey, Source: e.Source, Service: e.Service, Title: e.Body.Title, Severity: e.Body.Severity,
		Time: e.Body.Time, Labels: e.Body.Fields.Labels, Fields: e.Body.Fields}
}

// openRecord finds the open alert of a key, nil if there is none.
func (s *Incidents) openRecord(ctx context.Context, tx *store.Tx, key, dedup string) (*Record, error) {
	const open = `r.key_id = ? AND r.dedup_key = ? AND r.status = 'triggered'`
	r, err := findRecord(ctx, tx, open, key, dedup)
	if err != nil || r != nil || len(dedup) <= oldDedupKey {
		return r, err
	}
	return findRecord(ctx, tx, open, key, clip(dedup, oldDedupKey))
}

// forget removes events nobody looks back at any more.
func (s *Incidents) forget(ctx context.Context) {
	err := s.write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM inbound_events WHERE id IN (SELECT id FROM inbound_events WHERE fresh = 0 AND at < ? ORDER BY id LIMIT 20000)`,
			s.clock().Add(-keepEvents))
		return err
	})
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "old events stay", "err", err)
	}
}

// EventFilter selects events.
type EventFilter struct {
	Action, Service, Outcome, Source string
	Before                           string
	Limit                            int
}

// Events lists events as they came in, newest first.
func (s *Incidents) Events(ctx context.Context, f EventFilter) (list []Event, err error) {
	where, args := `1 = 1`, []any{}
	for _, c := range []struct{ column, value string }{{"e.action", f.Action}, {"e.service", f.Service}, {"e.outcome", f.Outcome}, {"e.source", f.Source}} {
		if c.value != "" {
			where, args = where+` AND `+c.column+` = ?`, append(args, c.value)
		}
	}
	if f.Before != "" {
		where, args = where+` AND e.id < ?`, append(args, f.Before)
	}
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		list, err = query(ctx, tx, scanEvent, `SELECT `+eventColumns+` FROM inbound_events e WHERE `+where+` ORDER BY e.id DESC LIMIT ?`, append(args, f.Limit)...)
		return err
	})
	return list, err
}
