package orchestrate

import (
	"context"
	"fmt"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/run"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// Apply queues the deploy of a manifest inside tx. If the workload runs just
// that, or its deploy is on its way, nothing is queued and the run that brought
// it is returned.
func (o *Orchestrator) Apply(ctx context.Context, tx *store.Tx, m Manifest, actor string) (run.Run, error) {
	w, err := readRow(ctx, tx, m.Name)
	if isMissing(err) {
		w, err = row{name: m.Name, service: m.Service}, nil
	}
	if err != nil {
		return run.Run{}, err
	}
	if r, same, err := o.standing(ctx, tx, w, m); err != nil || same {
		return r, err
	}
	if err := o.assignPorts(ctx, tx, m); err != nil {
		return run.Run{}, err
	}
	return o.revise(ctx, tx, w, m, job{Workload: m.Name, Action: "deploy"}, actor, fmt.Sprintf("Deploy %s", m.Name))
}

// standing returns the run that brought, or brings, just this manifest.
func (o *Orchestrator) standing(ctx context.Context, tx *store.Tx, w row, m Manifest) (run.Run, bool, error) {
	// The newest revision that has not failed is what the workload will be
	// once everything queued is done.
	all, err := readRevisions(ctx, tx, w.name, `AND (revision = ? OR state = ?)`, w.current, pending)
	if err != nil || len(all) == 0 {
		return run.Run{}, false, err
	}
	was, err := all[0].parsed()
	if err != nil || !was.Same(m) {
		return run.Run{}, false, err
	}
	r, err := o.runs.Get(ctx, all[0].Run)
	return r, true, err
}

// revise stores a new revision and queues the run that brings it. Whatever else
// was on its way is given up for it.
func (o *Orchestrator) revise(ctx context.Context, tx *store.Tx, w row, m Manifest, j job, actor, title string) (run.Run, error) {
	w.latest++
	j.Revision = w.latest
	if m.Version != "" {
		title += " " + m.Version
	}
	if err := o.supersede(ctx, tx, w, fmt.Sprintf("%s replaces it, on behalf of %s", m.title(w.latest), actor)); err != nil {
		return run.Run{}, err
	}
	started, err := o.runs.Start(ctx, tx, run.Spec{
		Kind: "deploy", Title: title, Service: m.Service, Actor: actor, Input: j, Exclusive: "workload/" + w.name,
	})
	if err != nil {
		return run.Run{}, err
	}
	r := Revision{Revision: w.latest, Version: m.Version, At: time.Now().UTC(), Actor: actor, Action: j.Action,
		Run: started.ID, State: pending, Manifest: m.Text}
	if err := w.save(ctx, tx); err != nil {
		return run.Run{}, err
	}
	tx.OnCommit(o.nudge)
	return started, r.save(ctx, tx, w.name)
}

// assignPorts makes sure that the workload and all that it refers to have one.
func (o *Orchestrator) assignPorts(ctx context.Context, tx *store.Tx, m Manifest) error {
	ports, err := readPorts(ctx, tx)
	if err != nil {
		return err
	}
	for name, port := range ports {
		if m.Port != 0 && port == m.Port && name != m.Name {
			return problem.New(problem.Conflict, "workload %s wants port %d, which is that of %s", m.Name, m.Port, name).
				WithMend("leave containerPort out, so that a free one is chosen")
		}
	}
	need := append([]string{m.Name}, m.references()...)
	for i, name := range need {
		port, known := ports[name]
		if i == 0 && m.Port != 0 {
			port, known = m.Port, false
		} else if !known {
			if port, err = choosePort(ctx, o.house.owner, name, taken(ports)); err != nil {
				return problem.New(problem.Exhausted, "%w", err)
			}
		}
		if ports[name] = port; !known {
			if err := savePort(ctx, tx, name, port); err != nil {
				return err
			}
		}
	}
	return nil
}

// Rollback queues going back to what a revision was, as a new revision; 0
// stands for the one before the current, or for the current while another is on
// its way.
func (o *Orchestrator) Rollback(ctx context.Context, tx *store.Tx, name string, revision int, actor string) (run.Run, error) {
	w, err := readRow(ctx, tx, name)
	if err != nil {
		return run.Run{}, err
	}
	if revision == 0 {
		if revision, err = o.previous(ctx, tx, w); err != nil {
			return run.Run{}, err
		}
	}
	r, err := readRevision(ctx, tx, name, revision)
	if err != nil {
		return run.Run{}, err
	}
	m, err := r.parsed()
	if err != nil {
		return run.Run{}, err
	}
	if underway, same, err := o.standing(ctx, tx, w, m); err != nil {
		return run.Run{}, err
	} else if same && !underway.Status.Final() {
		return underway, nil
	} else if same {
		return run.Run{}, problem.New(problem.Conflict, "%s runs what revision %d was already", name, revision)
	}
	if err := o.assignPorts(ctx, tx, m); err != nil {
		return run.Run{}, err
	}
	return o.revise(ctx, tx, w, m, job{Workload: name, Action: "rollback"}, actor, fmt.Sprintf("Roll back %s to", name))
}

func (o *Orchestrator) previous(ctx context.Context, tx *store.Tx, w row) (int, error) {
	none := problem.New(problem.Conflict, "%s has no revision before its current one", w.name).WithMend("deploy another version instead")
	if w.current == 0 {
		return 0, none
	}
	if coming, err := readRevisions(ctx, tx, w.name, `AND state = ?`, pending); err != nil || len(coming) > 0 {
		return w.current, err
	}
	r, err := readRevision(ctx, tx, w.name, w.current)
	if err != nil {
		return 0, err
	}
	if r.Replaced == 0 {
		return 0, none
	}
	return r.Replaced, nil
}

// Restart queues stopping and starting the current revision.
func (o *Orchestrator) Restart(ctx context.Context, tx *store.Tx, name, actor string) (run.Run, error) {
	w, err := readRow(ctx, tx, name)
	if err != nil {
		return run.Run{}, err
	}
	if w.current == 0 {
		return run.Run{}, nothingToRestart(name)
	}
	return o.runs.Start(ctx, tx, run.Spec{
		Kind: "deploy", Title: "Restart " + name, Service: w.service, Actor: actor, Exclusive: "workload/" + name,
		Input: job{Workload: name, Action: restart},
	})
}

func nothingToRestart(name string) error {
	return problem.New(problem.Conflict, "no revision of %s has been ready yet", name).WithMend("deploy it first")
}
