package app_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/app"
)

const adminToken = "the admin token of these tests"

func asAdmin(c *app.Config) { c.AdminToken = adminToken }

func (s *server) admin(t *testing.T, method, path string) answer {
	t.Helper()
	return s.do(t, method, path, "", "Authorization", "Bearer "+adminToken)
}

// write puts a file in place whole.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	temporary := filepath.Join(t.TempDir(), "new")
	if err := os.WriteFile(temporary, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temporary, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// directory writes an operations directory in which every file bears the name.
func directory(t *testing.T, dir, name string) {
	t.Helper()
	write(t, dir, "rules.yml", fmt.Sprintf("groups: [{name: %s, rules: [{alert: %s, expr: vector(0) > 1}]}]\n", name, name))
	write(t, dir, "prometheus.yml", fmt.Sprintf("global: {external_labels: {site: %s}}\nrule_files: [rules.yml]\n", name))
	write(t, dir, "daytwo.yml", fmt.Sprintf(`services:
  - {name: %[1]s-one, slos: [{name: %[1]s-promise, objective: 99, window: 1d, good: "sum(rate(up[$window]))", total: "sum(rate(up[$window]))"}]}
  - {name: %[1]s-two}
`, name))
}

// holds tells whether what is in force is all of one directory and nothing of another.
func (s *server) holds(t *testing.T, name, other string) {
	t.Helper()
	for path, want := range map[string]string{
		"/api/services": name + "-two", "/prometheus/api/v1/status/config": "site: " + name, "/prometheus/api/v1/rules": `"name":"` + name,
	} {
		if body := s.admin(t, http.MethodGet, path).body; !strings.Contains(body, want) || strings.Contains(body, strings.Replace(want, name, other, 1)) {
			t.Errorf("%s: want %q and nothing of %q: %s", path, want, other, body)
		}
	}
	if rules := s.admin(t, http.MethodGet, "/prometheus/api/v1/rules").body; !strings.Contains(rules, name+"-promise") || strings.Contains(rules, other+"-promise") {
		t.Errorf("the rules made of objectives are not those of %q: %s", name, rules)
	}
}

// A reload that fails late takes back what it did.
func TestReloadThatCannotBeKeptChangesNothing(t *testing.T) {
	ops, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	directory(t, ops, "old")
	s := start(t, ops, func(c *app.Config) { asAdmin(c); c.DataDir = data })
	s.eventually(t, "rules", func() bool {
		return strings.Contains(s.admin(t, http.MethodGet, "/prometheus/api/v1/rules").body, `"old"`)
	})
	state, err := sql.Open("sqlite", filepath.Join(data, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer state.Close()
	rename := func(from, to string) {
		t.Helper()
		if _, err := state.ExecContext(t.Context(), "ALTER TABLE "+from+" RENAME TO "+to); err != nil {
			t.Fatal(err)
		}
	}
	rename("orchestrate_workloads", "out_of_reach")
	directory(t, ops, "new")
	if err := os.MkdirAll(filepath.Join(ops, "workloads"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, ops, "workloads/web.yaml", `{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, labels: {app.kubernetes.io/name: new-one}},
spec: {replicas: 0, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "process:", command: [sleep, "1000"]}]}}}}
`)
	if a := s.admin(t, http.MethodPost, "/-/reload"); a.StatusCode < 500 {
		t.Errorf("a reload that could not write: %d %s", a.StatusCode, a.body)
	}
	s.holds(t, "old", "new")
	rename("out_of_reach", "orchestrate_workloads")
	if a := s.admin(t, http.MethodPost, "/-/reload"); a.StatusCode != 204 {
		t.Errorf("the next reload: %d %s", a.StatusCode, a.body)
	}
	s.holds(t, "new", "old")
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// A storm of reloads, by signal and by request, under reading load: what is read is always one file or the other, the last
// one counts, and nothing piles up.
func TestReloadStorm(t *testing.T) {
	ops := t.TempDir()
	directory(t, ops, "left")
	s := start(t, ops, asAdmin)
	s.admin(t, http.MethodPost, "/-/reload")
	goroutines, files := runtime.NumGoroutine(), openFiles()

	stop := make(chan struct{})
	var load sync.WaitGroup
	for range 3 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				body := s.admin(t, http.MethodGet, "/api/services").body
				left, right := strings.Count(body, `"left-`), strings.Count(body, `"right-`)
				if left+right == 0 || left*right != 0 {
					t.Errorf("neither one nor the other: %s", body)
				}
			}
		})
	}
	for i := range 200 {
		write(t, ops, "daytwo.yml", fmt.Sprintf("services: [{name: %s-one}, {name: %s-two}]\n", [2]string{"left", "right"}[i%2], [2]string{"left", "right"}[i%2]))
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		if i%10 == 0 {
			load.Go(func() {
				if a := s.admin(t, http.MethodPost, "/-/reload"); a.StatusCode != 204 {
					t.Errorf("reload: %d %s", a.StatusCode, a.body)
				}
			})
		}
	}
	s.eventually(t, "the last file", func() bool {
		return strings.Contains(s.admin(t, http.MethodGet, "/api/services").body, "right-one")
	})
	close(stop)
	load.Wait()
	http.DefaultClient.CloseIdleConnections()
	s.eventually(t, "what the storm took", func() bool {
		http.DefaultClient.CloseIdleConnections()
		return runtime.NumGoroutine() <= goroutines+5 && openFiles() <= files+5
	})
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}

// openFiles counts descriptors where that can be known.
func openFiles() int {
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(names)
}

func (s *server) eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 30 s (%d goroutines, %d files)", what, runtime.NumGoroutine(), openFiles())
		}
	}
}

// What watches and reloads a Prometheus and an Alertmanager does so here, at the paths below either.
func TestPathsForWhoeverRunsThem(t *testing.T) {
	s := start(t, t.TempDir(), asAdmin)
	for _, under := range []string{"/prometheus", "/alertmanager"} {
		for _, path := range []string{"/-/healthy", "/-/ready"} {
			s.eventually(t, under+path, func() bool { return s.do(t, http.MethodGet, under+path, "").StatusCode == http.StatusOK })
		}
		if got := s.do(t, http.MethodPost, under+"/-/reload", ""); got.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s/-/reload by anybody: %d", under, got.StatusCode)
		}
		if got := s.admin(t, http.MethodPost, under+"/-/reload"); got.StatusCode != http.StatusOK {
			t.Errorf("%s/-/reload: %d %s", under, got.StatusCode, got.body)
		}
		if got := s.do(t, http.MethodGet, under+"/metrics", ""); got.StatusCode != http.StatusOK || !strings.Contains(got.body, "\ngo_goroutines ") {
			t.Errorf("%s/metrics: %d %.200s", under, got.StatusCode, got.body)
		}
	}
}
