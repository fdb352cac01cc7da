package orchestrate

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/run"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// hopelessExits is after how many ends of its process a new revision is given
// up before its deadline.
const hopelessExits = 3

// job is the input of a run of the kind "deploy".
type job struct {
	Workload string `json:"workload"`
	Revision int    `json:"revision"` // 0 for a restart; for a removal what was current, if anything
	Action   string `json:"action"`   // deploy, rollback, restart, remove
}

const (
	restart = "restart"
	remove  = "remove"
)

// deploy executes such a run. Every step looks at the store and the process
// alone, so that it can be repeated after a crash at any point. The steps are
// the same on every way through.
func (o *Orchestrator) deploy(ctx context.Context, t *run.Task) error {
	var j job
	if err := t.Input(&j); err != nil {
		return err
	}
	switch j.Action {
	case remove:
		return o.remove(ctx, t, j)
	case restart: // of what is current now; no deploy comes between
		if err := o.db.Read(ctx, func(tx *store.Tx) error {
			w, err := readRow(ctx, tx, j.Workload)
			if err == nil && w.current == 0 {
				err = nothingToRestart(w.name)
			}
			j.Revision = w.current
			return err
		}); err != nil {
			return err
		}
	}
	err := o.rollOut(ctx, t, j)
	switch {
	case err == nil || j.Action == restart || errors.Is(err, errGivenUp):
		return err
	case ctx.Err() == nil:
		return errors.Join(err, o.giveUp(ctx, t, j, err))
	}
	// Either somebody has canceled the run, or daytwo stops and the run goes on
	// when it is back.
	unending := context.WithoutCancel(ctx)
	is, getErr := o.runs.Get(unending, t.Run().ID)
	if getErr != nil || is.CanceledBy == "" {
		return errors.Join(err, getErr)
	}
	_, _, backErr := o.putBack(unending, j, problem.New(problem.Conflict, "canceled by %s", is.CanceledBy))
	return errors.Join(err, backErr)
}

func (o *Orchestrator) rollOut(ctx context.Context, t *run.Task, j job) (err error) {
	ctx, leave := o.enlist(ctx, j)
	defer leave()
	defer func() { // whatever was cut off by it
		if given := context.Cause(ctx); err != nil && errors.Is(given, errGivenUp) {
			err = given
		}
	}()
	step := func(name string, do func(context.Context, *run.Task, job) error) error {
		return t.Step(ctx, name, func(ctx context.Context, t *run.Task) error { return do(ctx, t, j) })
	}
	if err := step("stop the old process", o.replace); err != nil {
		return err
	}
	if err := step("start the new process", o.started); err != nil {
		return err
	}
	if err := step("wait until it is ready", o.ready); err != nil {
		return err
	}
	err = t.Commit(ctx, "record", func(ctx context.Context, tx *store.Tx) error {
		return o.record(ctx, tx, j, o.observe(j.Workload))
	})
	if err == nil {
		t.Output(map[string]string{"revision": fmt.Sprint(j.Revision)})
	}
	return err
}

// replace wishes for the revision and waits until the old process has ended.
func (o *Orchestrator) replace(ctx context.Context, t *run.Task, j job) error {
	var w row
	err := o.db.Write(ctx, func(tx *store.Tx) error {
		r, err := readRevision(ctx, tx, j.Workload, j.Revision)
		if err != nil {
			return err
		}
		if r.State == failed {
			return r.givenUp()
		}
		if w, err = readRow(ctx, tx, j.Workload); err != nil {
			return err
		}
		return o.wish(ctx, tx, &w, j.Revision)
	})
	if err != nil {
		return err
	}
	return o.await(ctx, j.Workload, func(seen observed) (bool, error) {
		if seen.generation >= w.generation {
			return true, nil
		}
		if seen.phase == stopping {
			t.Logf("waiting for process %d to end", seen.pid)
		}
		return false, nil
	})
}

// wish changes what should run.
func (o *Orchestrator) wish(ctx context.Context, tx *store.Tx, w *row, revision int) error {
	w.desired = revision
	w.generation++
	tx.OnCommit(o.nudge)
	return w.save(ctx, tx)
}

// wished reads what is wished for, which is the job's revision unless it was
// given up.
func (o *Orchestrator) wished(ctx context.Context, j job) (w row, r Revision, m Manifest, err error) {
	err = o.db.Read(ctx, func(tx *store.Tx) error {
		if w, err = readRow(ctx, tx, j.Workload); err != nil {
			return err
		}
		if r, err = readRevision(ctx, tx, j.Workload, j.Revision); err != nil {
			return err
		}
		m, err = r.parsed()
		return err
	})
	if err == nil && (w.desired != j.Revision || r.State == failed) {
		err = r.givenUp()
	}
	return w, r, m, err
}

func (o *Orchestrator) started(ctx context.Context, t *run.Task, j job) error {
	w, r, m, err := o.wished(ctx, j)
	if err != nil {
		return err
	}
	if m.Replicas == 0 {
		t.Logf("%s has no replicas, so none is started", r.title())
		return nil
	}
	return o.await(ctx, j.Workload, func(seen observed) (bool, error) {
		switch {
		case seen.generation != w.generation:
			return false, nil
		case seen.hopeless:
			return false, problem.New(problem.Conflict, "%s cannot be started: %s", r.title(), seen.fault)
		case seen.pid == 0 && seen.exits >= hopelessExits:
			return false, problem.New(problem.Conflict, "%s could not be started %d times: %s", r.title(), seen.exits, seen.fault)
		case seen.pid == 0:
			return false, nil
		}
		t.Logf("%s runs as process %d", r.title(), seen.pid)
		return true, nil
	})
}

func (o *Orchestrator) ready(ctx context.Context, t *run.Task, j job) error {
	w, r, m, err := o.wished(ctx, j)
	if err != nil {
		return err
	}
	if m.Replicas == 0 {
		return nil
	}
	if err := o.awaitReady(ctx, j.Workload, w.generation, r.title(), m.Deadline); err != nil {
		return err
	}
	t.Logf("%s is ready", r.title())
	return nil
}

// awaitReady waits until the process of a generation is ready; the error says
// why it has not become so in time.
func (o *Orchestrator) awaitReady(ctx context.Context, workload string, generation int64, title string, deadline time.Duration) error {
	errLate := errors.New("late")
	bounded, cancel := context.WithTimeoutCause(ctx, deadline, errLate)
	defer cancel()
	var last observed
	err := o.await(bounded, workload, func(seen observed) (bool, error) {
		last = seen
		switch {
		case seen.generation != generation:
			return false, nil
		case seen.hopeless:
			return false, problem.New(problem.Conflict, "%s cannot be started: %s", title, seen.fault)
		case seen.exits >= hopelessExits && seen.phase == backoff:
			return false, problem.New(problem.Conflict, "%s ended %d times before it was ready: %s", title, seen.exits, seen.fault)
		}
		return seen.ready, nil
	})
	if err != nil && ctx.Err() == nil && errors.Is(context.Cause(bounded), errLate) && problem.CodeOf(err) != problem.Conflict {
		_, why := judge(last, time.Now())
		return problem.New(problem.Conflict, "%s did not become ready within %v: %s", title, deadline, why)
	}
	return err
}

// record makes the revision the current one.
func (o *Orchestrator) record(ctx context.Context, tx *store.Tx, j job, seen observed) error {
	w, err := readRow(ctx, tx, j.Workload)
	if err != nil {
		return err
	}
	r, err := readRevision(ctx, tx, w.name, j.Revision)
	if err != nil {
		return err
	}
	if w.desired != r.Revision || r.State == failed {
		return r.givenUp()
	}
	m, err := r.parsed()
	if err != nil {
		return err
	}
	var old Revision
	if w.current > 0 && w.current != r.Revision {
		if old, err = readRevision(ctx, tx, w.name, w.current); err != nil {
			return err
		}
	}
	if j.Action != restart {
		r.State, r.Fault, r.Replaced = good, "", w.current
		w.current, w.service = r.Revision, m.Service
		if err := errors.Join(r.save(ctx, tx, w.name), w.save(ctx, tx)); err != nil {
			return err
		}
	}
	e := change(j, m, r, old)
	e.Time = seen.started
	if is := seen.replaced; is.how != "" {
		e.Data["graceful"], e.Data["stopped"] = strconv.FormatBool(is.graceful), is.how
	}
	return o.timeline.Append(ctx, tx, e)
}

// change is the entry for what was done.
func change(j job, m Manifest, r, old Revision) *timeline.Entry {
	e := &timeline.Entry{
		Kind: timeline.Change, Action: j.Action, Service: m.Service, Actor: r.Actor, Ref: "workload/" + j.Workload, Tone: timeline.Info,
		Data: map[string]string{"workload": j.Workload, "version": r.Version, "revision": fmt.Sprint(r.Revision), "run": r.Run},
	}
	was := ""
	if old.Revision > 0 {
		e.Data["previous"], e.Data["previousRevision"] = old.Version, fmt.Sprint(old.Revision)
		was = fmt.Sprintf(" (was %s)", old.title())
	}
	switch j.Action {
	case restart:
		e.Title = fmt.Sprintf("%s %s restarted", j.Workload, r.title())
	case "rollback":
		e.Title = fmt.Sprintf("%s rolled back to %s%s", j.Workload, r.title(), was)
	default:
		e.Title = fmt.Sprintf("%s %s deployed%s", j.Workload, r.title(), was)
	}
	return e
}

// giveUp puts the previous revision back and waits for it.
func (o *Orchestrator) giveUp(ctx context.Context, t *run.Task, j job, why error) error {
	w, previous, err := o.putBack(ctx, j, why)
	if err != nil {
		return fmt.Errorf("putting the previous revision back: %w", err)
	}
	if w.current == 0 { // there is none
		return o.await(ctx, w.name, func(seen observed) (bool, error) { return seen.generation >= w.generation, nil })
	}
	m, err := previous.parsed()
	if err != nil || m.Replicas == 0 {
		return err
	}
	return t.Step(ctx, "put the previous revision back", func(ctx context.Context, t *run.Task) error {
		t.Logf("%s is put back", previous.title())
		return o.awaitReady(ctx, w.name, w.generation, previous.title(), m.Grace+m.Deadline)
	})
}

// putBack marks the job's revision as failed and wishes for the current one
// instead. Done twice it does nothing.
func (o *Orchestrator) putBack(ctx context.Context, j job, why error) (w row, previous Revision, err error) {
	err = o.db.Write(ctx, func(tx *store.Tx) error {
		if w, err = readRow(ctx, tx, j.Workload); err != nil {
			return err
		}
		if w.current > 0 {
			if previous, err = readRevision(ctx, tx, w.name, w.current); err != nil {
				return err
			}
		}
		r, err := readRevision(ctx, tx, w.name, j.Revision)
		if err != nil || j.Action == restart || r.State != pending {
			return err
		}
		r.State, r.Fault = failed, problem.From(why).Message
		if err := r.save(ctx, tx, w.name); err != nil {
			return err
		}
		if w.desired == w.current {
			return nil // it was never started
		}
		if err := o.wish(ctx, tx, &w, w.current); err != nil {
			return err
		}
		return o.timeline.Append(ctx, tx, failure(w, r, previous))
	})
	return w, previous, err
}

func failure(w row, r, previous Revision) *timeline.Entry {
	e := &timeline.Entry{
		Kind: timeline.Change, Action: "deploy_failed", Service: w.service, Actor: r.Actor, Ref: "workload/" + w.name, Tone: timeline.Warning,
		Title: fmt.Sprintf("%s %s was not deployed: %s", w.name, r.title(), r.Fault),
		Data:  map[string]string{"workload": w.name, "version": r.Version, "revision": fmt.Sprint(r.Revision), "run": r.Run, "error": r.Fault},
	}
	if previous.Revision > 0 {
		e.Data["previous"], e.Data["previousRevision"] = previous.Version, fmt.Sprint(previous.Revision)
		e.Title += fmt.Sprintf("; %s is back", previous.title())
	}
	return e
}

// settle ends revisions whose run has ended without saying so: it was canceled
// while it waited, or while daytwo was down.
func (o *Orchestrator) settle(ctx context.Context) error {
	open := map[string][]Revision{}
	err := o.db.Read(ctx, func(tx *store.Tx) error {
		rows, err := readRows(ctx, tx, `WHERE name IN (SELECT workload FROM orchestrate_revisions WHERE state = ?)`, pending)
		if err != nil {
			return err
		}
		for _, w := range rows {
			if open[w.name], err = readRevisions(ctx, tx, w.name, `AND state = ?`, pending); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for name, revisions := range open {
		for _, r := range revisions {
			is, err := o.runs.Get(ctx, r.Run)
			if err != nil {
				return err
			}
			if !is.Status.Final() {
				continue
			}
			why := problem.New(problem.Conflict, "its run %s", is.Status)
			if _, _, err := o.putBack(ctx, job{name, r.Revision, r.Action}, why); err != nil {
				return err
			}
		}
	}
	return nil
}

// await blocks until done says so of a workload's process, or ctx ends.
func (o *Orchestrator) await(ctx context.Context, name string, done func(observed) (bool, error)) error {
	for {
		next := o.house.changed.next()
		if ok, err := done(o.observe(name)); ok || err != nil {
			return err
		}
		select {
		case <-next:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
