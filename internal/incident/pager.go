package incident

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

const (
	maxSending  = 32               // pages on the wire at once
	maxTogether = 4                // of them to one address: a receiver that hangs does not keep the others waiting
	maxSteps    = 64               // escalation steps of one transaction
	crowd       = 200              // pages due at once that are many
	sendLimit   = 20 * time.Second // of one attempt
	lease       = 30 * time.Second // longer than an attempt: after it the attempt is taken for lost and made again
	stopGrace   = 3 * time.Second  // for attempts under way when Run ends
	maxIdle     = time.Hour        // between looks at the store when nothing is due: bounds what a wrong clock can do
)

// Run pages people until ctx ends; then it returns nil. It sleeps until the next thing is due or something is committed: there is
// no cycle. After a crash it goes on from the store, and sends again what was being sent, under the same ids.
func (s *Incidents) Run(ctx context.Context) error {
	s.reclaim(ctx)
	var helpers sync.WaitGroup
	defer helpers.Wait()
	helpers.Go(func() { s.work(ctx) })
	helpers.Go(func() { s.audit(ctx) })
	sending, breakOff := context.WithCancel(context.WithoutCancel(ctx))
	defer breakOff()
	var sends sync.WaitGroup
	var wire wire
	for failures := 0; ctx.Err() == nil; {
		pages, wait, err := s.advance(ctx, wire.room())
		failures++
		switch {
		case err != nil && ctx.Err() == nil:
			wait = min(time.Second<<min(failures, 5), 30*time.Second)
			s.log.ErrorContext(ctx, "the pager cannot work, trying again", "err", err, "failures", failures, "wait", wait)
		case err == nil:
			failures = 0
		}
		for _, p := range pages {
			wire.enter(p)
			sends.Go(func() {
				defer s.ring()
				wire.leave(p, s.deliver(sending, p))
			})
		}
		s.pause(ctx, wait)
	}
	grace := time.AfterFunc(stopGrace, breakOff)
	defer grace.Stop()
	sends.Wait()
	return nil
}

// reclaim ends the leases of a process that died, so that its pages go out again at once. The store is ours alone while it is open,
// so whoever held a lease is gone.
func (s *Incidents) reclaim(ctx context.Context) {
	err := s.write(ctx, func(tx *store.Tx) error {
		now := s.clock()
		if err := s.resumeUnreached(ctx, tx, now); err != nil {
			return err
		}
		done, err := tx.Exec(ctx, `UPDATE pages SET wake_at = ? WHERE status = 'sending'`, now)
		if err != nil {
			return err
		}
		if n, _ := done.RowsAffected(); n == 0 {
			return nil
		}
		return s.fact(ctx, tx, "", factReclaimed, pagesChange{At: store.Micros(now)})
	})
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "pages under way before the start are sent again only when their leases end", "err", err)
	}
}

// resumeUnreached has what was left alone with nobody reached, as it was before escalations started over, page again.
func (s *Incidents) resumeUnreached(ctx context.Context, tx *store.Tx, now time.Time) error {
	list, err := query(ctx, tx, func(row scanner) (Incident, error) { return scanIncident(row) }, `SELECT `+incidentColumns+`
		FROM incidents i WHERE i.status = 'triggered' AND i.unreached <> '' AND i.next_at = 0`)
	if err != nil {
		return err
	}
	for _, i := range list {
		i.nextAt = now
		if err := s.saveIncident(ctx, tx, &i); err != nil {
			return err
		}
	}
	return nil
}

// ring tells Run to look at the store. It never blocks.
func (s *Incidents) ring() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// pause returns at a ring, when d has passed, or when ctx ends.
func (s *Incidents) pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.wake:
	case <-timer.C:
	}
}

// advance takes the steps that are due and leases the pages that are due, as many as there is room for. It says how long to wait until
// something else is due: not at all after it did something.
func (s *Incidents) advance(ctx context.Context, room room) (pages []attempt, wait time.Duration, err error) {
	if err := s.followClock(ctx); err != nil {
		return nil, 0, err
	}
	if room.free == 0 {
		return nil, maxIdle, nil // a page that ends rings
	}
	elsewhere, busy := room.elsewhere()
	var due int64
	var ready []attempt
	crowded := false
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(ctx, `SELECT COALESCE(MIN(due), 0) FROM (
			SELECT MIN(next_at) AS due FROM incidents WHERE next_at > 0
			UNION ALL SELECT MIN(resolve_at) AS due FROM incidents WHERE resolve_at > 0
			UNION ALL SELECT MIN(ends_at) AS due FROM alert_records WHERE ends_at > 0
			UNION ALL SELECT MIN(due_at) AS due FROM heartbeats WHERE due_at > 0
			UNION ALL SELECT (SELECT p.wake_at FROM pages p WHERE p.wake_at > 0`+elsewhere+` ORDER BY p.wake_at LIMIT 1) AS due) AS soonest`, busy...).Scan(&due)
		if err != nil || due == 0 || store.FromMicros(due).After(s.clock()) {
			return err
		}
		var waiting int
		err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM pages WHERE wake_at > 0 AND wake_at <= ? LIMIT ?) AS waiting`, s.clock(), crowd).Scan(&waiting)
		if crowded = waiting >= crowd; err != nil || !crowded {
			return err
		}
		ready, err = s.ready(ctx, tx, s.clock(), room) // sorting so many is no work for the one writer
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("look for what is due: %w", err)
	}
	now := s.clock()
	wait = maxIdle
	if after, ok := room.release(time.Now()); ok {
		wait = after
	}
	if due == 0 {
		return nil, wait, nil
	}
	if until := store.FromMicros(due).Sub(now); until > 0 {
		return nil, min(until, wait), nil
	}
	err = s.write(ctx, func(tx *store.Tx) (err error) {
		if err := s.endSuppressions(ctx, tx, now); err != nil {
			return err
		}
		if err := s.resolveOverdue(ctx, tx, now); err != nil {
			return err
		}
		if err := s.missHeartbeats(ctx, tx, now); err != nil {
			return err
		}
		if err := s.takeSteps(ctx, tx, now); err != nil {
			return err
		}
		list := ready
		if !crowded {
			if list, err = s.ready(ctx, tx, now, room); err != nil {
				return err
			}
		}
		pages, err = s.lease(ctx, tx, list, now, room)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("page people: %w", err)
	}
	return pages, 0, nil
}

func (s *Incidents) takeSteps(ctx context.Context, tx *store.Tx, now time.Time) error {
	list, err := query(ctx, tx, func(row scanner) (Incident, error) { return scanIncident(row) }, `SELECT `+incidentColumns+`
		FROM incidents i WHERE i.next_at > 0 AND i.next_at <= ? ORDER BY `+worstFirst+` LIMIT ?`, now, maxSteps)
	if err != nil {
		return err
	}
	began := time.Now()
	for n, i := range list {
		if n > 0 && time.Since(began) > s.budget { // the rest right after, so that others get their turn at the store
			return nil
		}
		if err := s.takeStep(ctx, tx, i, now); err != nil {
			return err
		}
	}
	return nil
}

// takeStep pages the people of the next step and schedules the one after it: at once if this one reaches nobody.
func (s *Incidents) takeStep(ctx context.Context, tx *store.Tx, i Incident, now time.Time) error {
	if again, why := decideRearm(i, now); again {
		return s.rearm(ctx, tx, &i, self, why)
	}
	steps := i.escalation.steps()
	i.nextAt = time.Time{}
	if i.Status == Triggered && i.step >= len(steps) && i.Unreached != "" {
		return s.startOver(ctx, tx, &i)
	}
	if i.Status != Triggered || i.step >= len(steps) {
		return s.saveIncident(ctx, tx, &i)
	}
	this, err := s.whoseTurn(ctx, tx, steps[i.step], now)
	if err != nil {
		return err
	}
	people := this.reachable()
	for _, p := range people {
		if err := s.addPages(ctx, tx, i, i.step, this.level, p, now); err != nil {
			return err
		}
	}
	if i.step++; i.step < len(steps) {
		i.nextAt = now
		if len(people) > 0 {
			i.nextAt = now.Add(steps[i.step].wait)
		}
	}
	if len(people) > 0 {
		i.Board.Assigned = nil
		for _, p := range people {
			i.Board.Assigned = append(i.Board.Assigned, p.Name)
		}
	}
	if err := s.explainStep(ctx, tx, &i, this); err != nil {
		return err
	}
	return s.saveIncident(ctx, tx, &i)
}

// startOver begins the escalation of an incident anew of which nobody could be told, with the policy and the addresses as they are now:
// perhaps somebody mended them. It counts as unreached until somebody is.
func (s *Incidents) startOver(ctx context.Context, tx *store.Tx, i *Incident) error {
	if e := i.escalation.renewed(s.catalog.Current(), i.Service); !e.same(i.escalation) {
		if err := s.saveEscalation(ctx, tx, i, e); err != nil {
			return err
		}
	}
	if err := s.cancelPages(ctx, tx, i.ID, false); err != nil {
		return err
	}
	i.cycle++
	i.step, i.nextAt = 0, s.clock()
	if err := s.saveIncident(ctx, tx, i); err != nil {
		return err
	}
	return s.writeLog(ctx, tx, i.ID, "retried", self, "Paging starts over: nobody could be reached")
}

// stepsPerCycle is more steps than an escalation has: a page's step number tells the cycle and the step in it.
const stepsPerCycle = 1000

// stepNumber is the number of a step over all cycles of an incident.
func (i Incident) stepNumber(step int) int { return i.cycle*stepsPerCycle + step }

func (s *Incidents) addPages(ctx context.Context, tx *store.Tx, i Incident, step, level int, p Contact, now time.Time) error {
	for _, a := range p.reach(i.Urgency) {
		if err := s.supersede(ctx, tx, i.ID, p.Name, a.Address); err != nil {
			return err
		}
		err := s.addPage(ctx, tx, PageState{Incident: i.ID, Step: i.stepNumber(step), Level: level, Person: p.Name, Channel: a.Channel, Address: a.To,
			WakeAt: store.Micros(now.Add(a.After))}, now)
		if err != nil {
			return err
		}
	}
	return nil
}

// supersede ends the slow attempts of pages that were given up, as the same person is paged at the same address again.
func (s *Incidents) supersede(ctx context.Context, tx *store.Tx, incident, person string, to notify.Address) error {
	list, err := query(ctx, tx, func(row scanner) (id string, err error) { return id, row.Scan(&id) }, `SELECT id FROM pages
		WHERE incident_id = ? AND kind = '' AND person = ? AND channel = ? AND address = ? AND status = 'exhausted' AND wake_at > 0`,
		incident, person, to.Channel, to.To)
	if err != nil {
		return err
	}
	for _, id := range list {
		if _, err := tx.Exec(ctx, `UPDATE pages SET wake_at = 0 WHERE id = ?`, id); err != nil {
			return fmt.Errorf("supersede page: %w", err)
		}
		if err := s.notePage(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

// addPage stores a page that is due at WakeAt, unless there is one to that address of that step.
func (s *Incidents) addPage(ctx context.Context, tx *store.Tx, p PageState, now time.Time) error {
	p.ID, p.Status, p.CreatedAt, p.At = event.NewID(), "due", store.Micros(now), store.Micros(now)
	done, err := tx.Exec(ctx, `INSERT INTO pages (id, incident_id, kind, step, level, person, channel, address, status, created_at, at, wake_at, text)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'due', ?, ?, ?, ?) ON CONFLICT (incident_id, step, person, channel, address) DO NOTHING`,
		p.ID, p.Incident, p.Kind, p.Step, p.Level, p.Person, p.Channel, p.Address, p.CreatedAt, p.At, p.WakeAt, p.Text)
	if err != nil {
		return fmt.Errorf("page %s: %w", p.Person, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return s.fact(ctx, tx, p.Incident, factPage, p)
}

// explainStep writes down what a step did, and says it loudly when nobody can be reached. i.step is already the one after it.
func (s *Incidents) explainStep(ctx context.Context, tx *store.Tx, i *Incident, this step) error {
	reachable := len(this.reachable()) > 0
	switch {
	case this.level > 0 && reachable:
		text := fmt.Sprintf("Next: %s", this)
		if len(this.passed) > 0 {
			text += "; passed over: " + strings.Join(this.passed, "; ")
		}
		return s.writeLog(ctx, tx, i.ID, "escalated", self, text)
	case this.level > 0:
		return s.writeLog(ctx, tx, i.ID, "skipped", self, fmt.Sprintf("Level %d is skipped: %s", this.level, this.unreachable()))
	}
	reached, err := countPages(ctx, tx, i.ID, hopeful+` AND level > 0 AND step >= ?`, i.stepNumber(0))
	if err != nil {
		return err
	}
	why := "everybody was paged and nobody acknowledged"
	switch {
	case i.escalation.Missing != "":
		why = i.escalation.Missing
	case reached == 0:
		why = "nobody of the policy could be reached"
	}
	switch {
	case reachable:
		return s.alarm(ctx, tx, *i, "unanswered", fmt.Sprintf("%s: paging the last resort, %s", why, names(this.people)))
	case reached > 0:
		return s.alarm(ctx, tx, *i, "unanswered", why+"; there is no last resort")
	}
	return s.unreachable(ctx, tx, i, why+"; there is no last resort (add last_resort to "+catalog.FileName+")")
}

// unreachable says that nobody knows of the incident, and has the escalation start over in a while. The caller saves i.
func (s *Incidents) unreachable(ctx context.Context, tx *store.Tx, i *Incident, why string) error {
	if i.Unreached == "" {
		tx.OnCommit(s.metrics.unreachable.Inc)
	}
	now := s.clock()
	i.Unreached, i.nextAt = why, now.Add(decideStartOver(now.Sub(i.OpenedAt)))
	return s.alarm(ctx, tx, *i, "unreachable", "Nobody reachable: "+why)
}

// alarm makes it hard to overlook that paging does not work out.
func (s *Incidents) alarm(ctx context.Context, tx *store.Tx, i Incident, action, text string) error {
	if err := s.writeLog(ctx, tx, i.ID, action, self, text); err != nil {
		return err
	}
	tx.OnCommit(func() {
		s.log.Error("paging does not work out", "incident", i.Number, "service", i.Service, "why", text)
	})
	return s.tell(ctx, tx, i, timeline.Entry{Kind: timeline.Page, Action: action, Actor: self, Tone: timeline.Critical,
		Title: fmt.Sprintf("Incident #%d: %s", i.Number, text)})
}

// hopeful are pages of an escalation that reached somebody, or soon may.
var hopeful = fmt.Sprintf(`kind = '' AND (status IN ('due', 'retry', 'sent', 'delivered') OR status = 'sending' AND attempts <= %d)`, maxAttempts)

func countPages(ctx context.Context, tx *store.Tx, id, where string, args ...any) (n int, err error) {
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM pages WHERE incident_id = ? AND `+where, append([]any{id}, args...)...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count pages: %w", err)
	}
	return n, nil
}

// attempt is a page leased to this process, with those that go out in the same message.
type attempt struct {
	Page
	incident string
	step     int
	to       string // the address itself
	created  time.Time
	text     string
	rank     int    // pageRank; of several the worst
	bundle   string // id of the message that carries several; empty: it goes alone
	with     []attempt
}

// all are the pages of one message, the worst and newest first.
func (a attempt) all() []attempt { return append([]attempt{a}, a.with...) }

// message is the id of what is sent: the same in every attempt.
func (a attempt) message() string { return cmp.Or(a.bundle, a.ID) }

func (a attempt) recipient() recipient { return recipient{a.Person, a.Channel, a.to} }

const attemptColumns = `p.id, p.incident_id, p.step, p.level, p.person, p.channel, p.address, p.attempts, p.created_at, p.kind, p.text, p.bundle, p.status, ` + pageRank

func scanAttempt(row scanner) (a attempt, err error) {
	var created int64
	err = row.Scan(&a.ID, &a.incident, &a.step, &a.Level, &a.Person, &a.Channel, &a.to, &a.Attempts, &created, &a.Kind, &a.text, &a.bundle, &a.Status, &a.rank)
	a.created = store.FromMicros(created)
	return a, err
}

// ready are pages that are due and for which there is room: the worst and newest first. A page whose lease ended was being sent when
// daytwo died.
func (s *Incidents) ready(ctx context.Context, tx *store.Tx, now time.Time, room room) ([]attempt, error) {
	elsewhere, busy := room.elsewhere()
	args := slices.Concat([]any{now}, busy, []any{room.free})
	return query(ctx, tx, scanAttempt, `SELECT `+attemptColumns+` FROM pages p JOIN incidents i ON i.id = p.incident_id
		WHERE p.wake_at > 0 AND p.wake_at <= ?`+elsewhere+` ORDER BY `+worstFirst+`, p.id LIMIT ?`, args...)
}

// lease marks pages as being sent, unless something happened to them since they were read, and with each one those that go out in the
// same message.
func (s *Incidents) lease(ctx context.Context, tx *store.Tx, list []attempt, now time.Time, room room) ([]attempt, error) {
	var leased []attempt
	gone, served := map[string]bool{}, map[recipient]bool{}
	began := time.Now()
	for _, a := range list {
		if len(leased) > 0 && time.Since(began) > s.budget { // the rest right after, so that whoever acknowledges gets their turn at the store
			break
		}
		if gone[a.ID] || room.to[a.to] >= maxTogether || a.fresh() && served[a.recipient()] || a.Status == "exhausted" && room.late <= 0 {
			continue
		}
		with, err := s.companions(ctx, tx, a, now)
		if err != nil {
			return nil, err
		}
		if a.bundle == "" && len(with) > 0 {
			a.bundle = a.ID
		}
		if ok, err := s.leaseOne(ctx, tx, &a, a.bundle, now); err != nil || !ok {
			if err != nil {
				return nil, err
			}
			continue
		}
		for _, c := range with {
			if ok, err := s.leaseOne(ctx, tx, &c, a.bundle, now); err != nil {
				return nil, err
			} else if ok {
				gone[c.ID], a.rank, a.with = true, min(a.rank, c.rank), append(a.with, c)
			}
		}
		room.to[a.to]++
		if a.late() {
			room.late--
		}
		served[a.recipient()] = served[a.recipient()] || a.Kind == "" && bundles(a.Channel)
		leased = append(leased, a)
	}
	return leased, nil
}

// late tells, of a page on the wire, whether it was given up before.
func (a attempt) late() bool { return a.Attempts > maxAttempts }

// fresh tells whether a page may share a message: it was in none before, so no receiver knows it by another id, or was given up, so that
// after an outage of hours people get one message and not hundreds.
func (a attempt) fresh() bool {
	return a.Kind == "" && (a.Attempts == 0 || a.Status == "exhausted") && a.bundle == "" && bundles(a.Channel)
}

// maxBundle is how many pages one message carries.
const maxBundle = 200

// companions are the pages that go out in the message of a: those that did so before, or, of one that goes out for the first time or was
// given up, all others of that kind that wait for the same person at the same address.
func (s *Incidents) companions(ctx context.Context, tx *store.Tx, a attempt, now time.Time) ([]attempt, error) {
	where, args := `p.bundle = ?`, []any{a.bundle}
	switch {
	case a.fresh():
		where, args = `p.address = ? AND p.person = ? AND p.channel = ? AND p.kind = '' AND p.bundle = '' AND (p.attempts = 0 OR p.status = 'exhausted')`, []any{a.to, a.Person, a.Channel}
	case a.bundle == "":
		return nil, nil
	}
	return query(ctx, tx, scanAttempt, `SELECT `+attemptColumns+` FROM pages p JOIN incidents i ON i.id = p.incident_id
		WHERE `+where+` AND p.wake_at > 0 AND p.wake_at <= ? AND p.id <> ? ORDER BY `+worstFirst+`, p.id LIMIT ?`, append(args, now, a.ID, maxBundle-1)...)
}

func (s *Incidents) leaseOne(ctx context.Context, tx *store.Tx, a *attempt, bundle string, now time.Time) (bool, error) {
	done, err := tx.Exec(ctx, `UPDATE pages SET status = 'sending', attempts = attempts + 1, at = ?, wake_at = ?, bundle = ? WHERE id = ? AND attempts = ?
		AND wake_at > 0 AND wake_at <= ?`, now, now.Add(lease), bundle, a.ID, a.Attempts, now)
	if err != nil {
		return false, fmt.Errorf("lease page: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return false, err
	}
	a.Attempts++
	return true, s.notePage(ctx, tx, a.ID)
}
