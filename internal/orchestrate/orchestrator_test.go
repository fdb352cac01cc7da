package orchestrate_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/orchestrate"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/run"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

func TestDeployReplaceRollBackRestart(t *testing.T) {
	t.Setenv("DAYTWO_ADMIN_TOKEN", "secret")
	t.Run("sqlite", func(t *testing.T) { deployReplaceRollBackRestart(t, open(t, t.TempDir())) })
	t.Run("postgres", func(t *testing.T) {
		deployReplaceRollBackRestart(t, openOn(t, t.TempDir(), storetest.PostgresURL(t)))
	})
}

func deployReplaceRollBackRestart(t *testing.T, h *house) {
	if r := h.deploy(t, manifest(t, "shop", "serve", "v1", "")); r.Status != run.Succeeded {
		t.Fatalf("%+v", r)
	}
	first := h.workload(t, "shop")
	if first.Status != orchestrate.Running || !first.Ready || first.Version != "v1" || first.Revision != 1 || first.Deploying || first.PID == 0 {
		t.Fatalf("%+v", first)
	}
	known := knows(t, first)
	if known["VERSION"] != "v1" || known["PORT"] != port(first) || known["SHOP_SERVICE_PORT"] != port(first) || known["DAYTWO_ADMIN_TOKEN"] != "" {
		t.Errorf("environment %v", known)
	}
	if r := h.deploy(t, manifest(t, "shop", "serve", "v1", "")); r.Title != "Deploy shop v1" || h.workload(t, "shop").PID != first.PID {
		t.Error("applying the same again must change nothing")
	}

	h.deploy(t, manifest(t, "shop", "serve", "v2", ""))
	second := h.workload(t, "shop")
	if second.Version != "v2" || second.Revision != 2 || second.Address != first.Address || alive(first.PID) {
		t.Fatalf("%+v", second)
	}
	back, err := h.write(t, func(tx *store.Tx) (run.Run, error) { return h.Rollback(t.Context(), tx, "shop", 0, "ada") })
	if err != nil {
		t.Fatal(err)
	}
	h.finished(t, back)
	third := h.workload(t, "shop")
	if third.Version != "v1" || third.Revision != 3 || knows(t, third)["VERSION"] != "v1" {
		t.Fatalf("%+v", third)
	}
	if _, err = h.write(t, func(tx *store.Tx) (run.Run, error) { return h.Rollback(t.Context(), tx, "shop", 1, "ada") }); problem.CodeOf(err) != problem.Conflict {
		t.Error("rolling back to what runs:", err)
	}
	again, err := h.write(t, func(tx *store.Tx) (run.Run, error) { return h.Restart(t.Context(), tx, "shop", "ada") })
	if err != nil {
		t.Fatal(err)
	}
	h.finished(t, again)
	if w := h.workload(t, "shop"); w.PID == third.PID || w.Revision != 3 {
		t.Errorf("%+v", w)
	}

	entries, _, err := h.timeline.List(t.Context(), timeline.Filter{Kinds: []timeline.Kind{timeline.Change}})
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, e := range entries {
		titles = append(titles, e.Action+": "+e.Title)
		graceful := map[bool]string{true: "true"}[e.Data["revision"] != "1" || e.Action == "restart"] // the first replaced nothing
		if e.Data["graceful"] != graceful || strings.HasSuffix(e.Data["stopped"], "after SIGTERM: exit status 0") != (graceful != "") {
			t.Errorf("how the process before it ended: %+v", e)
		}
		if e.Action == "rollback" && (e.Data["previousRevision"] != "2" || e.Data["revision"] != "3" || e.Service != "shop" || e.Ref != "workload/shop" || e.Data["run"] != back.ID) {
			t.Errorf("%+v", e)
		}
	}
	want := "[restart: shop v1 restarted rollback: shop rolled back to v1 (was v2) deploy: shop v2 deployed (was v1) deploy: shop v1 deployed]"
	if fmt.Sprint(titles) != want {
		t.Errorf("timeline\n got %v\nwant %v", titles, want)
	}
	if len(h.targets) != 1 || h.targets[0].URL != "http://"+first.Address+"/metrics" || h.targets[0].Labels["service"] != "shop" {
		t.Errorf("targets %+v", h.targets)
	}
}

func port(w orchestrate.Workload) string { return w.Address[strings.LastIndex(w.Address, ":")+1:] }

func TestFailedDeployPutsThePreviousRevisionBack(t *testing.T) {
	for mode, says := range map[string]string{
		"unready": "v2 did not become ready within 8s: NotReady: /ready answers 503",
		"never":   "v2 did not become ready within 2s: NotReady: it does not listen on port",
		"crash":   "v2 ended 3 times before it was ready: exit status 3",
		"missing": "v2 cannot be started: program: stat /no/such/program: no such file or directory",
		"no exec": "v2 cannot be started: fork/exec /etc/passwd: permission denied",
		"no dir":  "v2 cannot be started: working directory: stat /no/such/dir: no such file or directory",
		"greedy":  "v2 ended 3 times before it was ready: exit status 4",
	} {
		t.Run(mode, func(t *testing.T) {
			h := open(t, t.TempDir())
			h.deploy(t, manifest(t, "shop", "serve", "v1", ""))
			change := map[string]string{
				"unready": "progressDeadlineSeconds: 20 => progressDeadlineSeconds: 8", // time to start, for a slow machine
				"never":   "progressDeadlineSeconds: 20 => progressDeadlineSeconds: 2",
				"missing": os.Args[0] + " => /no/such/program",
				"no exec": os.Args[0] + " => /etc/passwd",
				"no dir":  "env: => workingDir: /no/such/dir\n          env:",
			}[mode]
			r := h.deploy(t, manifest(t, "shop", mode, "v2", change))
			if r.Status != run.Failed || !strings.Contains(r.Error, says) {
				t.Errorf("run %s: %s", r.Status, r.Error)
			}
			w := h.workload(t, "shop")
			if w.Version != "v1" || w.Revision != 1 || !w.Ready || knows(t, w)["VERSION"] != "v1" {
				t.Errorf("%+v", w)
			}
			revisions, err := h.Revisions(t.Context(), "shop")
			if err != nil || len(revisions) != 2 || revisions[0].State != "failed" || !strings.Contains(revisions[0].Fault, says) || !revisions[1].Current {
				t.Errorf("%v %+v", err, revisions)
			}
			entries, _, _ := h.timeline.List(t.Context(), timeline.Filter{Kinds: []timeline.Kind{timeline.Change}, Limit: 1})
			if e := entries[0]; e.Action != "deploy_failed" || !strings.HasSuffix(e.Title, "; v1 is back") {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestFirstDeployThatFailsIsHonest(t *testing.T) {
	h := open(t, t.TempDir())
	r := h.deploy(t, manifest(t, "shop", "crash", "v1", ""))
	w := h.workload(t, "shop")
	if r.Status != run.Failed || w.Status != orchestrate.Stopped || w.Revision != 0 || !strings.HasPrefix(w.Reason, "DeployFailed: v1 ended 3 times") {
		t.Errorf("%s %s\n%+v", r.Status, r.Error, w)
	}
	if text := logText(t, h, "shop"); !strings.Contains(text, "err no disk") || !strings.Contains(text, "sys exit status 3; next start in 50ms") {
		t.Error(text)
	}
}

func logText(t *testing.T, h *house, name string) string {
	t.Helper()
	lines, err := h.Log(t.Context(), name, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.Stream + " " + l.Text + "\n")
	}
	return b.String()
}

func TestCrashingWorkloadIsRestarted(t *testing.T) {
	h := open(t, t.TempDir())
	h.deploy(t, manifest(t, "shop", "serve", "v1", ""))
	for n := 1; n <= 3; n++ {
		w := h.workload(t, "shop")
		if err := syscall.Kill(w.PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the restart", func() bool {
			now := h.workload(t, "shop")
			return now.Ready && now.PID != w.PID && now.Restarts == n && now.Address == w.Address
		})
	}
	if text := logText(t, h, "shop"); !strings.Contains(text, "killed by signal 9 (killed); next start in 200ms") {
		t.Error(text)
	}
}

// TestPortTaken: another program sits on the port of a workload that restarts.
func TestPortTaken(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	h.deploy(t, manifest(t, "shop", "serve", "v1", ""))
	w := h.workload(t, "shop")
	h.stop()

	squatter, err := net.Listen("tcp", w.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer squatter.Close()
	h = open(t, dir)
	eventually(t, "a new port", func() bool {
		now := h.workload(t, "shop")
		return now.Ready && now.Address != w.Address && knows(t, now)["SHOP_SERVICE_PORT"] == port(now)
	})
}

func TestStubbornProcessIsKilled(t *testing.T) {
	h := open(t, t.TempDir())
	grace := "terminationGracePeriodSeconds: 5 => terminationGracePeriodSeconds: 1"
	h.deploy(t, manifest(t, "shop", "stubborn", "v1", grace))
	w := h.workload(t, "shop")
	h.deploy(t, manifest(t, "shop", "serve", "v2", ""))
	if alive(w.PID) || !strings.Contains(logText(t, h, "shop"), fmt.Sprintf("process %d did not end in time and was killed", w.PID)) {
		t.Error(logText(t, h, "shop"))
	}
	entries, _, err := h.timeline.List(t.Context(), timeline.Filter{Kinds: []timeline.Kind{timeline.Change}, Limit: 1})
	if err != nil || entries[0].Data["graceful"] != "false" || entries[0].Data["stopped"] != "did not end within 1s of SIGTERM and was killed" {
		t.Errorf("%v %+v", err, entries)
	}
}

var hanging = regexp.MustCompile(`I am hang \S*, process (\d+)`)

// children reads the processes that a forking workload has left.
func children(t *testing.T, h *house) (pids []int) {
	for _, m := range hanging.FindAllStringSubmatch(logText(t, h, "shop"), -1) {
		pid, _ := strconv.Atoi(m[1])
		pids = append(pids, pid)
	}
	return pids
}

func TestForkedProcessesEndWithTheWorkload(t *testing.T) {
	h := open(t, t.TempDir())
	h.deploy(t, manifest(t, "shop", "fork", "v1", ""))
	eventually(t, "the child", func() bool { return len(children(t, h)) == 1 })
	h.deploy(t, manifest(t, "shop", "serve", "v2", ""))
	if pid := children(t, h)[0]; alive(pid) {
		t.Errorf("process %d lives", pid)
	}
}

func TestDaemonisingProcessIsNamed(t *testing.T) {
	h := open(t, t.TempDir())
	r := h.deploy(t, manifest(t, "shop", "daemonise", "v1", ""))
	if r.Status != run.Failed || !strings.Contains(r.Error, "exit status 0") {
		t.Error(r.Status, r.Error)
	}
	if !strings.Contains(logText(t, h, "shop"), "a workload must stay in the foreground") {
		t.Error(logText(t, h, "shop"))
	}
	for _, pid := range children(t, h) {
		if alive(pid) {
			t.Errorf("process %d lives", pid)
		}
	}
}

func TestFloodIsThinned(t *testing.T) {
	h := open(t, t.TempDir())
	if r := h.deploy(t, manifest(t, "shop", "flood", "v1", "")); r.Status != run.Succeeded {
		t.Fatal(r.Error)
	}
	eventually(t, "dropped lines", func() bool {
		return strings.Contains(logText(t, h, "shop"), "dropped in the last second: only 1024 KiB a second are kept")
	})
	if text := logText(t, h, "shop"); len(text) > 5<<20 {
		t.Errorf("%d bytes in memory", len(text))
	}
}

func TestReferencesDoNotDependOnOrder(t *testing.T) {
	h := open(t, t.TempDir())
	more := `{name: VERSION, value: v1} => {name: PEER, value: "http://$(LATER_ON_SERVICE_HOST):$(LATER_ON_SERVICE_PORT)"}`
	h.deploy(t, manifest(t, "front", "serve", "v1", more))
	h.deploy(t, manifest(t, "later-on", "serve", "v1", ""))
	if peer, later := knows(t, h.workload(t, "front"))["PEER"], h.workload(t, "later-on").Address; peer != "http://"+later {
		t.Errorf("front knows %s, later-on is at %s", peer, later)
	}
}

func TestScaleToNothingAndBack(t *testing.T) {
	h := open(t, t.TempDir())
	h.deploy(t, manifest(t, "shop", "serve", "v1", ""))
	w := h.workload(t, "shop")
	if r := h.deploy(t, manifest(t, "shop", "serve", "v1", "progressDeadlineSeconds: 20 => replicas: 0")); r.Status != run.Succeeded || alive(w.PID) {
		t.Fatal(r.Status, r.Error)
	}
	if w := h.workload(t, "shop"); w.Status != orchestrate.Stopped || w.Reason != "ScaledToZero" || w.PID != 0 {
		t.Errorf("%+v", w)
	}
	h.deploy(t, manifest(t, "shop", "serve", "v1", ""))
	if now := h.workload(t, "shop"); !now.Ready || now.Address != w.Address {
		t.Errorf("%+v", now)
	}
}

func TestCancelPutsThePreviousRevisionBack(t *testing.T) {
	h := open(t, t.TempDir())
	h.deploy(t, manifest(t, "shop", "serve", "v1", ""))
	r := h.apply(t, manifest(t, "shop", "never", "v2", ""))
	eventually(t, "v2 to start", func() bool { w := h.workload(t, "shop"); return w.Version == "v2" && w.PID != 0 })
	if err := h.runs.Cancel(t.Context(), r.ID, "ada"); err != nil {
		t.Fatal(err)
	}
	if r = h.finished(t, r); r.Status != run.Canceled {
		t.Error(r.Status)
	}
	eventually(t, "v1 to be back", func() bool { w := h.workload(t, "shop"); return w.Version == "v1" && w.Ready && !w.Deploying })
	revisions, _ := h.Revisions(t.Context(), "shop")
	if revisions[0].State != "failed" || revisions[0].Fault != "canceled by ada" {
		t.Errorf("%+v", revisions[0])
	}
}

func TestRestartOfDaytwo(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	h.deploy(t, manifest(t, "shop", "serve", "v1", ""))
	h.deploy(t, manifest(t, "shop", "serve", "v2", ""))
	before := h.workload(t, "shop")
	h.stop()
	if alive(before.PID) {
		t.Fatal("the process outlived daytwo")
	}

	h = open(t, dir)
	eventually(t, "the workload", func() bool { return h.workload(t, "shop").Ready })
	after := h.workload(t, "shop")
	if after.Address != before.Address || after.Version != "v2" || after.Revision != 2 || knows(t, after)["VERSION"] != "v2" {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	if text := logText(t, h, "shop"); !strings.Contains(text, "out I am serve v1") || !strings.Contains(text, "out bye") {
		t.Errorf("the log was forgotten:\n%s", text)
	}
}

// killable starts a daytwo as a process over dir. Once the shop is deployed it
// removes it or applies a manifest, if then says so.
func killable(t *testing.T, dir, then string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = []string{"ORCHESTRATE_TEST_DAYTWO=" + dir, "ORCHESTRATE_TEST_THEN=" + then, "PATH=" + os.Getenv("PATH")}
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return c
}

// TestKill kills daytwo at several moments of a deploy. Its workloads must die
// with it; the next daytwo must bring the deploy to its end.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	h.deploy(t, manifest(t, "shop", "fork", "v1", ""))
	address := h.workload(t, "shop").Address
	// Queued while the house closes, so the daytwo to kill begins with it.
	r := h.apply(t, manifest(t, "shop", "slow", "v2", ""))
	h.stop()

	for _, moment := range []time.Duration{100, 400, 700, 1100} {
		d := killable(t, dir, "")
		time.Sleep(moment * time.Millisecond)
		d.Process.Kill()
		d.Wait()
		eventually(t, "its processes to die", func() bool { _, err := ask(address); return err != nil })
	}
	h = open(t, dir)
	if r = h.finished(t, r); r.Status != run.Succeeded {
		t.Errorf("run %s: %s", r.Status, r.Error)
	}
	w := h.workload(t, "shop")
	if w.Version != "v2" || !w.Ready || w.Address != address || knows(t, w)["VERSION"] != "v2" {
		t.Errorf("%+v", w)
	}
	entries, _, _ := h.timeline.List(t.Context(), timeline.Filter{Kinds: []timeline.Kind{timeline.Change}})
	if len(entries) != 2 {
		t.Errorf("%d changes on the timeline, want the two deploys: %+v", len(entries), entries)
	}
}

// TestKillWhileStopping kills daytwo while a process takes its time to end: for
// a removal, and for a replacement. The next daytwo brings either to its end.
func TestKillWhileStopping(t *testing.T) {
	const slowly = "terminationGracePeriodSeconds: 5 => terminationGracePeriodSeconds: 3600"
	for name, then := range map[string]string{"remove": "remove", "replace": manifest(t, "shop", "serve", "v2", "").Text} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			h, err := build(t.Context(), dir, "")
			if err != nil {
				t.Fatal(err)
			}
			h.apply(t, manifest(t, "shop", "stubborn", "v1", slowly))
			if err := h.db.Close(); err != nil {
				t.Fatal(err)
			}
			d := killable(t, dir, then)
			eventually(t, "the stop to begin", func() bool {
				log, _ := os.ReadFile(filepath.Join(dir, "workloads", "shop", "log"))
				return strings.Contains(string(log), "stopping process")
			})
			d.Process.Kill()
			d.Wait()
			eventually(t, "the death of the workload", func() bool { return len(marked(t, dir)) == 0 })

			h = open(t, dir)
			if then == "remove" {
				eventually(t, "the removal", func() bool { return h.workload(t, "shop").Name == "" })
				return
			}
			eventually(t, "v2", func() bool { w := h.workload(t, "shop"); return w.Version == "v2" && w.Ready && !w.Deploying })
			if pids := marked(t, dir); len(pids) != 1 {
				t.Errorf("processes %v", pids)
			}
		})
	}
}

func TestKilledDaytwoLeavesNoProcess(t *testing.T) {
	for _, mode := range []string{"fork", "hide"} {
		t.Run(mode, func(t *testing.T) {
			dir := t.TempDir()
			h := open(t, dir)
			h.deploy(t, manifest(t, "shop", mode, "v1", ""))
			address := h.workload(t, "shop").Address
			h.stop()

			d := killable(t, dir, "")
			all := func() []int { return marked(t, dir) }
			eventually(t, "the workload and its daemon", func() bool {
				_, err := ask(address) // it answers once its daemon is one
				return err == nil && len(all()) == 2
			})
			d.Process.Kill()
			d.Wait()
			eventually(t, "the death of the workload", func() bool { return len(all()) == 1 }) // the daemon has hidden
			daemon := all()[0]
			h = open(t, dir)
			eventually(t, "the workload", func() bool { w := h.workload(t, "shop"); address = w.Address; return w.Ready })
			if alive(daemon) {
				t.Error("the daemon of the killed daytwo lives")
			}
			if _, err := ask(address); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestStrangersLive: what looks like a workload in one thing or another is left
// alone.
func TestStrangersLive(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	h.deploy(t, manifest(t, "shop", "serve", "v1", ""))
	var owner string
	for k, v := range knows(t, h.workload(t, "shop")) {
		if k == "DAYTWO_WORKLOAD_OWNER" {
			owner = k + "=" + v
		}
	}
	badge, err := os.Create(filepath.Join(dir, "workloads", "shop", "badge"))
	if err != nil {
		t.Fatal(err)
	}
	defer badge.Close()
	var strangers []*exec.Cmd
	for _, env := range []string{owner + "x", "DAYTWO_WORKLOAD=shop", "NOTE=" + owner, "EMPTY="} {
		c := exec.Command(os.Args[0])
		c.Env, c.Dir, c.ExtraFiles = []string{"PROGRAM=hang", env}, dir, []*os.File{badge}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Process.Kill(); c.Wait() })
		strangers = append(strangers, c)
	}
	h.stop()
	h = open(t, dir)
	eventually(t, "the workload", func() bool { return h.workload(t, "shop").Ready })
	h.deploy(t, manifest(t, "shop", "serve", "v2", ""))
	for _, c := range strangers {
		if !alive(c.Process.Pid) {
			t.Errorf("the stranger with %v is dead", c.Env)
		}
	}
}

// marked lists the live processes that belong to the daytwo of dir: they work
// in it.
func marked(t *testing.T, dir string) (pids []int) {
	t.Helper()
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		cwd, err := os.Readlink("/proc/" + e.Name() + "/cwd")
		pid, convErr := strconv.Atoi(e.Name())
		if err == nil && convErr == nil && strings.HasPrefix(cwd, dir) && alive(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func TestSyncTakesOnlyWhatChanged(t *testing.T) {
	dir := t.TempDir()
	h := open(t, dir)
	sync := func(m ...orchestrate.Manifest) {
		t.Helper()
		if err := h.Sync(t.Context(), m, "files"); err != nil {
			t.Fatal(err)
		}
	}
	version := func(want string) {
		t.Helper()
		eventually(t, want, func() bool { w := h.workload(t, "shop"); return w.Version == want && w.Ready && !w.Deploying })
	}
	v1, v2 := manifest(t, "shop", "serve", "v1", ""), manifest(t, "shop", "serve", "v2", "")
	sync(v1)
	version("v1")
	sync(v2)
	version("v2")
	r, err := h.write(t, func(tx *store.Tx) (run.Run, error) { return h.Rollback(t.Context(), tx, "shop", 1, "ada") })
	if err != nil {
		t.Fatal(err)
	}
	h.finished(t, r)
	sync(v2) // the file has not changed, so the rollback stands
	version("v1")
	sync(manifest(t, "shop", "serve", "v3", ""))
	version("v3")
}
