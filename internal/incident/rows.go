package incident

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/store"
)

const incidentColumns = `i.id, i.number, i.service, i.title, i.severity, i.status, i.opened_by, i.opened_at, i.acknowledged_at,
	i.acknowledged_by, i.resolved_at, i.resolved_by, i.escalation, i.step, i.next_at,
	i.common, i.unreached, i.group_key, i.urgency, i.priority, i.cycle, i.merged_into, i.snoozed_until, i.updated_at, i.board, i.resolve_at`

// pageRank is how bad an incident is for whoever is paged, 0 the worst: what is urgent before what is not, then by severity.
const pageRank = `CASE i.urgency WHEN 'high' THEN 0 ELSE 3 END + CASE i.severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END`

// ranks is how many values pageRank has.
const ranks = 6

// worstFirst orders by what is paged first when much is due: the worst, and of it the newest.
const worstFirst = pageRank + `, i.number DESC`

// scanner is a row of one or many.
type scanner interface{ Scan(dest ...any) error }

// scanIncident reads incidentColumns, and more after them.
func scanIncident(row scanner, more ...any) (i Incident, err error) {
	var opened, acknowledged, resolved, next, snoozed, updated, resolve int64
	var escalation, board string
	err = row.Scan(append([]any{&i.ID, &i.Number, &i.Service, &i.Title, &i.Severity, &i.Status, &i.OpenedBy, &opened, &acknowledged,
		&i.AcknowledgedBy, &resolved, &i.ResolvedBy, &escalation, &i.step, &next,
		&i.Group, &i.Unreached, &i.groupKey, &i.Urgency, &i.Priority, &i.cycle, &i.MergedInto, &snoozed, &updated, &board, &resolve}, more...)...)
	if err != nil {
		return i, err
	}
	if err := json.Unmarshal([]byte(escalation), &i.escalation); err != nil {
		return i, fmt.Errorf("escalation of incident %s: %w", i.ID, err)
	}
	if err := json.Unmarshal([]byte(board), &i.Board); err != nil {
		return i, fmt.Errorf("board of incident %s: %w", i.ID, err)
	}
	i.SnoozedUntil, i.UpdatedAt, i.resolveAt = pointer(snoozed), store.FromMicros(updated), store.FromMicros(resolve)
	i.OpenedAt, i.nextAt = store.FromMicros(opened), store.FromMicros(next)
	i.AcknowledgedAt, i.ResolvedAt = pointer(acknowledged), pointer(resolved)
	i.Policy, i.NextStep = i.escalation.Policy, i.next()
	return i, nil
}

func pointer(micros int64) *time.Time {
	if micros == 0 {
		return nil
	}
	t := store.FromMicros(micros)
	return &t
}

func micros(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return store.Micros(*t)
}

// findIncident returns nil when there is none.
func findIncident(ctx context.Context, tx *store.Tx, where string, args ...any) (*Incident, error) {
	i, err := scanIncident(tx.QueryRow(ctx, `SELECT `+incidentColumns+` FROM incidents i WHERE `+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read incident: %w", err)
	}
	return &i, nil
}

func (s *Incidents) insertIncident(ctx context.Context, tx *store.Tx, i *Incident) error {
	escalation, err := json.Marshal(i.escalation)
	if err != nil {
		return fmt.Errorf("open incident: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO incidents (id, number, service, title, severity, status, opened_by, opened_at, escalation, next_at,
		common, group_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		i.ID, i.Number, i.Service, i.Title, i.Severity, string(i.Status), i.OpenedBy, i.OpenedAt, string(escalation), i.nextAt, i.Group, i.groupKey)
	if err != nil {
		return fmt.Errorf("open incident: %w", err)
	}
	if err := s.fact(ctx, tx, i.ID, factEscalation, i.escalation); err != nil {
		return err
	}
	return s.saveIncident(ctx, tx, i)
}

// saveIncident writes what can change, and brings NextStep up to date.
func (s *Incidents) saveIncident(ctx context.Context, tx *store.Tx, i *Incident) error {
	board, err := json.Marshal(i.Board)
	if err != nil {
		return fmt.Errorf("save incident: %w", err)
	}
	i.UpdatedAt = s.clock()
	_, err = tx.Exec(ctx, `UPDATE incidents SET title = ?, severity = ?, status = ?, acknowledged_at = ?, acknowledged_by = ?, resolved_at = ?,
		resolved_by = ?, step = ?, next_at = ?, unreached = ?, group_key = ?, urgency = ?, priority = ?, cycle = ?, merged_into = ?,
		snoozed_until = ?, updated_at = ?, board = ?, resolve_at = ? WHERE id = ?`,
		i.Title, i.Severity, string(i.Status), micros(i.AcknowledgedAt), i.AcknowledgedBy, micros(i.ResolvedAt),
		i.ResolvedBy, i.step, i.nextAt, i.Unreached, i.groupKey, i.Urgency, i.Priority, i.cycle, i.MergedInto,
		micros(i.SnoozedUntil), i.UpdatedAt, string(board), i.resolveAt, i.ID)
	if err != nil {
		return fmt.Errorf("save incident: %w", err)
	}
	i.NextStep = i.next()
	return s.fact(ctx, tx, i.ID, factIncident, i.state())
}

// saveEscalation gives an incident another escalation, which begins anew.
func (s *Incidents) saveEscalation(ctx context.Context, tx *store.Tx, i *Incident, e Escalation) error {
	raw, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("escalation of incident: %w", err)
	}
	i.escalation, i.Policy = e, e.Policy
	if _, err := tx.Exec(ctx, `UPDATE incidents SET escalation = ? WHERE id = ?`, string(raw), i.ID); err != nil {
		return fmt.Errorf("escalation of incident: %w", err)
	}
	return s.fact(ctx, tx, i.ID, factEscalation, e)
}

// writeLog adds a line to the incident's log.
func (s *Incidents) writeLog(ctx context.Context, tx *store.Tx, id, action, actor, text string) error {
	var seq int64
	err := tx.QueryRow(ctx, `SELECT COALESCE(MAX(seq), 0) + 1 FROM incident_log WHERE incident_id = ?`, id).Scan(&seq)
	if err != nil {
		return fmt.Errorf("log of incident: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO incident_log (incident_id, seq, at, action, actor, text) VALUES (?, ?, ?, ?, ?, ?)`,
		id, seq, s.clock(), action, actor, text)
	if err != nil {
		return fmt.Errorf("log of incident: %w", err)
	}
	return nil
}

func query[T any](ctx context.Context, tx *store.Tx, scan func(scanner) (T, error), q string, args ...any) ([]T, error) {
	rows, err := tx.Query(ctx, q, args...)
	if err != nil {
		return nil, fmt.Errorf("read incidents: %w", err)
	}
	defer rows.Close()
	list := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read incidents: %w", err)
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

func scanAlert(row scanner) (a JoinedAlert, err error) {
	var at int64
	err = row.Scan(&a.ID, &a.Title, &a.Status, &at)
	a.At = store.FromMicros(at)
	return a, err
}

func scanPage(row scanner) (p Page, err error) {
	var at, next int64
	err = row.Scan(&p.ID, &p.Person, &p.Channel, &p.Address, &p.Level, &p.Status, &p.Attempts, &at, &p.Error, &p.Kind, &p.Together, &next)
	if p.Status == "exhausted" {
		p.NextAt = pointer(next)
	}
	p.At, p.Address = store.FromMicros(at), notify.Address{Channel: p.Channel, To: p.Address}.String()
	return p, err
}

func scanLog(row scanner) (e LogEntry, err error) {
	var at int64
	err = row.Scan(&at, &e.Action, &e.Actor, &e.Text)
	e.Time = store.FromMicros(at)
	return e, err
}

// clock is the time as the store keeps it.
func (s *Incidents) clock() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// tidy makes a text from outside storable, on one line, and at most n bytes long.
func tidy(text string, n int) string { return clip(strings.Join(strings.Fields(text), " "), n) }

// clip makes a text from outside storable (see store.Text) and at most n bytes long.
func clip(text string, n int) string {
	text = store.Text(text)
	if len(text) > n {
		text = strings.ToValidUTF8(text[:n-len("…")], "") + "…"
	}
	return text
}
