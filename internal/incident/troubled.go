package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/daytwo-dev/daytwo/internal/store"
)

// Troubled are the incidents of a service that ended from a time on and before another, the zero time for no end; with lasting also
// those that are open. Those that were merged into others are left out: those stand for them. Only what the public may be told of is
// read: times, severity and the updates of the board.
func (s *Incidents) Troubled(ctx context.Context, service string, from, to time.Time, lasting bool) (list []Incident, err error) {
	const columns = `SELECT id, severity, opened_at, acknowledged_at, resolved_at, board FROM incidents WHERE service = ? AND merged_into = ''`
	ended, args := columns+` AND status = 'resolved' AND resolved_at >= ?`, []any{service, from}
	if !to.IsZero() {
		ended, args = ended+` AND resolved_at < ?`, append(args, to)
	}
	scan := func(row scanner) (Incident, error) { return scanTroubled(row, service) }
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		if list, err = query(ctx, tx, scan, ended, args...); err != nil || !lasting {
			return err
		}
		open, err := query(ctx, tx, scan, columns+` AND status <> 'resolved'`, service)
		list = append(list, open...)
		return err
	})
	return list, err
}

func scanTroubled(row scanner, service string) (Incident, error) {
	i := Incident{Service: service}
	var opened, acknowledged, resolved int64
	var board string
	if err := row.Scan(&i.ID, &i.Severity, &opened, &acknowledged, &resolved, &board); err != nil {
		return i, err
	}
	i.OpenedAt, i.AcknowledgedAt, i.ResolvedAt = store.FromMicros(opened), pointer(acknowledged), pointer(resolved)
	var told struct {
		Updates []Update `json:"updates"`
	}
	if err := json.Unmarshal([]byte(board), &told); err != nil {
		return i, fmt.Errorf("board of incident %s: %w", i.ID, err)
	}
	i.Board.Updates = told.Updates
	return i, nil
}
