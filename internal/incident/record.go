package incident

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// Record is what is known of one alert, from its first trigger to its end.
type Record struct {
	ID         string    `json:"id"`
	Key        string    `json:"key,omitempty" doc:"the integration it came in by; absent: daytwo's own rules"`
	DedupKey   string    `json:"dedupKey,omitempty"`
	Source     string    `json:"source"`
	Service    string    `json:"service,omitempty"`
	Severity   string    `json:"severity"`
	Title      string    `json:"title"`
	Status     string    `json:"status" enum:"triggered,resolved"`
	Suppressed string    `json:"suppressed,omitempty" doc:"why it pages nobody; absent: it does"`
	Ends       string    `json:"ends,omitempty" enum:"page,close" doc:"what the end of the suppression brings"`
	EndsAt     time.Time `json:"endsAt,omitzero" doc:"when the suppression ends"`
	Count      int64     `json:"count" doc:"how many triggers it stands for"`
	Fields     Fields    `json:"fields"`
	CreatedAt  time.Time `json:"createdAt"`
	UpdatedAt  time.Time `json:"updatedAt"`
	ResolvedAt time.Time `json:"resolvedAt,omitzero"`
}

// Fields is what an alert says beside its title.
type Fields struct {
	Labels     event.Labels   `json:"labels,omitempty"`
	Origin     string         `json:"origin,omitempty" doc:"the affected system, as the sender names it"`
	Class      string         `json:"class,omitempty"`
	Component  string         `json:"component,omitempty"`
	Group      string         `json:"group,omitempty"`
	Client     string         `json:"client,omitempty"`
	ClientURL  string         `json:"clientUrl,omitempty"`
	Details    map[string]any `json:"details,omitempty"`
	Links      []Link         `json:"links,omitempty"`
	Images     []Image        `json:"images,omitempty"`
	Annotation string         `json:"annotation,omitempty" doc:"what daytwo changed or noticed"`
}

// Link is something to read on.
type Link struct {
	Href string `json:"href"`
	Text string `json:"text,omitempty"`
}

// Image is something to look at.
type Image struct {
	Src  string `json:"src"`
	Href string `json:"href,omitempty"`
	Alt  string `json:"alt,omitempty"`
}

const recordColumns = `r.id, r.key_id, r.dedup_key, r.source, r.service, r.severity, r.title, r.status, r.suppressed, r.ends, r.ends_at, r.count,
	r.fields, r.created_at, r.updated_at, r.resolved_at`

func scanRecord(row scanner) (r Record, err error) {
	var ends, created, updated, resolved int64
	var fields string
	err = row.Scan(&r.ID, &r.Key, &r.DedupKey, &r.Source, &r.Service, &r.Severity, &r.Title, &r.Status, &r.Suppressed, &r.Ends, &ends, &r.Count,
		&fields, &created, &updated, &resolved)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(fields), &r.Fields); err != nil {
		return r, fmt.Errorf("fields of alert %s: %w", r.ID, err)
	}
	r.EndsAt, r.CreatedAt, r.UpdatedAt, r.ResolvedAt = store.FromMicros(ends), store.FromMicros(created), store.FromMicros(updated), store.FromMicros(resolved)
	return r, nil
}

// findRecord returns nil when there is none.
func findRecord(ctx context.Context, tx *store.Tx, where string, args ...any) (*Record, error) {
	r, err := scanRecord(tx.QueryRow(ctx, `SELECT `+recordColumns+` FROM alert_records r WHERE `+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read alert: %w", err)
	}
	return &r, nil
}

// saveRecord writes an alert down, new or changed.
func (s *Incidents) saveRecord(ctx context.Context, tx *store.Tx, r *Record) error {
	fields, err := json.Marshal(r.Fields)
	if err != nil {
		return fmt.Errorf("save alert: %w", err)
	}
	r.UpdatedAt = s.clock()
	_, err = tx.Exec(ctx, `INSERT INTO alert_records (id, key_id, dedup_key, source, service, severity, title, status, suppressed, ends, ends_at,
		count, fields, created_at, updated_at, resolved_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET service = excluded.service, severity = excluded.severity, title = excluded.title, status = excluded.status,
		suppressed = excluded.suppressed, ends = excluded.ends, ends_at = excluded.ends_at, count = excluded.count, fields = excluded.fields,
		updated_at = excluded.updated_at, resolved_at = excluded.resolved_at`,
		r.ID, r.Key, r.DedupKey, r.Source, r.Service, r.Severity, r.Title, r.Status, r.Suppressed, r.Ends, r.EndsAt,
		r.Count, string(fields), r.CreatedAt, r.UpdatedAt, r.ResolvedAt)
	if err != nil {
		return fmt.Errorf("save alert: %w", err)
	}
	return s.fact(ctx, tx, "", factRecord, r)
}

// resolveRecord notes that an alert is over; one that is not known or over already changes nothing.
func (s *Incidents) resolveRecord(ctx context.Context, tx *store.Tx, alertID string) error {
	r, err := findRecord(ctx, tx, `r.id = ? AND r.status = 'triggered'`, alertID)
	if err != nil || r == nil {
		return err
	}
	if r.Ends != "" {
		if err := s.tellEnded(ctx, tx, *r, "closed", fmt.Sprintf("%s is over; it was suppressed (%s)", clip(r.Title, shownTitle), r.Suppressed)); err != nil {
			return err
		}
	}
	r.Status, r.ResolvedAt, r.Ends, r.EndsAt = "resolved", s.clock(), "", time.Time{}
	return s.saveRecord(ctx, tx, r)
}

// suppress writes down that an alert pages nobody, why, and until when.
func (s *Incidents) suppress(ctx context.Context, tx *store.Tx, r *Record, why string, ends string, at time.Time) error {
	r.Suppressed, r.Ends, r.EndsAt = why, ends, at
	if err := s.saveRecord(ctx, tx, r); err != nil {
		return err
	}
	tx.OnCommit(func() { s.metrics.suppressed.Inc(); s.ring() })
	then := "then it pages if it is still there"
	if ends == "close" {
		then = "then it is closed if nothing was heard of it"
	}
	return s.timeline.Append(ctx, tx, &timeline.Entry{Kind: timeline.Alert, Action: "suppressed", Service: r.Service, Actor: self, Ref: "alert/" + r.ID,
		Time: s.clock(), Title: fmt.Sprintf("%s pages nobody: %s, until %s; %s", clip(r.Title, shownTitle), why, at.UTC().Format(time.RFC3339), then)})
}

// endSuppressions pages, or closes, what was suppressed until now.
func (s *Incidents) endSuppressions(ctx context.Context, tx *store.Tx, now time.Time) error {
	list, err := query(ctx, tx, scanRecord, `SELECT `+recordColumns+` FROM alert_records r WHERE r.ends_at > 0 AND r.ends_at <= ?
		ORDER BY r.ends_at LIMIT ?`, now, maxSteps)
	if err != nil {
		return err
	}
	for _, r := range list {
		if err := s.endSuppression(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *Incidents) endSuppression(ctx context.Context, tx *store.Tx, r Record) error {
	why, ends, title := r.Suppressed, r.Ends, clip(r.Title, shownTitle)
	action, text := "unsuppressed", fmt.Sprintf("%s is no longer suppressed (%s)", title, why)
	if ends == "close" {
		action, text = "closed", fmt.Sprintf("%s is closed: it was suppressed (%s) and nothing more was heard of it", title, why)
	}
	if err := s.tellEnded(ctx, tx, r, action, text); err != nil {
		return err
	}
	r.Suppressed, r.Ends, r.EndsAt = "", "", time.Time{}
	if ends == "close" {
		r.Status, r.Suppressed, r.ResolvedAt = "resolved", why, s.clock()
		return s.saveRecord(ctx, tx, &r)
	}
	if err := s.saveRecord(ctx, tx, &r); err != nil {
		return err
	}
	if window, until, ok := s.maintenance(r.Service, s.clock()); ok {
		return s.suppress(ctx, tx, &r, window, "page", until)
	}
	_, err := s.place(ctx, tx, r.trigger())
	return err
}

// tellEnded puts the end of a suppression on the timeline, where its beginning is.
func (s *Incidents) tellEnded(ctx context.Context, tx *store.Tx, r Record, action, text string) error {
	return s.timeline.Append(ctx, tx, &timeline.Entry{Kind: timeline.Alert, Action: action, Service: r.Service, Actor: self, Ref: "alert/" + r.ID,
		Time: s.clock(), Title: text})
}

// trigger is the trigger that a record stands for.
func (r Record) trigger() Trigger {
	return Trigger{AlertID: r.ID, Key: r.Key, DedupKey: r.DedupKey, Source: r.Source, Service: r.Service, Severity: r.Severity, Title: r.Title,
		Time: r.CreatedAt, Labels: r.Fields.Labels, Fields: r.Fields}
}

// Records lists the alerts that an incident shows, oldest first. Those that no record is kept of are made up from what the incident knows.
func (s *Incidents) Records(ctx context.Context, d Detail) (list []Record, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		list, err = RecordsOf(ctx, tx, d)
		return err
	})
	return list, err
}

// RecordsOf is Records within a transaction.
func RecordsOf(ctx context.Context, tx *store.Tx, d Detail) (list []Record, err error) {
	return recordsFor(ctx, tx, d.Incident, d.Alerts)
}

// recordsFor are the records of some alerts of an incident: of as many as are shown at once.
func recordsFor(ctx context.Context, tx *store.Tx, i Incident, alerts []JoinedAlert) (list []Record, err error) {
	if len(alerts) == 0 {
		return []Record{}, nil
	}
	known, ids := map[string]Record{}, make([]any, len(alerts))
	for n, a := range alerts {
		ids[n] = a.ID
	}
	records, err := query(ctx, tx, scanRecord, `SELECT `+recordColumns+` FROM alert_records r WHERE r.id IN (?`+strings.Repeat(`, ?`, len(ids)-1)+`)`, ids...)
	for _, r := range records {
		known[r.ID] = r
	}
	for _, a := range alerts {
		r, ok := known[a.ID]
		if !ok {
			r = Record{ID: a.ID, Source: "rule", Service: i.Service, Severity: i.Severity, Title: a.Title, Count: 1, CreatedAt: a.At, UpdatedAt: a.At}
		}
		if r.Status = "triggered"; a.Status == "resolved" {
			r.Status = "resolved"
		}
		list = append(list, r)
	}
	return list, err
}

// AlertFilter selects alerts of an incident.
type AlertFilter struct {
	Alert         string   // only the one with this id; empty: all
	Statuses      []string // triggered, resolved; none: whatever they are
	After         string   // those behind this id
	Limit, Offset int      // at most maxAlerts at once
}

// FindAlerts returns a part of the alerts of an incident with what they say, in the order of their ids, which nothing changes: about that in
// which they came in. total is how many there are in all, or behind After.
func (s *Incidents) FindAlerts(ctx context.Context, i Incident, f AlertFilter) (list []Record, total int, err error) {
	where, args := `incident_id = ?`, []any{i.ID}
	if f.Alert != "" {
		where, args = where+` AND alert_id = ?`, append(args, f.Alert)
	}
	if f.After != "" {
		where, args = where+` AND alert_id > ?`, append(args, f.After)
	}
	switch triggered, resolved := slices.Contains(f.Statuses, "triggered"), slices.Contains(f.Statuses, "resolved"); {
	case triggered && !resolved:
		where += ` AND status = 'firing'`
	case resolved && !triggered:
		where += ` AND status = 'resolved'`
	case len(f.Statuses) > 0 && !triggered:
		return []Record{}, 0, nil
	}
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM incident_alerts WHERE `+where, args...).Scan(&total); err != nil {
			return fmt.Errorf("count alerts: %w", err)
		}
		alerts, err := query(ctx, tx, scanAlert, `SELECT alert_id, title, status, at FROM incident_alerts WHERE `+where+` ORDER BY alert_id LIMIT ? OFFSET ?`,
			append(args, min(f.Limit, maxAlerts), f.Offset)...)
		if err != nil {
			return err
		}
		list, err = recordsFor(ctx, tx, i, alerts)
		return err
	})
	return list, total, err
}

// RecordFilter selects alert records.
type RecordFilter struct {
	Status, Service string
	Suppressed      bool // only those that page nobody
	Before          string
	Limit           int
}

// ListRecords lists alert records, newest first, and whether there are more.
func (s *Incidents) ListRecords(ctx context.Context, f RecordFilter) (list []Record, more bool, err error) {
	where, args := `1 = 1`, []any{}
	add := func(term string, arg any) { where, args = where+` AND `+term, append(args, arg) }
	if f.Status != "" {
		add(`r.status = ?`, f.Status)
	}
	if f.Service != "" {
		add(`r.service = ?`, f.Service)
	}
	if f.Suppressed {
		where += ` AND r.suppressed <> ''`
	}
	if f.Before != "" {
		add(`r.id < ?`, f.Before)
	}
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		list, err = query(ctx, tx, scanRecord, `SELECT `+recordColumns+` FROM alert_records r WHERE `+where+` ORDER BY r.id DESC LIMIT ?`,
			append(args, f.Limit+1)...)
		return err
	})
	if len(list) > f.Limit {
		return list[:f.Limit], true, err
	}
	return list, false, err
}
