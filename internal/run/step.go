package run

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

const (
	maxSteps   = 10_000 // of one run
	longestGap = 5 * time.Minute
)

// StepOption changes how a step is executed.
type StepOption func(*stepOptions)

type stepOptions struct {
	retries int
	gap     time.Duration
	timeout time.Duration
}

// Retry tries a failed step up to n times more, first after gap and then after
// twice as long each time, up to five minutes. An error of code
// problem.Invalid is final: trying again cannot help.
func Retry(n int, gap time.Duration) StepOption {
	return func(o *stepOptions) { o.retries, o.gap = n, gap }
}

// Timeout ends the context of each attempt after d.
func Timeout(d time.Duration) StepOption {
	return func(o *stepOptions) { o.timeout = d }
}

// stepRecord is a step as it is stored.
type stepRecord struct {
	Step
	position int // in the order of beginning, from 1
	parent   string
	output   map[string]string
}

// Step executes fn as a step. Steps nest, and may run side by side if their
// names differ. A step that succeeded before a crash is skipped and its output
// restored; one that was under way is executed again, so what fn does outside
// daytwo must bear repeating (see Commit for what it does inside). Inside it,
// the steps that had succeeded are skipped too. A retry, however, begins anew
// with all that is inside.
func (t *Task) Step(ctx context.Context, name string, fn func(ctx context.Context, t *Task) error, options ...StepOption) error {
	s, done, err := t.enter(ctx, name)
	if err != nil || done {
		return err
	}
	var o stepOptions
	for _, option := range options {
		option(&o)
	}
	for tries := 1; ; tries++ {
		err := t.attempt(ctx, s, o.timeout, fn)
		if err == nil || tries > o.retries || ctx.Err() != nil || problem.CodeOf(err) == problem.Invalid {
			return err
		}
		gap := doubling(o.gap, tries, longestGap)
		t.x.log.say(s.Path, Sys, fmt.Sprintf("attempt %d failed: %s; the next in %s", s.Attempt, s.Error, gap))
		select {
		case <-time.After(gap):
		case <-ctx.Done():
			return err
		}
	}
}

// Commit executes fn as a step whose writes through tx and whose success are one
// transaction: they happen exactly once, whenever daytwo is killed. fn must be
// quick; it may be called more than once, and has effects only through tx.
func (t *Task) Commit(ctx context.Context, name string, fn func(ctx context.Context, tx *store.Tx) error) error {
	s, done, err := t.enter(ctx, name)
	if err != nil || done {
		return err
	}
	s.begin()
	err = t.x.write(ctx, func(tx *store.Tx) error {
		if err := fn(tx.Context(), tx); err != nil {
			return err
		}
		s.end(verdict{Succeeded, ""})
		return t.x.save(tx.Context(), tx, s)
	})
	if err == nil {
		return nil
	}
	return t.fail(ctx, s, err, context.Cause(ctx))
}

// enter finds the record of the next step called name, or makes one. done tells
// that it has succeeded before.
func (t *Task) enter(ctx context.Context, name string) (s *stepRecord, done bool, err error) {
	if ctx.Err() != nil {
		return nil, false, fmt.Errorf("%s: %w", name, context.Cause(ctx))
	}
	if s, err = t.x.record(t, name); err != nil {
		return nil, false, err
	}
	if s.Status == Succeeded {
		t.x.log.say(s.Path, Sys, "succeeded before, skipped")
		t.merge(s.output)
		return s, true, nil
	}
	return s, false, nil
}

func (t *Task) attempt(ctx context.Context, s *stepRecord, timeout time.Duration, fn func(context.Context, *Task) error) error {
	forgotten := t.x.forgetInside(s)
	s.begin()
	err := t.x.write(ctx, func(tx *store.Tx) error {
		for _, path := range forgotten {
			if _, err := tx.Exec(ctx, `DELETE FROM run_steps WHERE run_id = ? AND path = ?`, t.x.run.ID, path); err != nil {
				return err
			}
		}
		return t.x.save(ctx, tx, s)
	})
	if err != nil {
		return fmt.Errorf("%s: record its beginning: %w", s.Name, err)
	}
	work, cancel := withTimeout(ctx, timeout)
	defer cancel()
	inside := &Task{x: t.x, parent: t, path: s.Path, depth: t.depth + 1}
	err = guarded(t.x.e.log, t.x.run.ID, func() error { return fn(work, inside) })
	inside.close()
	if err != nil {
		return t.fail(ctx, s, err, context.Cause(work))
	}
	s.end(verdict{Succeeded, ""})
	s.output = inside.ownOutput()
	err = t.x.write(context.WithoutCancel(ctx), func(tx *store.Tx) error { return t.x.save(tx.Context(), tx, s) })
	if err != nil {
		return fmt.Errorf("%s: record its success: %w", s.Name, err)
	}
	t.merge(s.output)
	return nil
}

// fail records how s ended with err, when cause is why its context ended, and
// returns the error for the caller.
func (t *Task) fail(ctx context.Context, s *stepRecord, err, cause error) error {
	v := judge(err, cause)
	v.reason = t.x.presentable(v.reason)
	s.end(v)
	if v.status != Failed || v.reason != err.Error() {
		err = &ended{v.reason, err}
	}
	recorded := t.x.write(context.WithoutCancel(ctx), func(tx *store.Tx) error { return t.x.save(tx.Context(), tx, s) })
	if recorded != nil {
		t.x.e.log.Error("the failure of a step cannot be stored", "run", t.x.run.ID, "step", s.Path, "error", recorded)
	}
	return fmt.Errorf("%s: %w", s.Name, err)
}

// ended is the error of a step that reads as its verdict does.
type ended struct {
	reason string
	cause  error
}

func (e *ended) Error() string { return e.reason }
func (e *ended) Unwrap() error { return e.cause }

func (s *stepRecord) begin() {
	s.Status, s.Error, s.StartedAt, s.FinishedAt, s.output = Running, "", now(), time.Time{}, nil
	s.Attempt++
}

func (s *stepRecord) end(v verdict) {
	s.Status, s.Error, s.FinishedAt = v.status, v.reason, now()
}

// record returns the record of the next step of t called name.
func (x *execution) record(t *Task, name string) (*stepRecord, error) {
	if name = cut(strings.TrimSpace(store.Text(name)), maxName); name == "" {
		name = "step"
	}
	path := t.segment(strings.ReplaceAll(name, "/", "_"))
	if t.path != "" {
		path = t.path + "/" + path
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if s := x.steps[path]; s != nil {
		return s, nil
	}
	if len(x.steps) >= maxSteps {
		return nil, problem.New(problem.Exhausted, "a run has at most %d steps", maxSteps)
	}
	x.began++
	s := &stepRecord{Step: Step{Path: path, Name: name, Depth: t.depth}, position: x.began, parent: t.path}
	x.steps[path] = s
	return s, nil
}

// segment makes a name unique among the steps of t: the second x is x#2.
func (t *Task) segment(name string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.names == nil {
		t.names = map[string]bool{}
	}
	unique := name
	for n := 2; t.names[unique]; n++ {
		unique = name + "#" + strconv.Itoa(n)
	}
	t.names[unique] = true
	return unique
}

// forgetInside drops what a failed attempt has left below s, and returns the
// paths. After a crash there is no failed attempt, and nothing is dropped.
func (x *execution) forgetInside(s *stepRecord) (paths []string) {
	if s.Status != Failed && s.Status != Canceled {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for path := range maps.Keys(x.steps) {
		if strings.HasPrefix(path, s.Path+"/") {
			paths = append(paths, path)
			delete(x.steps, path)
		}
	}
	return paths
}

// save stores s as it is now.
func (x *execution) save(ctx context.Context, tx *store.Tx, s *stepRecord) error {
	output, err := encodeOutput(s.output)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO run_steps (run_id, path, position, parent, name, depth, status, attempt, started_at,
		finished_at, error, output) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (run_id, path) DO UPDATE SET status = excluded.status, attempt = excluded.attempt, started_at = excluded.started_at,
		finished_at = excluded.finished_at, error = excluded.error, output = excluded.output`,
		x.run.ID, s.Path, s.position, s.parent, s.Name, s.Depth, string(s.Status), s.Attempt, s.StartedAt, s.FinishedAt, s.Error, output)
	if err != nil {
		return fmt.Errorf("record step: %w", err)
	}
	crashes := ""
	if s.Status == Succeeded {
		crashes = ", crashes = 0"
	}
	_, err = tx.Exec(ctx, `UPDATE runs SET revision = revision + 1`+crashes+` WHERE id = ?`, x.run.ID)
	return err
}
