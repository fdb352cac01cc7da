package incident

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

const (
	maxTitle   = 500      // bytes of what people write, and of reasons; longer ones are cut
	maxSummary = 4 * 1024 // bytes of the title of an alert: 1024 characters of any script; longer ones are cut
	shownTitle = 200      // bytes of a title within a sentence or a subject, where more follows; the whole of it is in the letter
	maxGroup   = 2000     // bytes of what alerts have in common: as long as a key and a label beside it; longer ones are cut
	maxNote    = 16 << 10 // bytes; longer ones are refused
)

// Trigger is an alert that fires.
type Trigger struct {
	AlertID  string // the same for as long as the alert fires without a break
	Service  string
	Labels   event.Labels // what groups it with others where it names no service, see decideGroup
	Title    string
	Severity string    // one that is not known counts as critical
	Time     time.Time // since when; zero: now

	// Of alerts that come in as events.
	Source   string // empty: a rule of daytwo's
	Key      string // the integration; with DedupKey it finds the alert, so AlertID may be empty
	DedupKey string
	Fields   Fields

	priority string // what a rule says
}

// placed is where a trigger ended up.
type placed struct {
	outcome, reason string
	incident        Incident
}

// Trigger makes the alert part of the open incident of its service or group, or opens one: then the pager takes over once tx is
// committed. Handing in the same alert again changes nothing. An alert that a rule drops, or that is suppressed, gives no
// incident: the one returned is empty.
func (s *Incidents) Trigger(ctx context.Context, tx *store.Tx, t Trigger) (Incident, error) {
	if t.AlertID == "" {
		return Incident{}, problem.New(problem.Invalid, "the trigger of an incident names no alert").WithField("alertId")
	}
	if by, _ := s.watch.look(s.clock); by > 0 { // tx is another's: what it opens is told from what was open before
		s.ring()
	}
	p, err := s.receive(ctx, tx, t)
	if err == nil && p.outcome == "dropped" {
		err = s.keepDropped(ctx, tx, t, p.reason)
	}
	return p.incident, err
}

// keepDropped writes down an alert of daytwo's own that a rule dropped, as one of an integration is: among what came in.
func (s *Incidents) keepDropped(ctx context.Context, tx *store.Tx, t Trigger, reason string) error {
	fields := t.Fields
	if fields.Labels == nil {
		fields.Labels = t.Labels
	}
	e := Event{ID: event.NewID(), Time: s.clock(), Service: tidy(t.Service, 200), Source: cmp.Or(t.Source, "rule"), Action: "trigger", DedupKey: clip(t.AlertID, maxDedupKey),
		Body: EventBody{Title: tidy(t.Title, maxSummary), Severity: t.Severity, Time: t.Time, Fields: fields}}
	body, err := e.Body.text()
	if err != nil {
		return err
	}
	if err := insertEvent(ctx, tx, e, body); err != nil {
		return err
	}
	return s.outcome(ctx, tx, e, "dropped", reason, "")
}

// receive asks the rules, writes the alert down, and places it unless it is dropped or suppressed.
func (s *Incidents) receive(ctx context.Context, tx *store.Tx, t Trigger) (placed, error) {
	if t.Source == "" {
		t.Source = "rule"
	}
	t.Service, t.Title = tidy(t.Service, 200), tidy(t.Title, maxSummary)
	v := judge(s.rulesInForce(), t.env(s.clock()))
	if v.Drop != "" {
		tx.OnCommit(func() { s.metrics.dropped.WithLabelValues(v.Rules[len(v.Rules)-1], v.Drop).Inc() })
		return placed{outcome: "dropped", reason: v.Drop}, nil
	}
	t = v.change(t)
	record, known, err := s.recordOf(ctx, tx, t)
	if err != nil {
		return placed{}, err
	}
	t.AlertID = record.ID
	if known && record.Suppressed == "" {
		return s.seenAgain(ctx, tx, record, t)
	}
	now := s.clock()
	why, until, maintained := s.maintenance(record.Service, now)
	switch {
	case v.Suppress != "":
		ends, at := "close", now.Add(forgottenAfter)
		if v.lasts > 0 {
			ends, at = "page", record.CreatedAt.Add(v.lasts)
		}
		if at.After(now) {
			return placed{outcome: "suppressed", reason: v.Suppress}, s.suppress(ctx, tx, record, v.Suppress, ends, at)
		}
	case maintained:
		return placed{outcome: "suppressed", reason: why}, s.suppress(ctx, tx, record, why, "page", until)
	}
	if record.Ends != "" {
		text := fmt.Sprintf("%s fires again and is no longer suppressed (%s)", clip(record.Title, shownTitle), record.Suppressed)
		if err := s.tellEnded(ctx, tx, *record, "unsuppressed", text); err != nil {
			return placed{}, err
		}
	}
	record.Suppressed, record.Ends, record.EndsAt = "", "", time.Time{}
	if err := s.saveRecord(ctx, tx, record); err != nil {
		return placed{}, err
	}
	return s.place(ctx, tx, t)
}

// change is the trigger after the rules had their say.
func (v Verdict) change(t Trigger) Trigger {
	t.Severity, t.Service = cmp.Or(v.Severity, t.Severity), cmp.Or(v.Service, t.Service)
	t.DedupKey, t.priority = clip(cmp.Or(v.DedupKey, t.DedupKey), maxDedupKey), v.Priority
	if len(v.Notes) > 0 {
		notes := strings.Join(v.Notes, "; ")
		if t.Fields.Annotation != "" {
			notes = t.Fields.Annotation + "; " + notes
		}
		t.Fields.Annotation = notes
	}
	return t
}

// recordOf finds the record of an alert that fires, or begins one; it is not saved yet.
func (s *Incidents) recordOf(ctx context.Context, tx *store.Tx, t Trigger) (r *Record, known bool, err error) {
	switch {
	case t.Key != "" && t.DedupKey != "":
		r, err = s.openRecord(ctx, tx, t.Key, t.DedupKey)
	case t.AlertID != "":
		r, err = findRecord(ctx, tx, `r.id = ?`, t.AlertID)
	}
	if err != nil {
		return nil, false, err
	}
	known = r != nil && r.Status == "triggered"
	if r == nil {
		r = &Record{ID: t.AlertID, Key: t.Key, DedupKey: t.DedupKey, Source: t.Source, CreatedAt: s.since(t.Time)}
		if r.ID == "" {
			r.ID = event.NewID()
		}
		if r.Key != "" && r.DedupKey == "" {
			r.DedupKey = r.ID
		}
	}
	if !known && r.Status == "resolved" {
		r.CreatedAt = s.since(t.Time)
	}
	r.Service, r.Severity, r.Title, r.Status, r.ResolvedAt = t.Service, t.Severity, t.Title, "triggered", time.Time{}
	r.Fields = t.Fields
	if r.Fields.Labels == nil {
		r.Fields.Labels = t.Labels
	}
	r.Count++
	return r, known, nil
}

// seenAgain brings an alert up to date that fires already.
func (s *Incidents) seenAgain(ctx context.Context, tx *store.Tx, r *Record, t Trigger) (placed, error) {
	if t.Key != "" { // daytwo's own alerts are told once; saying them again carries no news
		if err := s.saveRecord(ctx, tx, r); err != nil {
			return placed{}, err
		}
	}
	before, err := findSeen(ctx, tx, r.ID)
	if err != nil {
		return placed{}, err
	}
	if before != nil && before.firing {
		if before.incident.Open() {
			text, err := s.worsen(ctx, tx, &before.incident, t.Severity)
			if err != nil {
				return placed{}, err
			}
			if text != "" {
				if err := s.writeLog(ctx, tx, before.incident.ID, "joined", self, fmt.Sprintf("Alert %q got worse: %s", t.Title, text)); err != nil {
					return placed{}, err
				}
			}
		}
		return placed{outcome: "updated", reason: decideTrigger(before, nil, "").Reason, incident: before.incident}, nil
	}
	return s.place(ctx, tx, t)
}

// place makes an alert part of an incident.
func (s *Incidents) place(ctx context.Context, tx *store.Tx, t Trigger) (placed, error) {
	before, err := findSeen(ctx, tx, t.AlertID)
	if err != nil {
		return placed{}, err
	}
	service, _ := s.catalog.Current().Service(t.Service)
	common, of := decideGroup(t.Service, t.Labels)
	common = clip(common, maxGroup)
	key := common
	if t.Service != "" {
		key, common, of = groupKey(service.Grouping, t)
	}
	open, err := findOpen(ctx, tx, t.Service, key)
	if err != nil {
		return placed{}, err
	}
	if late, err := s.tooLate(ctx, tx, service.Grouping, open); err != nil {
		return placed{}, err
	} else if late {
		open.groupKey = "closed/" + open.ID
		if err := s.saveIncident(ctx, tx, open); err != nil {
			return placed{}, err
		}
		open = nil
	}
	d := decideTrigger(before, open, of)
	switch d.Move {
	case Ignore:
		return placed{outcome: "updated", reason: d.Reason, incident: before.incident}, nil
	case Open:
		opened, err := s.open(ctx, tx, Incident{Service: t.Service, Group: common, groupKey: key, Title: t.Title, Severity: t.Severity,
			Priority: t.priority, OpenedAt: t.Time}, d.Reason)
		if err != nil {
			return placed{}, err
		}
		return placed{outcome: "opened", reason: d.Reason, incident: opened}, s.attach(ctx, tx, opened.ID, t)
	}
	i, err := s.join(ctx, tx, *open, t, d)
	return placed{outcome: "joined", reason: d.Reason, incident: i}, err
}

// findOpen returns nil when no incident of the service, or group, is open.
func findOpen(ctx context.Context, tx *store.Tx, service, key string) (*Incident, error) {
	return findIncident(ctx, tx, `i.service = ? AND i.group_key = ? AND i.status <> 'resolved'`, service, key)
}

// findSeen returns nil when the alert was never part of an incident.
func findSeen(ctx context.Context, tx *store.Tx, alertID string) (*seen, error) {
	var status string
	i, err := scanIncident(tx.QueryRow(ctx, `SELECT `+incidentColumns+`, a.status FROM incident_alerts a
		JOIN incidents i ON i.id = a.incident_id WHERE a.alert_id = ? ORDER BY i.number DESC LIMIT 1`, alertID), &status)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read alert: %w", err)
	}
	return &seen{incident: i, firing: status == "firing"}, nil
}

// attach notes that an alert of an incident fires.
func (s *Incidents) attach(ctx context.Context, tx *store.Tx, id string, t Trigger) error {
	at := s.since(t.Time)
	_, err := tx.Exec(ctx, `INSERT INTO incident_alerts (incident_id, alert_id, title, status, at) VALUES (?, ?, ?, 'firing', ?)
		ON CONFLICT (incident_id, alert_id) DO UPDATE SET title = excluded.title, status = 'firing', at = excluded.at`,
		id, t.AlertID, t.Title, at)
	if err != nil {
		return fmt.Errorf("join alert: %w", err)
	}
	return s.fact(ctx, tx, id, factAlert, AlertState{ID: t.AlertID, Title: t.Title, Status: "firing", At: store.Micros(at)})
}

// join adds an alert to an open incident. Nobody is paged again for it, unless it makes the incident urgent: whoever was paged handles
// the matter.
func (s *Incidents) join(ctx context.Context, tx *store.Tx, i Incident, t Trigger, d Decision) (Incident, error) {
	if err := s.attach(ctx, tx, i.ID, t); err != nil {
		return i, err
	}
	action := "joined"
	if d.Move == Rejoin {
		action = "refired"
	}
	text := fmt.Sprintf("Alert %q joined: %s", t.Title, d.Reason)
	worsened, err := s.worsen(ctx, tx, &i, t.Severity)
	if err != nil {
		return i, err
	}
	if worsened != "" {
		text += "; " + worsened
	}
	return i, s.writeLog(ctx, tx, i.ID, action, self, text)
}

// open completes i, stores it, and schedules the first step of its escalation.
func (s *Incidents) open(ctx context.Context, tx *store.Tx, i Incident, reason string) (Incident, error) {
	i.ID, i.Status, i.Severity, i.OpenedAt = event.NewID(), Triggered, known(i.Severity), s.since(i.OpenedAt)
	if i.Title == "" {
		i.Title = "Incident of " + cmp.Or(i.Service, i.Group, "unknown origin")
	}
	if len(i.escalation.Levels) == 0 {
		i.escalation = snapshot(s.catalog.Current(), i.Service)
	}
	if i.Urgency == "" {
		i.Urgency = s.urgency(i.Service, i.Severity, s.clock())
	}
	if _, limit := s.limits(i.Service); limit > 0 {
		i.resolveAt = s.clock().Add(limit)
	}
	i.Policy, i.nextAt = i.escalation.Policy, s.clock().Add(i.escalation.steps()[0].wait)
	i.NextStep = i.next()
	if err := tx.QueryRow(ctx, `SELECT COALESCE(MAX(number), 0) + 1 FROM incidents`).Scan(&i.Number); err != nil {
		return i, fmt.Errorf("number incident: %w", err)
	}
	if err := s.insertIncident(ctx, tx, &i); err != nil {
		return i, err
	}
	actor := i.OpenedBy
	if actor == "" {
		actor = self
	}
	if err := s.writeLog(ctx, tx, i.ID, "opened", actor, "Opened: "+reason); err != nil {
		return i, err
	}
	tx.OnCommit(func() { s.metrics.opened.Inc(); s.ring() })
	return i, s.tell(ctx, tx, i, timeline.Entry{Kind: timeline.Incident, Action: "opened", Actor: actor, Tone: i.Severity,
		Title: fmt.Sprintf("Incident #%d opened: %s", i.Number, i.Title)})
}

// AlertResolved notes that an alert does not fire any more, and resolves its incident when that was the last one. An alert that
// is not known, or resolved already, changes nothing.
func (s *Incidents) AlertResolved(ctx context.Context, tx *store.Tx, alertID string) error {
	if err := s.resolveRecord(ctx, tx, alertID); err != nil {
		return err
	}
	list, err := query(ctx, tx, func(row scanner) (Incident, error) { return scanIncident(row) }, `SELECT `+incidentColumns+`
		FROM incident_alerts a JOIN incidents i ON i.id = a.incident_id WHERE a.alert_id = ? AND a.status = 'firing'`, alertID)
	if err != nil {
		return err
	}
	for _, i := range list {
		if err := s.clear(ctx, tx, i, alertID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Incidents) clear(ctx context.Context, tx *store.Tx, i Incident, alertID string) error {
	now := s.clock()
	_, err := tx.Exec(ctx, `UPDATE incident_alerts SET status = 'resolved', at = ? WHERE incident_id = ? AND alert_id = ?`,
		now, i.ID, alertID)
	if err != nil {
		return fmt.Errorf("clear alert: %w", err)
	}
	var title string
	err = tx.QueryRow(ctx, `SELECT title FROM incident_alerts WHERE incident_id = ? AND alert_id = ?`, i.ID, alertID).Scan(&title)
	if err != nil {
		return fmt.Errorf("clear alert: %w", err)
	}
	if err := s.fact(ctx, tx, i.ID, factAlert, AlertState{ID: alertID, Title: title, Status: "resolved", At: store.Micros(now)}); err != nil {
		return err
	}
	firing, err := stillFiring(ctx, tx, i.ID)
	if err != nil {
		return err
	}
	resolve, reason := decideCleared(i, firing)
	if err := s.writeLog(ctx, tx, i.ID, "cleared", self, fmt.Sprintf("Alert %q does not fire any more; %s", title, reason)); err != nil {
		return err
	}
	if !resolve {
		return nil
	}
	return s.respond(ctx, tx, &i, Resolved, self, reason)
}

// Create opens an incident by hand. A service that has an open incident already gets no second one.
func (s *Incidents) Create(ctx context.Context, service, title, severity, actor string) (Detail, error) {
	if _, ok := s.catalog.Current().Service(service); !ok {
		return Detail{}, problem.New(problem.Invalid, "there is no service %q in the catalog", service).
			WithField("service").WithMend("name one of GET /api/services")
	}
	var d Detail
	err := s.write(ctx, func(tx *store.Tx) error {
		open, err := findOpen(ctx, tx, service, "")
		if err != nil {
			return err
		}
		if open != nil {
			return problem.New(problem.Conflict, "%s has an open incident already: #%d %s", service, open.Number, clip(open.Title, shownTitle)).
				WithMend("add a note to #%d, or resolve it first", open.Number)
		}
		i, err := s.open(ctx, tx, Incident{Service: service, Title: tidy(title, maxTitle), Severity: severity, OpenedBy: actor}, "by hand")
		if err != nil {
			return err
		}
		d, err = Load(ctx, tx, i.ID)
		return err
	})
	return d, err
}

// since is a time that cannot lie in the future; zero means now.
func (s *Incidents) since(t time.Time) time.Time {
	now := s.clock()
	if t.IsZero() || t.After(now) {
		return now
	}
	return t.UTC().Truncate(time.Microsecond)
}

// tell puts an entry about the incident on the timeline.
func (s *Incidents) tell(ctx context.Context, tx *store.Tx, i Incident, e timeline.Entry) error {
	e.Service, e.Ref, e.Time = i.Service, "incident/"+i.ID, s.clock()
	data := map[string]string{"incident": i.ID, "number": fmt.Sprint(i.Number), "severity": i.Severity}
	if i.Group != "" {
		data["group"] = i.Group
	}
	for key, value := range e.Data {
		data[key] = value
	}
	e.Data = data
	return s.timeline.Append(ctx, tx, &e)
}

// tooLate tells whether the open incident of a group takes no more alerts, because its last one came too long ago.
func (s *Incidents) tooLate(ctx context.Context, tx *store.Tx, g *catalog.Grouping, open *Incident) (bool, error) {
	if open == nil || g == nil || g.Within <= 0 {
		return false, nil
	}
	var last int64
	err := tx.QueryRow(ctx, `SELECT COALESCE(MAX(at), 0) FROM incident_alerts WHERE incident_id = ?`, open.ID).Scan(&last)
	if err != nil {
		return false, fmt.Errorf("read alerts: %w", err)
	}
	return tooLate(g, store.FromMicros(last), s.clock()), nil
}
