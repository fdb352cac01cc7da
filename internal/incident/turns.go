package incident

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// whoseTurn finds out who a step pages now: of a round robin the target whose turn it is, or the next one after it that reaches
// somebody. A turn is taken when the step is, not before, so that incidents that never get there cost nobody theirs.
func (s *Incidents) whoseTurn(ctx context.Context, tx *store.Tx, st step, now time.Time) (step, error) {
	if len(st.turns) == 0 {
		return s.resolve(st, now), nil
	}
	var turn int64
	err := tx.QueryRow(ctx, `SELECT turn FROM round_robins WHERE policy = ? AND level = ?`, st.policy, st.level-1).Scan(&turn)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return st, fmt.Errorf("round robin: %w", err)
	}
	var passed []string
	for range st.turns {
		this := s.resolve(st.only(st.turns[int(turn%int64(len(st.turns)))]), now)
		turn++
		if len(this.reachable()) == 0 {
			passed = append(passed, this.unreachable())
			continue
		}
		this.passed = passed
		_, err = tx.Exec(ctx, `INSERT INTO round_robins (policy, level, turn) VALUES (?, ?, ?)
			ON CONFLICT (policy, level) DO UPDATE SET turn = excluded.turn`, st.policy, st.level-1, turn)
		if err != nil {
			return st, fmt.Errorf("round robin: %w", err)
		}
		return this, s.fact(ctx, tx, "", factTurn, turnTaken{st.policy, st.level - 1, turn})
	}
	st.people, st.schedules, st.gaps = nil, nil, passed
	return st, nil
}

// only is a step with one of its targets.
func (s step) only(t catalog.Target) step {
	s.turns = nil
	s.schedules = slices.DeleteFunc(slices.Clone(s.schedules), func(name string) bool { return t.Kind != catalog.ToSchedule || name != t.Name })
	s.people = slices.DeleteFunc(slices.Clone(s.people), func(p Contact) bool { return t.Kind == catalog.ToSchedule || p.Name != t.Name })
	return s
}
