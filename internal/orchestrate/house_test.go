package orchestrate_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/orchestrate"
	"github.com/daytwo-dev/daytwo/internal/run"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// house is a daytwo with nothing but workloads.
type house struct {
	db       *store.DB
	timeline *timeline.Timeline
	runs     *run.Engine
	*orchestrate.Orchestrator
	stop func() // and wait

	mu      sync.Mutex
	targets []orchestrate.Target
}

// build makes a house whose state is in dir, or in the database of url.
func build(ctx context.Context, dir, url string) (*house, error) {
	log := slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, store.Config{Dir: dir, URL: url, Logger: log})
	if err != nil {
		return nil, err
	}
	h := &house{db: db}
	if h.timeline, err = timeline.New(ctx, timeline.Config{DB: db, Logger: log}); err != nil {
		return nil, err
	}
	if h.runs, err = run.New(ctx, run.Config{DB: db, Timeline: h.timeline, Logger: log}); err != nil {
		return nil, err
	}
	h.Orchestrator, err = orchestrate.New(ctx, orchestrate.Config{
		DB: db, Timeline: h.timeline, Runs: h.runs, Dir: filepath.Join(dir, "workloads"), Logger: log,
		Backoff: orchestrate.Backoff{First: 50 * time.Millisecond, Most: time.Second, Forgiven: time.Minute},
		OnTargets: func(t []orchestrate.Target) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.targets = t
		},
	})
	return h, err
}

// run keeps the house open until ctx ends.
func (h *house) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 2)
	go func() { ended <- h.runs.Run(ctx) }()
	go func() { ended <- h.Orchestrator.Run(ctx) }()
	err := <-ended
	cancel()
	return errors.Join(err, <-ended, h.db.Close())
}

// open builds and runs a house until the test ends or stop is called.
func open(t *testing.T, dir string) *house {
	t.Helper()
	return openOn(t, dir, "")
}

func openOn(t *testing.T, dir, url string) *house {
	t.Helper()
	h, err := build(t.Context(), dir, url)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(h.stop)
	return h
}

// daytwo is a house as a process of its own, until it is killed.
func daytwo() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	h, err := build(ctx, os.Getenv("ORCHESTRATE_TEST_DAYTWO"), "")
	if err == nil {
		go h.then(ctx, os.Getenv("ORCHESTRATE_TEST_THEN"))
		err = h.run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// then waits until the shop is deployed, and removes it or applies a manifest.
func (h *house) then(ctx context.Context, what string) {
	if what == "" {
		return
	}
	for all, _ := h.Workloads(ctx); len(all) != 1 || !all[0].Ready || all[0].Deploying; all, _ = h.Workloads(ctx) {
		time.Sleep(10 * time.Millisecond)
	}
	err := h.db.Write(ctx, func(tx *store.Tx) (err error) {
		if what == "remove" {
			_, err = h.Remove(ctx, tx, "shop", "ada")
			return err
		}
		all, _ := orchestrate.Parse("f", []byte(what))
		_, err = h.Apply(ctx, tx, all[0], "ada")
		return err
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// manifest describes a workload that is the test binary in the given mode.
func manifest(t testing.TB, name, mode, version, more string) orchestrate.Manifest {
	t.Helper()
	text := fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: %s, labels: {app.kubernetes.io/name: %[1]s}}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: %[1]s}}
  progressDeadlineSeconds: 20
  template:
    metadata:
      labels: {app.kubernetes.io/name: %[1]s, app.kubernetes.io/version: %[3]s}
      annotations: {prometheus.io/scrape: "true"}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
        - name: main
          image: "process:"
          command: [%[4]q]
          env:
            - {name: PROGRAM, value: %[2]s}
            - {name: VERSION, value: %[3]s}
          readinessProbe: {httpGet: {path: /ready}, periodSeconds: 1}
`, name, mode, version, os.Args[0])
	if old, replacement, ok := strings.Cut(more, " => "); ok {
		text = strings.Replace(text, old, replacement, 1)
	}
	all, findings := orchestrate.Parse(name+".yaml", []byte(text))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	return all[0]
}

func (h *house) write(t *testing.T, do func(tx *store.Tx) (run.Run, error)) (r run.Run, err error) {
	t.Helper()
	err = h.db.Write(t.Context(), func(tx *store.Tx) (err error) { r, err = do(tx); return err })
	return r, err
}

func (h *house) apply(t *testing.T, m orchestrate.Manifest) run.Run {
	t.Helper()
	r, err := h.write(t, func(tx *store.Tx) (run.Run, error) { return h.Apply(t.Context(), tx, m, "ada") })
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// deploy applies a manifest and waits for the end of its run.
func (h *house) deploy(t *testing.T, m orchestrate.Manifest) run.Run {
	t.Helper()
	return h.finished(t, h.apply(t, m))
}

func (h *house) finished(t *testing.T, r run.Run) run.Run {
	t.Helper()
	eventually(t, "the end of run "+r.Title, func() bool {
		var err error
		r, err = h.runs.Get(t.Context(), r.ID)
		return err == nil && r.Status.Final()
	})
	return r
}

func (h *house) workload(t *testing.T, name string) orchestrate.Workload {
	t.Helper()
	all, err := h.Workloads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range all {
		if w.Name == name {
			return w
		}
	}
	return orchestrate.Workload{}
}

// knows asks a serving workload for its environment.
func knows(t *testing.T, w orchestrate.Workload) map[string]string {
	t.Helper()
	body, err := ask(w.Address)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{}
	for line := range strings.Lines(body) {
		k, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		known[k] = v
	}
	return known
}

func ask(address string) (string, error) {
	req, err := http.NewRequest(http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return "", err
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// eventually waits for real processes.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// alive tells whether a process is there and no zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z")
}
