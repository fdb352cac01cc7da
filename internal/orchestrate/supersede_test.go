package orchestrate_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/run"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// patient is a manifest whose deploy waits for long.
const patient = "progressDeadlineSeconds: 20 => progressDeadlineSeconds: 3600"

// hanging applies a version that never gets ready, and waits for its process.
func (h *house) hanging(t *testing.T, version string) run.Run {
	t.Helper()
	r := h.apply(t, manifest(t, "shop", "never", version, patient))
	eventually(t, version, func() bool { w := h.workload(t, "shop"); return w.Version == version && w.PID != 0 })
	return r
}

func TestApplyDuringARollout(t *testing.T) {
	h := open(t, t.TempDir())
	h.deploy(t, manifest(t, "shop", "serve", "v1", ""))
	hung := h.hanging(t, "v2")
	pid := h.workload(t, "shop").PID
	r := h.deploy(t, manifest(t, "shop", "serve", "v3", ""))
	hung = h.finished(t, hung)
	if hung.Status != run.Failed || !strings.HasSuffix(hung.Error, "v2 was given up: v3 replaces it, on behalf of ada") {
		t.Error(hung.Status, hung.Error)
	}
	w := h.workload(t, "shop")
	if r.Status != run.Succeeded || w.Version != "v3" || !w.Ready || w.Deploying || alive(pid) {
		t.Errorf("%s %s\n%+v", r.Status, r.Error, w)
	}
	revisions, err := h.Revisions(t.Context(), "shop")
	if err != nil || revisions[0].Replaced != 1 || revisions[1].State != "failed" {
		t.Errorf("%+v %v", revisions, err)
	}
}

func TestRollbackDuringARollout(t *testing.T) {
	h := open(t, t.TempDir())
	h.deploy(t, manifest(t, "shop", "serve", "v1", ""))
	h.deploy(t, manifest(t, "shop", "serve", "v2", ""))
	hung := h.hanging(t, "v3")
	r, err := h.write(t, func(tx *store.Tx) (run.Run, error) { return h.Rollback(t.Context(), tx, "shop", 0, "ada") })
	if err != nil {
		t.Fatal(err)
	}
	if r, hung = h.finished(t, r), h.finished(t, hung); r.Status != run.Succeeded || hung.Status != run.Failed {
		t.Errorf("%s %s, %s %s", r.Status, r.Error, hung.Status, hung.Error)
	}
	if w := h.workload(t, "shop"); w.Version != "v2" || w.Revision != 4 || !w.Ready {
		t.Errorf("%+v", w)
	}
}

// TestCanceledSuccessor: what superseded a rollout is itself canceled before its
// turn; the current revision comes back.
func TestCanceledSuccessor(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	h.deploy(t, manifest(t, "shop", "serve", "v1", ""))
	hung := h.hanging(t, "v2")
	h.stop() // v2 is to go on
	h, err := build(t.Context(), dir, "")
	if err != nil {
		t.Fatal(err)
	}
	r := h.apply(t, manifest(t, "shop", "serve", "v3", ""))
	if err := h.runs.Cancel(t.Context(), r.ID, "ada"); err != nil {
		t.Fatal(err)
	}
	if err := h.db.Close(); err != nil {
		t.Fatal(err)
	}
	h = open(t, dir)
	h.finished(t, hung)
	eventually(t, "v1 to be back", func() bool { w := h.workload(t, "shop"); return w.Version == "v1" && w.Ready && !w.Deploying })
}

func TestConcurrentApplies(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	var applies sync.WaitGroup
	runs := make([]run.Run, 8)
	for i := range runs {
		m := manifest(t, "shop", "serve", fmt.Sprint("v", i), "")
		applies.Go(func() { runs[i] = h.apply(t, m) })
	}
	applies.Wait()
	last := slices.MaxFunc(runs, func(a, b run.Run) int { return strings.Compare(a.ID, b.ID) })
	for _, r := range runs {
		if r = h.finished(t, r); (r.ID == last.ID) != (r.Status == run.Succeeded) && !strings.Contains(r.Error, "given up") && r.Status != run.Succeeded {
			t.Errorf("%+v", r)
		}
	}
	w := h.workload(t, "shop")
	if !w.Ready || w.Deploying || w.Revision != len(runs) || "Deploy shop "+w.Version != last.Title {
		t.Errorf("%+v, last %s", w, last.Title)
	}
	if pids := marked(t, dir); len(pids) != 1 || pids[0] != w.PID {
		t.Errorf("processes %v, want %d", pids, w.PID)
	}
}

func (h *house) remove(t *testing.T, name string) run.Run {
	t.Helper()
	r, err := h.write(t, func(tx *store.Tx) (run.Run, error) { return h.Remove(t.Context(), tx, name, "ada") })
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRemove(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	h.deploy(t, manifest(t, "shop", "serve", "v1", ""))
	w := h.workload(t, "shop")
	hung := h.hanging(t, "v2")
	if r := h.finished(t, h.remove(t, "shop")); r.Status != run.Succeeded {
		t.Fatal(r.Status, r.Error)
	}
	if hung = h.finished(t, hung); hung.Status != run.Failed || !strings.Contains(hung.Error, "the workload is removed, on behalf of ada") {
		t.Error(hung.Status, hung.Error)
	}
	if all, err := h.Workloads(t.Context()); err != nil || len(all) > 0 || len(marked(t, dir)) > 0 {
		t.Error(all, err, marked(t, dir))
	}
	eventually(t, "no targets", func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.targets) == 0 })
	entries, _, err := h.timeline.List(t.Context(), timeline.Filter{Kinds: []timeline.Kind{timeline.Change}, Limit: 1})
	if e := entries[0]; err != nil || e.Action != "remove" || e.Title != "shop removed (was v1)" || e.Actor != "ada" {
		t.Errorf("%+v %v", e, err)
	}

	// Its fixed port is free for others, and it can come back as new.
	fixed := "readinessProbe => ports: [{containerPort: " + port(w) + "}]\n          readinessProbe"
	if r := h.deploy(t, manifest(t, "other", "serve", "v1", fixed)); r.Status != run.Succeeded {
		t.Error(r.Status, r.Error)
	}
	h.deploy(t, manifest(t, "shop", "serve", "v3", ""))
	if w := h.workload(t, "shop"); w.Version != "v3" || w.Revision != 1 || !w.Ready {
		t.Errorf("%+v", w)
	}
}

// TestApplyAfterRemove: what is applied while the removal is on its way stays.
func TestApplyAfterRemove(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	h.deploy(t, manifest(t, "shop", "stubborn", "v1", "terminationGracePeriodSeconds: 5 => terminationGracePeriodSeconds: 1"))
	removal := h.remove(t, "shop")
	again := h.remove(t, "shop") // two people
	r := h.apply(t, manifest(t, "shop", "serve", "v1", ""))
	for _, r := range []run.Run{removal, again, r} {
		if r = h.finished(t, r); r.Status != run.Succeeded {
			t.Error(r.Title, r.Status, r.Error)
		}
	}
	if w := h.workload(t, "shop"); !w.Ready || w.Revision != 2 || w.Deploying || len(marked(t, dir)) != 1 {
		t.Errorf("%+v %v", w, marked(t, dir))
	}
}
