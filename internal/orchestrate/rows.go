package orchestrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// States of a revision.
const (
	pending = "pending" // its deploy has not ended
	good    = "good"    // it became ready
	failed  = "failed"  // it did not, or its deploy was canceled
)

// row is what is stored of a workload.
type row struct {
	name, service            string
	current, desired, latest int
	generation               int64
	synced                   string
}

func readRows(ctx context.Context, tx *store.Tx, where string, args ...any) ([]row, error) {
	rows, err := tx.Query(ctx, `SELECT name, service, current_revision, desired_revision, latest_revision, generation, synced
		FROM orchestrate_workloads `+where+` ORDER BY name`, args...)
	if err != nil {
		return nil, fmt.Errorf("read workloads: %w", err)
	}
	defer rows.Close()
	var all []row
	for rows.Next() {
		var w row
		if err := rows.Scan(&w.name, &w.service, &w.current, &w.desired, &w.latest, &w.generation, &w.synced); err != nil {
			return nil, fmt.Errorf("read workloads: %w", err)
		}
		all = append(all, w)
	}
	return all, rows.Err()
}

func readRow(ctx context.Context, tx *store.Tx, name string) (row, error) {
	all, err := readRows(ctx, tx, `WHERE name = ?`, name)
	if err == nil && len(all) == 0 {
		err = problem.New(problem.NotFound, "there is no workload %q", name).WithMend("see GET /api/workloads")
	}
	if err != nil {
		return row{}, err
	}
	return all[0], nil
}

func (w row) save(ctx context.Context, tx *store.Tx) error {
	_, err := tx.Exec(ctx, `INSERT INTO orchestrate_workloads
		(name, service, current_revision, desired_revision, latest_revision, generation, synced) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET service = excluded.service, current_revision = excluded.current_revision,
		desired_revision = excluded.desired_revision, latest_revision = excluded.latest_revision,
		generation = excluded.generation, synced = excluded.synced`,
		w.name, w.service, w.current, w.desired, w.latest, w.generation, w.synced)
	if err != nil {
		return fmt.Errorf("write workload %s: %w", w.name, err)
	}
	return nil
}

// Revision is one state that a workload had or was to have.
type Revision struct {
	Revision int       `json:"revision"`
	Version  string    `json:"version,omitempty"`
	At       time.Time `json:"at"`
	Actor    string    `json:"actor,omitempty"`
	Action   string    `json:"action" enum:"deploy,rollback"`
	Run      string    `json:"run" doc:"id of the run that brought it"`
	State    string    `json:"state" enum:"pending,good,failed"`
	Fault    string    `json:"fault,omitempty" doc:"why it failed"`
	Replaced int       `json:"replaced,omitempty" doc:"the revision that was current before"`
	Current  bool      `json:"current"`
	Manifest string    `json:"manifest"`
}

// parsed is the manifest as Parse once accepted it.
func (r Revision) parsed() (Manifest, error) {
	all, findings := Parse("manifest", []byte(r.Manifest))
	if len(all) != 1 {
		return Manifest{}, fmt.Errorf("stored manifest of revision %d: %v", r.Revision, findings)
	}
	return all[0], nil
}

func (r Revision) title() string {
	if r.Version != "" {
		return r.Version
	}
	return revisionName(r.Revision)
}

func revisionName(n int) string { return fmt.Sprintf("revision %d", n) }

// readRevisions reads a workload's revisions, newest first.
func readRevisions(ctx context.Context, tx *store.Tx, name, where string, args ...any) ([]Revision, error) {
	rows, err := tx.Query(ctx, `SELECT revision, version, manifest, actor, created_at, action, run, replaced, state, fault
		FROM orchestrate_revisions WHERE workload = ? `+where+` ORDER BY revision DESC`, append([]any{name}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("read revisions of %s: %w", name, err)
	}
	defer rows.Close()
	var all []Revision
	for rows.Next() {
		var r Revision
		var at int64
		if err := rows.Scan(&r.Revision, &r.Version, &r.Manifest, &r.Actor, &at, &r.Action, &r.Run, &r.Replaced, &r.State, &r.Fault); err != nil {
			return nil, fmt.Errorf("read revisions of %s: %w", name, err)
		}
		r.At = store.FromMicros(at)
		all = append(all, r)
	}
	return all, rows.Err()
}

func readRevision(ctx context.Context, tx *store.Tx, name string, n int) (Revision, error) {
	all, err := readRevisions(ctx, tx, name, `AND revision = ?`, n)
	if err == nil && len(all) == 0 {
		err = problem.New(problem.NotFound, "workload %s has no revision %d", name, n).
			WithMend("see GET /api/workloads/%s/revisions", name)
	}
	if err != nil {
		return Revision{}, err
	}
	return all[0], nil
}

func (r Revision) save(ctx context.Context, tx *store.Tx, name string) error {
	_, err := tx.Exec(ctx, `INSERT INTO orchestrate_revisions
		(workload, revision, version, manifest, actor, created_at, action, run, replaced, state, fault) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (workload, revision) DO UPDATE SET replaced = excluded.replaced, state = excluded.state, fault = excluded.fault`,
		name, r.Revision, r.Version, r.Manifest, r.Actor, r.At, r.Action, r.Run, r.Replaced, r.State, r.Fault)
	if err != nil {
		return fmt.Errorf("write revision %d of %s: %w", r.Revision, name, err)
	}
	return nil
}

func readPorts(ctx context.Context, tx *store.Tx) (map[string]int, error) {
	rows, err := tx.Query(ctx, `SELECT name, port FROM orchestrate_ports`)
	if err != nil {
		return nil, fmt.Errorf("read ports: %w", err)
	}
	defer rows.Close()
	ports := map[string]int{}
	for rows.Next() {
		var name string
		var port int
		if err := rows.Scan(&name, &port); err != nil {
			return nil, fmt.Errorf("read ports: %w", err)
		}
		ports[name] = port
	}
	return ports, rows.Err()
}

func savePort(ctx context.Context, tx *store.Tx, name string, port int) error {
	_, err := tx.Exec(ctx, `INSERT INTO orchestrate_ports (name, port) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET port = excluded.port`, name, port)
	if err != nil {
		return fmt.Errorf("write port of %s: %w", name, err)
	}
	return nil
}

func isMissing(err error) bool {
	return errors.Is(err, sql.ErrNoRows) || problem.CodeOf(err) == problem.NotFound
}
