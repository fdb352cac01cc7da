package orchestrate

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/run"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/web"
)

type byName struct {
	Name string `path:"name"`
}

// Routes registers the API of workloads.
func (o *Orchestrator) Routes(s *web.Server) {
	o.reads(s)
	type applyIn struct {
		Body struct {
			Manifest string `json:"manifest" doc:"one Kubernetes Deployment with the image process:, as YAML or JSON"`
		}
	}
	web.Post(s, "/api/workloads", write("apply-workload", "Deploy a manifest", "workload.apply"),
		func(ctx context.Context, in *applyIn) (*run.Run, error) {
			m, err := parseOne(in.Body.Manifest)
			if err != nil {
				return nil, err
			}
			return o.writes(ctx, func(tx *store.Tx, actor string) (run.Run, error) { return o.Apply(ctx, tx, m, actor) })
		})
	type rollbackIn struct {
		Name string `path:"name"`
		Body struct {
			Revision int `json:"revision,omitempty" minimum:"0" doc:"0: the one before the current"`
		}
	}
	web.Post(s, "/api/workloads/{name}/rollback", write("rollback-workload", "Go back to an earlier revision", "workload.rollback"),
		func(ctx context.Context, in *rollbackIn) (*run.Run, error) {
			return o.writes(ctx, func(tx *store.Tx, actor string) (run.Run, error) {
				return o.Rollback(ctx, tx, in.Name, in.Body.Revision, actor)
			})
		})
	web.Delete(s, "/api/workloads/{name}", write("remove-workload", "Stop and forget a workload; its files stay", "workload.remove"),
		func(ctx context.Context, in *byName) (*run.Run, error) {
			return o.writes(ctx, func(tx *store.Tx, actor string) (run.Run, error) { return o.Remove(ctx, tx, in.Name, actor) })
		})
	web.Post(s, "/api/workloads/{name}/restart", write("restart-workload", "Stop and start the process", "workload.restart"),
		func(ctx context.Context, in *byName) (*run.Run, error) {
			return o.writes(ctx, func(tx *store.Tx, actor string) (run.Run, error) { return o.Restart(ctx, tx, in.Name, actor) })
		})
}

func (o *Orchestrator) reads(s *web.Server) {
	read := func(id, summary string) web.Op { return web.Op{ID: id, Summary: summary, Tag: "workloads"} }
	web.Get(s, "/api/workloads", read("list-workloads", "List the workloads and how they are"),
		func(ctx context.Context, _ *struct{}) (*web.List[Workload], error) {
			all, err := o.Workloads(ctx)
			return &web.List[Workload]{Items: all}, err
		})
	web.Get(s, "/api/workloads/{name}", read("get-workload", "Tell how a workload is"),
		func(ctx context.Context, in *byName) (*Workload, error) {
			all, err := o.describe(ctx, `WHERE name = ?`, in.Name)
			if err == nil && len(all) == 0 {
				err = problem.New(problem.NotFound, "there is no workload %q", in.Name).WithMend("see GET /api/workloads")
			}
			if err != nil {
				return nil, err
			}
			return &all[0], nil
		})
	web.Get(s, "/api/workloads/{name}/revisions", read("list-revisions", "List what a workload was and is, newest first"),
		func(ctx context.Context, in *byName) (*web.List[Revision], error) {
			all, err := o.Revisions(ctx, in.Name)
			return &web.List[Revision]{Items: all}, err
		})
	type logIn struct {
		Name  string `path:"name"`
		Lines int    `query:"lines" default:"200" minimum:"1" maximum:"10000" doc:"how many of the newest"`
	}
	web.Get(s, "/api/workloads/{name}/log", read("get-workload-log", "Show the newest lines a workload wrote, oldest first"),
		func(ctx context.Context, in *logIn) (*web.List[Line], error) {
			lines, err := o.Log(ctx, in.Name, in.Lines)
			return &web.List[Line]{Items: lines}, err
		})
}

// write is an operation that is accepted now and done by the run it answers
// with.
func write(id, summary, audit string) web.Op {
	return web.Op{ID: id, Summary: summary, Tag: "workloads", Role: auth.Operator, Audit: audit, Status: http.StatusAccepted}
}

func (o *Orchestrator) writes(ctx context.Context, do func(tx *store.Tx, actor string) (run.Run, error)) (*run.Run, error) {
	var r run.Run
	actor := auth.FromContext(ctx).String()
	err := o.db.Write(ctx, func(tx *store.Tx) (err error) {
		r, err = do(tx, actor)
		return err
	})
	return &r, err
}

// parseOne reads exactly one manifest.
func parseOne(text string) (Manifest, error) {
	all, findings := Parse("manifest", []byte(text))
	if problem.Broken(findings) {
		const shown = 10
		var said []string
		for _, f := range findings[:min(shown, len(findings))] {
			said = append(said, f.String())
		}
		if more := len(findings) - shown; more > 0 {
			said = append(said, fmt.Sprintf("and %d more", more))
		}
		return Manifest{}, problem.New(problem.Invalid, "%s", strings.Join(said, "; ")).WithField("manifest")
	}
	if len(all) != 1 {
		return Manifest{}, problem.New(problem.Invalid, "the manifest describes %d workloads, need one", len(all)).
			WithField("manifest").WithMend("send each document by itself")
	}
	return all[0], nil
}

// Revisions lists a workload's, newest first.
func (o *Orchestrator) Revisions(ctx context.Context, name string) (all []Revision, err error) {
	err = o.db.Read(ctx, func(tx *store.Tx) error {
		w, err := readRow(ctx, tx, name)
		if err != nil {
			return err
		}
		all, err = readRevisions(ctx, tx, name, "")
		for i := range all {
			all[i].Current = all[i].Revision == w.current
		}
		return err
	})
	return all, err
}
