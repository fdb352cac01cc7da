package alert

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

const columns = `id, rule, fingerprint, name, service, severity, state, labels, annotations, value, starts_at, ends_at, ended, expr, source,
	generator, handed_at, withheld, expires_at, added`

// save writes an alert that fired or ended.
func (a *Alert) save(ctx context.Context, tx *store.Tx) error {
	if a.State == Resolved {
		_, err := tx.Exec(ctx, `UPDATE alerts SET state = ?, ends_at = ?, ended = ?, value = ?, annotations = ?, added = ?, withheld = ? WHERE id = ?`,
			string(a.State), store.Micros(*a.EndsAt), a.Ended, a.Value, encode(a.Annotations), strings.Join(a.added, ","), store.Text(a.Withheld), a.ID)
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO alerts (`+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		a.ID, store.Text(a.rule), a.Fingerprint, store.Text(a.Name), store.Text(a.Service), store.Text(a.Severity), string(a.State),
		encode(a.Labels), encode(a.Annotations), a.Value, store.Micros(a.StartsAt), 0, "", store.Text(a.Expr), a.Source,
		store.Text(a.Generator), micros(a.HandedAt), store.Text(a.Withheld), microsOrZero(a.expires), strings.Join(a.added, ","))
	return err
}

// micros is 0 for no time.
func micros(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return store.Micros(*t)
}

func microsOrZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return store.Micros(t)
}

func encode(m map[string]string) string {
	text, _ := json.Marshal(m) // strings always encode
	return string(text)
}

func scan(rows *sql.Rows) (*Alert, error) {
	a := new(Alert)
	var labels, annotations, added string
	var starts, ends, handed, expires int64
	err := rows.Scan(&a.ID, &a.rule, &a.Fingerprint, &a.Name, &a.Service, &a.Severity, &a.State, &labels, &annotations,
		&a.Value, &starts, &ends, &a.Ended, &a.Expr, &a.Source, &a.Generator, &handed, &a.Withheld, &expires, &added)
	if err != nil {
		return nil, err
	}
	a.StartsAt = store.FromMicros(starts)
	a.EndsAt, a.HandedAt = orNil(ends), orNil(handed)
	if added != "" {
		a.added = strings.Split(added, ",")
	}
	if expires != 0 {
		a.expires = store.FromMicros(expires)
		a.kept = a.expires
	}
	return a, errors.Join(json.Unmarshal([]byte(labels), &a.Labels), json.Unmarshal([]byte(annotations), &a.Annotations))
}

func orNil(micros int64) *time.Time {
	if micros == 0 {
		return nil
	}
	at := store.FromMicros(micros)
	return &at
}

func (a *Alerts) query(ctx context.Context, where string, args ...any) (found []*Alert, err error) {
	err = a.cfg.DB.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT `+columns+` FROM alerts WHERE `+where, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			one, err := scan(rows)
			if err != nil {
				return err
			}
			found = append(found, one)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return found, nil
}

func (a *Alerts) readFiring(ctx context.Context) error {
	found, err := a.query(ctx, `state = ?`, string(Firing))
	for _, one := range found {
		if a.firing[one.rule] == nil {
			a.firing[one.rule] = map[string]*Alert{}
		}
		a.firing[one.rule][one.Fingerprint] = one
	}
	return err
}

// Firing lists the alerts that fire now, newest first.
func (a *Alerts) Firing() []*Alert {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []*Alert
	for _, of := range a.firing {
		all = slices.AppendSeq(all, maps.Values(of))
	}
	slices.SortFunc(all, func(x, y *Alert) int {
		return cmp.Or(y.StartsAt.Compare(x.StartsAt), cmp.Compare(y.ID, x.ID))
	})
	return all
}

// Filter selects alerts: those that match every field that is set.
type Filter struct {
	State   State
	Service string
	Name    string
	Limit   int
	After   []string // start and id of the last alert of the part before, as place gives them
}

// place is where a part of a list ends.
func (a *Alert) place() []string {
	return []string{strconv.FormatInt(store.Micros(a.StartsAt), 10), a.ID}
}

// List returns alerts, newest first, and whether there are more.
func (a *Alerts) List(ctx context.Context, f Filter) (found []*Alert, more bool, err error) {
	where, args := []string{"1 = 1"}, []any{}
	add := func(term string, values ...any) { where, args = append(where, term), append(args, values...) }
	if f.State != "" {
		add("state = ?", string(f.State))
	}
	if f.Service != "" {
		add("service = ?", store.Text(f.Service))
	}
	if f.Name != "" {
		add("name = ?", store.Text(f.Name))
	}
	if len(f.After) == 2 {
		start, err := strconv.ParseInt(f.After[0], 10, 64)
		if err != nil {
			return nil, false, problem.New(problem.Invalid, "the cursor is not one of this list").WithField("cursor")
		}
		add("(starts_at < ? OR (starts_at = ? AND id < ?))", start, start, f.After[1])
	}
	args = append(args, f.Limit+1)
	found, err = a.query(ctx, strings.Join(where, " AND ")+" ORDER BY starts_at DESC, id DESC LIMIT ?", args...)
	if len(found) > f.Limit {
		found, more = found[:f.Limit], true
	}
	for i := range found {
		found[i] = a.current(found[i])
	}
	return found, more, err
}

// Get returns one alert.
func (a *Alerts) Get(ctx context.Context, id string) (*Alert, error) {
	found, err := a.query(ctx, `id = ?`, store.Text(id))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, problem.New(problem.NotFound, "there is no alert %q", id)
	}
	return a.current(found[0]), nil
}

// current is a stored alert with what is only in memory.
func (a *Alerts) current(stored *Alert) *Alert {
	a.mu.Lock()
	defer a.mu.Unlock()
	if on := a.firing[stored.rule][stored.Fingerprint]; on != nil && on.ID == stored.ID && stored.State == Firing {
		return on
	}
	return stored
}
