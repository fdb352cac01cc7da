package incident

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

const (
	maxTitle = 500      // bytes; longer ones are cut
	maxGroup = 1000     // bytes; longer ones are cut
	maxNote  = 16 << 10 // bytes; longer ones are refused
)

// Trigger is an alert that fires.
type Trigger struct {
	AlertID  string // the same for as long as the alert fires without a break
	Service  string
	Labels   event.Labels // what groups it with others where it names no service, see decideGroup
	Title    string
	Severity string    // one that is not known counts as critical
	Time     time.Time // since when; zero: now
}

// Trigger makes the alert part of the open incident of its service or group, or opens one: then the pager takes over once tx is committed.
// Handing in the same alert again changes nothing.
func (s *Incidents) Trigger(ctx context.Context, tx *store.Tx, t Trigger) (Incident, error) {
	if t.AlertID == "" {
		return Incident{}, problem.New(problem.Invalid, "the trigger of an incident names no alert").WithField("alertId")
	}
	t.Service, t.Title = tidy(t.Service, 200), tidy(t.Title, maxTitle)
	before, err := findSeen(ctx, tx, t.AlertID)
	if err != nil {
		return Incident{}, err
	}
	common, of := decideGroup(t.Service, t.Labels)
	common = clip(common, maxGroup)
	open, err := findOpen(ctx, tx, t.Service, common)
	if err != nil {
		return Incident{}, err
	}
	d := decideTrigger(before, open, of)
	switch d.Move {
	case Ignore:
		return before.incident, nil
	case Open:
		opened, err := s.open(ctx, tx, Incident{Service: t.Service, Group: common, Title: t.Title, Severity: t.Severity, OpenedAt: t.Time}, d.Reason)
		if err != nil {
			return Incident{}, err
		}
		return opened, s.attach(ctx, tx, opened.ID, t)
	}
	return s.join(ctx, tx, *open, t, d)
}

// findOpen returns nil when no incident of the service, or group, is open.
func findOpen(ctx context.Context, tx *store.Tx, service, common string) (*Incident, error) {
	return findIncident(ctx, tx, `i.service = ? AND i.common = ? AND i.status <> 'resolved'`, service, common)
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
	_, err := tx.Exec(ctx, `INSERT INTO incident_alerts (incident_id, alert_id, title, status, at) VALUES (?, ?, ?, 'firing', ?)
		ON CONFLICT (incident_id, alert_id) DO UPDATE SET title = excluded.title, status = 'firing', at = excluded.at`,
		id, t.AlertID, t.Title, s.since(t.Time))
	if err != nil {
		return fmt.Errorf("join alert: %w", err)
	}
	return nil
}

// join adds an alert to an open incident. Nobody is paged again for it: whoever was paged handles the matter.
func (s *Incidents) join(ctx context.Context, tx *store.Tx, i Incident, t Trigger, d Decision) (Incident, error) {
	if err := s.attach(ctx, tx, i.ID, t); err != nil {
		return i, err
	}
	action := "joined"
	if d.Move == Rejoin {
		action = "refired"
	}
	text := fmt.Sprintf("Alert %q joined: %s", t.Title, d.Reason)
	if severity := worse(i.Severity, t.Severity); severity != i.Severity {
		text += fmt.Sprintf("; the incident is now %s, not %s", severity, i.Severity)
		i.Severity = severity
		if err := saveIncident(ctx, tx, &i); err != nil {
			return i, err
		}
	}
	return i, s.writeLog(ctx, tx, i.ID, action, self, text)
}

// open completes i, stores it, and schedules the first step of its escalation.
func (s *Incidents) open(ctx context.Context, tx *store.Tx, i Incident, reason string) (Incident, error) {
	i.ID, i.Status, i.Severity, i.OpenedAt = event.NewID(), Triggered, known(i.Severity), s.since(i.OpenedAt)
	if i.Title == "" {
		i.Title = "Incident of " + cmp.Or(i.Service, i.Group, "unknown origin")
	}
	i.escalation = snapshot(s.catalog.Current(), i.Service, s.clock())
	i.Policy, i.nextAt = i.escalation.Policy, s.clock().Add(i.escalation.steps()[0].wait)
	i.NextStep = i.next()
	if err := tx.QueryRow(ctx, `SELECT COALESCE(MAX(number), 0) + 1 FROM incidents`).Scan(&i.Number); err != nil {
		return i, fmt.Errorf("number incident: %w", err)
	}
	if err := insertIncident(ctx, tx, i); err != nil {
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
	_, err := tx.Exec(ctx, `UPDATE incident_alerts SET status = 'resolved', at = ? WHERE incident_id = ? AND alert_id = ?`,
		s.clock(), i.ID, alertID)
	if err != nil {
		return fmt.Errorf("clear alert: %w", err)
	}
	var title string
	err = tx.QueryRow(ctx, `SELECT title FROM incident_alerts WHERE incident_id = ? AND alert_id = ?`, i.ID, alertID).Scan(&title)
	if err != nil {
		return fmt.Errorf("clear alert: %w", err)
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
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		open, err := findOpen(ctx, tx, service, "")
		if err != nil {
			return err
		}
		if open != nil {
			return problem.New(problem.Conflict, "%s has an open incident already: #%d %s", service, open.Number, open.Title).
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
