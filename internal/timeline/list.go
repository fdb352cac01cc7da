package timeline

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/daytwo-dev/daytwo/internal/store"
)

const (
	defaultLimit = 50
	maxLimit     = 500
)

// List returns the entries f selects, newest first by Time, and the cursor of
// the next page, empty on the last.
func (t *Timeline) List(ctx context.Context, f Filter) (items []Entry, next string, err error) {
	limit := f.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	where := f.conditions()
	if f.Cursor != "" {
		p, err := parsePlace(f.Cursor)
		if err != nil {
			return nil, "", err
		}
		where.add("(time < ? OR (time = ? AND seq < ?))", p.micros, p.micros, p.seq)
	}
	err = t.db.Read(ctx, func(tx *store.Tx) error {
		items, err = readEntries(ctx, tx, where, "time DESC, seq DESC", limit+1)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list timeline: %w", err)
	}
	if len(items) > limit {
		items = items[:limit]
		last := items[limit-1]
		next = place{store.Micros(last.Time), last.Seq}.String()
	}
	return items, next, nil
}

// readEntries never returns nil without an error.
func readEntries(ctx context.Context, tx *store.Tx, where *conditions, order string, limit int) ([]Entry, error) {
	rows, err := tx.Query(ctx, `SELECT seq, id, time, kind, action, service, title, actor, ref, tone, data
		FROM timeline_entries WHERE `+where.String()+` ORDER BY `+order+` LIMIT ?`, append(where.args, limit)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	items := []Entry{}
	for rows.Next() {
		e, err := scanEntry(rows)
		if err != nil {
			return nil, err
		}
		items = append(items, e)
	}
	return items, rows.Err()
}

func scanEntry(rows *sql.Rows) (e Entry, err error) {
	var micros int64
	var data string
	err = rows.Scan(&e.Seq, &e.ID, &micros, &e.Kind, &e.Action, &e.Service, &e.Title, &e.Actor, &e.Ref, &e.Tone, &data)
	if err != nil {
		return e, err
	}
	e.Time = store.FromMicros(micros)
	if data != "" {
		if err := json.Unmarshal([]byte(data), &e.Data); err != nil {
			return e, fmt.Errorf("data of timeline entry %d: %w", e.Seq, err)
		}
	}
	return e, nil
}
