package logs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/match"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// SavedSearch is a search that people keep. With a threshold it is watched: an
// alert fires while at least so many lines of the last window match.
type SavedSearch struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Query     string    `json:"query"`
	Language  string    `json:"language" enum:"kql,lucene"`
	Columns   []string  `json:"columns"`
	Service   string    `json:"service,omitempty" doc:"only lines of this service; the alert's service"`
	CreatedBy string    `json:"createdBy"`
	CreatedAt time.Time `json:"createdAt"`
	Threshold int64     `json:"threshold,omitempty" doc:"lines in the window from which on the alert fires; absent: not watched"`
	Window    string    `json:"window,omitempty" doc:"for example 5m"`
	Severity  string    `json:"severity,omitempty" enum:"critical,warning,info"`
	Firing    bool      `json:"firing,omitempty"`
	Count     *int64    `json:"count,omitempty" doc:"lines found at the last look"`

	window time.Duration
}

type saveInput struct {
	Body struct {
		Name      string   `json:"name" minLength:"1" maxLength:"200"`
		Query     string   `json:"query" maxLength:"32768"`
		Language  string   `json:"language,omitempty" enum:"kql,lucene" default:"kql"`
		Columns   []string `json:"columns,omitempty" maxItems:"50"`
		Service   string   `json:"service,omitempty" maxLength:"200"`
		Threshold int64    `json:"threshold,omitempty" minimum:"0" doc:"from how many lines on an alert fires; 0: none"`
		Window    string   `json:"window,omitempty" default:"5m" doc:"how far back lines are counted: 1m to 1d"`
		Severity  string   `json:"severity,omitempty" enum:"critical,warning,info" default:"warning"`
	}
}

type searchRef struct {
	ID string `path:"id"`
}

const maxSearches = 1000

func (in *saveInput) search(now time.Time) (*SavedSearch, error) {
	b := &in.Body
	s := &SavedSearch{Name: strings.TrimSpace(b.Name), Query: b.Query, Language: b.Language, Columns: b.Columns, Service: b.Service, Threshold: b.Threshold}
	if s.Language == "" {
		s.Language = match.KQL
	}
	if _, err := match.Query(s.Language, s.Query, now); err != nil {
		return nil, err
	}
	if s.Threshold > 0 {
		s.Severity = b.Severity
		d, err := event.ParseDuration(b.Window)
		if err != nil {
			return nil, err
		}
		if d < time.Minute || d > 24*time.Hour {
			return nil, problem.New(problem.Invalid, "a window of %s cannot be watched", b.Window).WithField("window").WithMend("give 1m to 1d")
		}
		s.window, s.Window = d, event.FormatDuration(d)
	}
	return s, nil
}

func (l *Logs) save(ctx context.Context, in *saveInput) (*SavedSearch, error) {
	s, err := in.search(l.now())
	if err != nil {
		return nil, err
	}
	s.ID, s.CreatedAt, s.CreatedBy = event.NewID(), l.now().UTC().Truncate(time.Microsecond), auth.FromContext(ctx).String()
	columns, err := json.Marshal(s.Columns)
	if err != nil {
		return nil, err
	}
	err = l.cfg.DB.Write(ctx, func(tx *store.Tx) error {
		var n, same int
		if err := tx.QueryRow(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN name = ? THEN 1 ELSE 0 END), 0) FROM logs_searches`, s.Name).Scan(&n, &same); err != nil {
			return err
		}
		if same > 0 {
			return problem.New(problem.Conflict, "there is a search called %q already", s.Name).WithField("name").WithMend("give another name, or delete the other one")
		}
		if n >= maxSearches {
			return problem.New(problem.Exhausted, "%d searches are kept already", n).WithMend("delete some")
		}
		_, err := tx.Exec(ctx, `INSERT INTO logs_searches (id, name, query, language, columns, created_by, created_at, threshold, window_seconds, severity, service) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			s.ID, s.Name, s.Query, s.Language, string(columns), s.CreatedBy, s.CreatedAt, s.Threshold, int64(s.window/time.Second), s.Severity, s.Service)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("save search: %w", err)
	}
	if s.Threshold > 0 {
		l.watcher.soon()
	}
	return s, nil
}

func (l *Logs) savedSearches(ctx context.Context) ([]SavedSearch, error) {
	var all []SavedSearch
	err := l.cfg.DB.Read(ctx, func(tx *store.Tx) error {
		all = nil
		rows, err := tx.Query(ctx, `SELECT id, name, query, language, columns, created_by, created_at, threshold, window_seconds, severity, service FROM logs_searches ORDER BY name`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			s, err := scanSearch(rows)
			if err != nil {
				return err
			}
			all = append(all, s)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list searches: %w", err)
	}
	for i := range all {
		all[i].Firing, all[i].Count = l.watcher.state(all[i].ID)
	}
	return all, nil
}

func scanSearch(row interface{ Scan(...any) error }) (s SavedSearch, err error) {
	var columns string
	var created, window int64
	if err := row.Scan(&s.ID, &s.Name, &s.Query, &s.Language, &columns, &s.CreatedBy, &created, &s.Threshold, &window, &s.Severity, &s.Service); err != nil {
		return s, err
	}
	s.CreatedAt, s.window = store.FromMicros(created), time.Duration(window)*time.Second
	if s.Threshold > 0 {
		s.Window = event.FormatDuration(s.window)
	}
	return s, json.Unmarshal([]byte(columns), &s.Columns)
}

func (l *Logs) deleteSearch(ctx context.Context, in *searchRef) (*struct{}, error) {
	var s SavedSearch
	err := l.cfg.DB.Write(ctx, func(tx *store.Tx) (err error) {
		s, err = scanSearch(tx.QueryRow(ctx, `SELECT id, name, query, language, columns, created_by, created_at, threshold, window_seconds, severity, service FROM logs_searches WHERE id = ?`, in.ID))
		if errors.Is(err, sql.ErrNoRows) {
			return problem.New(problem.NotFound, "there is no saved search %q", in.ID)
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM logs_searches WHERE id = ?`, in.ID)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("delete search: %w", err)
	}
	l.watcher.forget(ctx, s)
	return &struct{}{}, nil
}
