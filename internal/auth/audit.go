package auth

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// Entry is one line of the audit log: who did what to what.
type Entry struct {
	ID      string    `json:"id"`
	Time    time.Time `json:"time"`
	Actor   string    `json:"actor" doc:"a user by name, others with their kind: token:ci, system:loop"`
	Action  string    `json:"action" doc:"noun.verb: incident.acknowledge"`
	Target  string    `json:"target,omitempty" doc:"noun/id: incident/01h…"`
	Detail  string    `json:"detail,omitempty"`
	Address string    `json:"address,omitempty" doc:"where the request came from"`
	Request string    `json:"request,omitempty" doc:"finds the request in the log of daytwo"`
}

// Audit appends to the audit log in the transaction of what it tells about. It
// fills the ID and the Time.
func (a *Auth) Audit(ctx context.Context, tx *store.Tx, e Entry) error {
	_, err := tx.Exec(ctx, `INSERT INTO auth_audit (id, at, actor, action, target, detail, address, request) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		event.NewID(), a.now(), e.Actor, e.Action, e.Target, e.Detail, e.Address, e.Request)
	if err != nil {
		return fmt.Errorf("audit %s: %w", e.Action, err)
	}
	return nil
}

// AuditNow appends to the audit log in a transaction of its own.
func (a *Auth) AuditNow(ctx context.Context, e Entry) error {
	return a.db.Write(ctx, func(tx *store.Tx) error { return a.Audit(ctx, tx, e) })
}

// AuditFilter picks entries; what is empty picks all.
type AuditFilter struct {
	Actor, Action, Target string
	Range                 event.Range
	Limit                 int    // 50 if 0
	Before                string // only entries older than the one with this id
}

// AuditLog lists entries, newest first, and the id to go on before; it is empty
// at the end.
func (a *Auth) AuditLog(ctx context.Context, f AuditFilter) (entries []Entry, next string, err error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	var where []string
	var args []any
	add := func(cond string, arg any) { where, args = append(where, cond), append(args, arg) }
	if f.Actor != "" {
		add("actor = ?", f.Actor)
	}
	if f.Action != "" {
		add("action = ?", f.Action)
	}
	if f.Target != "" {
		add("target = ?", f.Target)
	}
	if !f.Range.From.IsZero() {
		add("at >= ?", f.Range.From)
	}
	if !f.Range.To.IsZero() {
		add("at < ?", f.Range.To)
	}
	if f.Before != "" {
		add("id < ?", f.Before)
	}
	q := `SELECT id, at, actor, action, target, detail, address, request FROM auth_audit`
	if len(where) > 0 {
		q += ` WHERE ` + strings.Join(where, " AND ")
	}
	args = append(args, f.Limit+1)
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		entries, err = queryEntries(ctx, tx, q+` ORDER BY id DESC LIMIT ?`, args)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("audit log: %w", err)
	}
	if len(entries) > f.Limit {
		entries = entries[:f.Limit]
		next = entries[f.Limit-1].ID
	}
	return entries, next, nil
}

func queryEntries(ctx context.Context, tx *store.Tx, q string, args []any) ([]Entry, error) {
	rows, err := tx.Query(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var entries []Entry
	for rows.Next() {
		var e Entry
		var at int64
		if err := rows.Scan(&e.ID, &at, &e.Actor, &e.Action, &e.Target, &e.Detail, &e.Address, &e.Request); err != nil {
			return nil, err
		}
		e.Time = store.FromMicros(at)
		entries = append(entries, e)
	}
	return entries, rows.Err()
}
