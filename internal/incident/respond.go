package incident

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// Acknowledge takes an incident: nobody is paged for it from here on. id may be its number.
func (s *Incidents) Acknowledge(ctx context.Context, id, actor string) (Detail, error) {
	return s.change(ctx, id, func(tx *store.Tx, i *Incident) error {
		return s.respond(ctx, tx, i, Acknowledged, actor, "")
	})
}

// Resolve ends an incident. id may be its number.
func (s *Incidents) Resolve(ctx context.Context, id, actor string) (Detail, error) {
	return s.change(ctx, id, func(tx *store.Tx, i *Incident) error {
		return s.respond(ctx, tx, i, Resolved, actor, "")
	})
}

// AddNote writes something down for the others and for later. id may be the number of the incident.
func (s *Incidents) AddNote(ctx context.Context, id, actor, text string) (Detail, error) {
	if len(text) > maxNote {
		return Detail{}, problem.New(problem.TooLarge, "the note has %d bytes, more than %d", len(text), maxNote).WithField("text")
	}
	text = strings.TrimSpace(clip(text, maxNote))
	if text == "" {
		return Detail{}, problem.New(problem.Invalid, "the note is empty").WithField("text").WithMend("write something")
	}
	return s.change(ctx, id, func(tx *store.Tx, i *Incident) error { return s.note(ctx, tx, *i, actor, text) })
}

// Note writes down, as part of tx, what was done about an incident.
func (s *Incidents) Note(ctx context.Context, tx *store.Tx, id, actor, text string) error {
	i, err := findByRef(ctx, tx, id)
	if err != nil {
		return err
	}
	return s.note(ctx, tx, *i, actor, clip(text, maxNote))
}

func (s *Incidents) note(ctx context.Context, tx *store.Tx, i Incident, actor, text string) error {
	if err := s.writeLog(ctx, tx, i.ID, "note", actor, text); err != nil {
		return err
	}
	return s.tell(ctx, tx, i, timeline.Entry{Kind: timeline.Incident, Action: "note", Actor: actor, Title: text})
}

// change runs do on one incident and returns how it is afterwards.
func (s *Incidents) change(ctx context.Context, id string, do func(tx *store.Tx, i *Incident) error) (d Detail, err error) {
	err = s.write(ctx, func(tx *store.Tx) error {
		i, err := findByRef(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := do(tx, i); err != nil {
			return err
		}
		d, err = Load(ctx, tx, i.ID)
		return err
	})
	return d, err
}

// respond moves an incident to Acknowledged or Resolved, unless it is there or past it. From the commit on no page starts, and
// those under way are broken off.
func (s *Incidents) respond(ctx context.Context, tx *store.Tx, i *Incident, to Status, actor, why string) error {
	if change, _ := decideRespond(i.Status, to); !change {
		return nil
	}
	now := s.clock()
	e := timeline.Entry{Kind: timeline.Incident, Action: string(to), Actor: actor,
		Title: fmt.Sprintf("Incident #%d %s: %s", i.Number, to, i.Title)}
	switch i.Status = to; to {
	case Acknowledged:
		i.AcknowledgedAt, i.AcknowledgedBy = &now, actor
	default:
		i.ResolvedAt, i.ResolvedBy, e.Tone = &now, actor, timeline.Good
	}
	i.nextAt, i.Unreached, i.SnoozedUntil = time.Time{}, "", nil
	if limit, _ := s.limits(i.Service); to == Acknowledged && limit > 0 {
		i.nextAt = now.Add(limit)
	}
	if to == Resolved {
		i.resolveAt = time.Time{}
	}
	if err := s.saveIncident(ctx, tx, i); err != nil {
		return err
	}
	if err := s.cancelPages(ctx, tx, i.ID, to == Resolved); err != nil {
		return err
	}
	text := strings.ToUpper(string(to[:1])) + string(to[1:])
	if why != "" {
		text += ": " + why
	}
	if to == Resolved {
		if err := s.endKeyed(ctx, tx, i.ID); err != nil {
			return err
		}
		still, err := stillFiring(ctx, tx, i.ID)
		if err != nil {
			return err
		}
		if still > 0 {
			text += fmt.Sprintf(", while %s still firing: only another alert opens an incident again", plural(still, "alert"))
		}
	}
	if err := s.writeLog(ctx, tx, i.ID, string(to), actor, text); err != nil {
		return err
	}
	id := i.ID
	tx.OnCommit(func() { s.underway.stop(id); s.ring() })
	return s.tell(ctx, tx, *i, e)
}

func stillFiring(ctx context.Context, tx *store.Tx, id string) (n int, err error) {
	err = tx.QueryRow(ctx, `SELECT COUNT(*) FROM incident_alerts WHERE incident_id = ? AND status = 'firing'`, id).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count alerts: %w", err)
	}
	return n, nil
}

// cancelPages takes back what was not sent yet: what the escalation wanted, or all of it. What was given up is tried no more.
func (s *Incidents) cancelPages(ctx context.Context, tx *store.Tx, id string, all bool) error {
	now, kinds := s.clock(), ` AND kind = ''`
	if all {
		kinds = ""
	}
	done, err := tx.Exec(ctx, `UPDATE pages SET status = 'canceled', at = ?, wake_at = 0 WHERE incident_id = ? AND status IN ('due', 'retry')`+kinds,
		now, id)
	if err != nil {
		return fmt.Errorf("cancel pages: %w", err)
	}
	n, err := done.RowsAffected()
	if err != nil {
		return err
	}
	done, err = tx.Exec(ctx, `UPDATE pages SET wake_at = 0 WHERE incident_id = ? AND status = 'exhausted' AND wake_at > 0`+kinds, id)
	if err != nil {
		return fmt.Errorf("cancel pages: %w", err)
	}
	if more, err := done.RowsAffected(); err != nil || n+more == 0 {
		return err
	}
	return s.fact(ctx, tx, id, factCanceled, pagesChange{At: store.Micros(now), All: all})
}

// endAlerts looks up the alerts of the incident one by one: all that ever came in are many, and nobody else writes meanwhile.
const endAlerts = `UPDATE incident_alerts SET status = 'resolved', at = ? WHERE incident_id = ? AND status = 'firing'
	AND EXISTS (SELECT 1 FROM alert_records r WHERE r.id = incident_alerts.alert_id AND r.key_id <> '')`

// endKeyed ends the alerts of a resolved incident that came in as events: their sender's next trigger is a new alert, so that it
// pages. Alerts of daytwo's own rules go on: they fire until they do not.
func (s *Incidents) endKeyed(ctx context.Context, tx *store.Tx, id string) error {
	suppressed, err := query(ctx, tx, scanRecord, `SELECT `+recordColumns+` FROM alert_records r JOIN incident_alerts a ON a.alert_id = r.id
		WHERE a.incident_id = ? AND a.status = 'firing' AND r.key_id <> '' AND r.ends <> '' AND r.status = 'triggered'`, id)
	if err != nil {
		return err
	}
	for _, r := range suppressed { // the end of a suppression is told
		if err := s.resolveRecord(ctx, tx, r.ID); err != nil {
			return err
		}
	}
	now := s.clock()
	_, err = tx.Exec(ctx, `UPDATE alert_records SET status = 'resolved', resolved_at = ?, updated_at = ? WHERE status = 'triggered' AND key_id <> ''
		AND id IN (SELECT alert_id FROM incident_alerts WHERE incident_id = ? AND status = 'firing')`, now, now, id)
	if err != nil {
		return fmt.Errorf("end alerts: %w", err)
	}
	done, err := tx.Exec(ctx, endAlerts, now, id)
	if err != nil {
		return fmt.Errorf("end alerts: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return s.fact(ctx, tx, id, factEnded, alertsEnded{At: store.Micros(now)})
}
