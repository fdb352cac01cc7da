package run

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

const (
	defaultLimit = 50
	maxLimit     = 500
	maxLines     = 5000 // of one answer of Log
)

// Filter selects runs: those that match every field that is set, where a field
// with several values matches any of them.
type Filter struct {
	Kinds    []string
	Services []string
	Statuses []Status

	Limit  int    // 0 means 50, at most 500
	Cursor string // the next of the page before
}

// Get returns a run with its steps.
func (e *Engine) Get(ctx context.Context, id string) (r Run, err error) {
	err = e.db.Read(ctx, func(tx *store.Tx) error {
		r, err = readRun(ctx, tx, id)
		return err
	})
	if err != nil {
		return Run{}, fmt.Errorf("get run: %w", err)
	}
	return r, nil
}

// List returns runs without their steps, newest first, and the cursor of the
// next page, empty on the last.
func (e *Engine) List(ctx context.Context, f Filter) (items []Run, next string, err error) {
	limit := f.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	limit = min(limit, maxLimit)
	terms, args := []string{"1 = 1"}, []any{}
	in := func(column string, n int, value func(int) string) {
		if n == 0 {
			return
		}
		terms = append(terms, column+" IN (?"+strings.Repeat(", ?", n-1)+")")
		for i := range n {
			args = append(args, value(i))
		}
	}
	in("kind", len(f.Kinds), func(i int) string { return f.Kinds[i] })
	in("service", len(f.Services), func(i int) string { return f.Services[i] })
	in("status", len(f.Statuses), func(i int) string { return string(f.Statuses[i]) })
	if f.Cursor != "" {
		terms, args = append(terms, "id < ?"), append(args, store.Text(f.Cursor))
	}
	args = append(args, limit+1)
	err = e.db.Read(ctx, func(tx *store.Tx) error {
		items, err = readRuns(ctx, tx, strings.Join(terms, " AND ")+" ORDER BY id DESC LIMIT ?", args...)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list runs: %w", err)
	}
	if len(items) > limit {
		items = items[:limit]
		next = items[limit-1].ID
	}
	return items, next, nil
}

// Log returns lines of a run with Seq after the one given, in order; limit 0
// means 5000, which is also the most.
func (e *Engine) Log(ctx context.Context, id string, after int64, limit int) (lines []Line, err error) {
	if limit <= 0 || limit > maxLines {
		limit = maxLines
	}
	err = e.db.Read(ctx, func(tx *store.Tx) error {
		if _, err := readHeader(ctx, tx, id); err != nil {
			return err
		}
		lines, err = readLines(ctx, tx, id, after, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("log of run: %w", err)
	}
	return lines, nil
}

func readRun(ctx context.Context, tx *store.Tx, id string) (Run, error) {
	r, err := readHeader(ctx, tx, id)
	if err != nil {
		return Run{}, err
	}
	steps, err := readSteps(ctx, tx, id)
	if err != nil {
		return Run{}, err
	}
	r.Steps = tree(steps)
	return r, nil
}

func readHeader(ctx context.Context, tx *store.Tx, id string) (Run, error) {
	found, err := readRuns(ctx, tx, "id = ?", store.Text(id))
	if err != nil {
		return Run{}, err
	}
	if len(found) == 0 {
		return Run{}, problem.New(problem.NotFound, "there is no run %q", id)
	}
	return found[0], nil
}

// readRuns never returns nil without an error.
func readRuns(ctx context.Context, tx *store.Tx, where string, args ...any) ([]Run, error) {
	rows, err := tx.Query(ctx, `SELECT id, kind, title, service, actor, exclusive, status, error, canceled_by,
		output, queued_at, started_at, finished_at FROM runs WHERE `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	runs := []Run{}
	for rows.Next() {
		r := Run{Steps: []Step{}}
		var output string
		var queued, started, finished int64
		if err := rows.Scan(&r.ID, &r.Kind, &r.Title, &r.Service, &r.Actor, &r.Exclusive, &r.Status, &r.Error,
			&r.CanceledBy, &output, &queued, &started, &finished); err != nil {
			return nil, err
		}
		r.QueuedAt, r.StartedAt, r.FinishedAt = store.FromMicros(queued), store.FromMicros(started), store.FromMicros(finished)
		if r.Output, err = decodeOutput(output); err != nil {
			return nil, fmt.Errorf("output of run %s: %w", r.ID, err)
		}
		runs = append(runs, r)
	}
	return runs, rows.Err()
}

func readSteps(ctx context.Context, tx *store.Tx, id string) ([]*stepRecord, error) {
	rows, err := tx.Query(ctx, `SELECT path, position, parent, name, depth, status, attempt, started_at, finished_at,
		error, output FROM run_steps WHERE run_id = ? ORDER BY position`, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var steps []*stepRecord
	for rows.Next() {
		s := &stepRecord{}
		var started, finished int64
		var output string
		if err := rows.Scan(&s.Path, &s.position, &s.parent, &s.Name, &s.Depth, &s.Status, &s.Attempt,
			&started, &finished, &s.Error, &output); err != nil {
			return nil, err
		}
		s.StartedAt, s.FinishedAt = store.FromMicros(started), store.FromMicros(finished)
		if s.output, err = decodeOutput(output); err != nil {
			return nil, fmt.Errorf("output of step %s: %w", s.Path, err)
		}
		steps = append(steps, s)
	}
	return steps, rows.Err()
}

// tree orders steps so that children follow their parent, siblings in the order
// they began.
func tree(steps []*stepRecord) []Step {
	children := map[string][]*stepRecord{}
	for _, s := range steps {
		children[s.parent] = append(children[s.parent], s)
	}
	ordered := make([]Step, 0, len(steps))
	var visit func(parent string)
	visit = func(parent string) {
		for _, s := range children[parent] {
			ordered = append(ordered, s.Step)
			visit(s.Path)
		}
	}
	visit("")
	return ordered
}

// readLines never returns nil without an error.
func readLines(ctx context.Context, tx *store.Tx, id string, after int64, limit int) ([]Line, error) {
	rows, err := tx.Query(ctx, `SELECT seq, time, step, stream, text FROM run_lines
		WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?`, id, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	lines := []Line{}
	for rows.Next() {
		var l Line
		var at int64
		if err := rows.Scan(&l.Seq, &at, &l.Step, &l.Stream, &l.Text); err != nil {
			return nil, err
		}
		l.Time = store.FromMicros(at)
		lines = append(lines, l)
	}
	return lines, rows.Err()
}

// insertLines writes lines, many with each statement.
func insertLines(ctx context.Context, tx *store.Tx, id string, lines []Line) error {
	const many = 100
	for len(lines) > 0 {
		n := min(many, len(lines))
		args := make([]any, 0, 6*n)
		for _, l := range lines[:n] {
			args = append(args, id, l.Seq, store.Micros(l.Time), l.Step, l.Stream, l.Text)
		}
		_, err := tx.Exec(ctx, `INSERT INTO run_lines (run_id, seq, time, step, stream, text) VALUES (?, ?, ?, ?, ?, ?)`+
			strings.Repeat(", (?, ?, ?, ?, ?, ?)", n-1), args...)
		if err != nil {
			return fmt.Errorf("write log: %w", err)
		}
		lines = lines[n:]
	}
	return nil
}

// logEnd tells where the log of a run stands.
func logEnd(ctx context.Context, tx *store.Tx, id string) (seq, bytes int64, err error) {
	err = tx.QueryRow(ctx, `SELECT COALESCE(MAX(seq), 0), COALESCE(SUM(OCTET_LENGTH(text) + ?), 0) FROM run_lines WHERE run_id = ?`, lineCost, id).
		Scan(&seq, &bytes)
	return seq, bytes, err
}

func encodeOutput(output map[string]string) (string, error) {
	if len(output) == 0 {
		return "", nil
	}
	raw, err := json.Marshal(output)
	return string(raw), err
}

func decodeOutput(text string) (output map[string]string, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &output)
	}
	return output, err
}

// now is the time as the store keeps it.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
