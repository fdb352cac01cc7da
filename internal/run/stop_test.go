package run_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/run"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// hang blocks until its context ends.
func hang(ctx context.Context, _ *run.Task) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestCancel(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		inside := make(chan struct{})
		e, tl := engine(t, db, simple(func(ctx context.Context, t *run.Task) error {
			return t.Step(ctx, "wait", func(ctx context.Context, t *run.Task) error {
				close(inside)
				return hang(ctx, t)
			})
		}), func(c *run.Config) { c.Concurrency = 1 })
		running(t, e)
		first := start(t, e, run.Spec{})
		<-inside
		second := start(t, e, run.Spec{})

		if err := e.Cancel(t.Context(), second.ID, "grace"); err != nil {
			t.Fatal(err)
		}
		r, err := e.Get(t.Context(), second.ID) // at once
		if err != nil || r.Status != run.Canceled || r.Error != "canceled by grace" || r.CanceledBy != "grace" {
			t.Errorf("queued run: %+v, %v", r, err)
		}
		if err := e.Cancel(t.Context(), first.ID, "ada"); err != nil {
			t.Fatal(err)
		}
		r = wait(t, e, first.ID)
		if r.Status != run.Canceled || r.Error != "canceled by ada" {
			t.Errorf("running run: %+v", r)
		}
		expect(t, "steps", steps(r), "wait canceled 1 canceled by ada\n")

		if err := e.Cancel(t.Context(), first.ID, "ada"); problem.CodeOf(err) != problem.Conflict {
			t.Errorf("cancel of a final run: %v", err)
		}
		if err := e.Cancel(t.Context(), "nope", "ada"); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("cancel of no run: %v", err)
		}
		entries, _, err := tl.List(t.Context(), timeline.Filter{Actions: []string{"finished"}})
		if err != nil || len(entries) != 2 || entries[0].Tone != timeline.Warning {
			t.Errorf("timeline: %+v, %v", entries, err)
		}
	})
}

// With the run die all processes of its command, also the stubborn ones and the
// ones it left in the background.
func TestCancelEndsTheProcessGroup(t *testing.T) {
	scripts := map[string]string{
		"obedient":    `sleep 1000 & echo $$ $!; wait`,
		"stubborn":    `trap "" TERM; sh -c 'trap "" TERM; while :; do sleep 1000; done' & echo $$ $!; while :; do sleep 1000; done`,
		"leader only": `sh -c 'trap "" TERM; while :; do sleep 1000; done' >/dev/null 2>&1 & echo $$ $!; wait`,
	}
	for name, script := range scripts {
		t.Run(name, func(t *testing.T) {
			e, _ := engine(t, storetest.New(t), simple(func(ctx context.Context, t *run.Task) error {
				return t.Step(ctx, "serve", func(ctx context.Context, t *run.Task) error {
					return t.Command(ctx, "sh", "-c", script).Run()
				})
			}))
			running(t, e)
			r := start(t, e, run.Spec{})
			var pids []int
			err := e.Follow(t.Context(), r.ID, 0, func(u run.Update) error {
				if u.Line == nil || u.Line.Stream != run.Out {
					return nil
				}
				for _, field := range strings.Fields(u.Line.Text) {
					pid, err := strconv.Atoi(field)
					if err != nil {
						return err
					}
					pids = append(pids, pid)
				}
				return errFound
			})
			if !errors.Is(err, errFound) || len(pids) != 2 {
				t.Fatalf("pids %v, %v", pids, err)
			}
			if err := e.Cancel(t.Context(), r.ID, "ada"); err != nil {
				t.Fatal(err)
			}
			expect(t, "status", wait(t, e, r.ID).Status, run.Canceled)
			for _, pid := range pids {
				eventually(t, func() bool { return gone(pid) })
			}
		})
	}
}

var errFound = errors.New("found")

func TestCommandOutputAndExit(t *testing.T) {
	r, e := execute(t, func(ctx context.Context, t *run.Task) error {
		t.Mask("s3cret")
		cmd := t.Command(ctx, "sh", "-c", `printf 'one\ntwo s3cret'; printf 'oops\n' >&2; exit 3`)
		return cmd.Run()
	})
	expect(t, "error", r.Error, "exit status 3")
	expect(t, "out", strings.Join(texts(t, e, r.ID, run.Out), "|"), "one|two ***")
	expect(t, "err", strings.Join(texts(t, e, r.ID, run.Err), "|"), "oops")
	expect(t, "sys", texts(t, e, r.ID, run.Sys)[0], `$ sh -c printf 'one\ntwo ***'; printf 'oops\n' >&2; exit 3`)
}

func TestTimeouts(t *testing.T) {
	inStep := func(ctx context.Context, t *run.Task) error {
		return t.Step(ctx, "slow", hang, run.Timeout(5*time.Second))
	}
	cases := map[string]struct {
		kind  run.Kind
		spec  run.Spec
		took  time.Duration
		err   string
		steps string
	}{
		"of the spec": {run.Kind{Run: hang, Timeout: time.Hour}, run.Spec{Timeout: time.Minute}, time.Minute, "timed out after 1m0s", ""},
		"of the kind": {run.Kind{Run: hang, Timeout: 2 * time.Minute}, run.Spec{}, 2 * time.Minute, "timed out after 2m0s", ""},
		"of a step":   {run.Kind{Run: inStep}, run.Spec{}, 5 * time.Second, "slow: timed out after 5s", "slow failed 1 timed out after 5s\n"},
		"of the run in a step": {run.Kind{Run: inStep}, run.Spec{Timeout: 2 * time.Second}, 2 * time.Second,
			"timed out after 2s", "slow failed 1 timed out after 2s\n"},
		"of each attempt": {run.Kind{Run: func(ctx context.Context, t *run.Task) error {
			return t.Step(ctx, "slow", hang, run.Timeout(time.Second), run.Retry(2, time.Second))
		}}, run.Spec{}, 6 * time.Second, "slow: timed out after 1s", "slow failed 3 timed out after 1s\n"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e, _ := engine(t, storetest.New(t), kinds{"test": c.kind})
				running(t, e)
				synctest.Wait()
				began := time.Now()
				id := start(t, e, c.spec).ID
				time.Sleep(c.took + time.Second)
				r, err := e.Get(t.Context(), id)
				if err != nil {
					t.Fatal(err)
				}
				expect(t, "status", r.Status, run.Failed)
				expect(t, "error", r.Error, c.err)
				expect(t, "took", r.FinishedAt.Sub(began).Round(10*time.Millisecond), c.took)
				expect(t, "steps", steps(r), c.steps)
			})
		})
	}
}

func TestRetriesBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		began := time.Now()
		r, e := execute(t, func(ctx context.Context, t *run.Task) error {
			return t.Step(ctx, "flaky", func(ctx context.Context, t *run.Task) error {
				at = append(at, time.Since(began))
				t.Output(map[string]string{"attempt " + fmt.Sprint(len(at)): "was here"})
				err := t.Step(ctx, "inner", ok) // done again each time
				if len(at) < 4 {
					err = errors.New("not yet")
				}
				return err
			}, run.Retry(5, time.Second))
		})
		want := []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second}
		if !slices.Equal(at, want) {
			t.Errorf("tried at %v, want %v", at, want)
		}
		expect(t, "steps", steps(r), "flaky succeeded 4 \n  flaky/inner succeeded 1 \n")
		expect(t, "output", fmt.Sprint(r.Output), "map[attempt 4:was here]") // failed attempts do not count
		expect(t, "log", texts(t, e, r.ID, run.Sys)[1], "attempt 2 failed: not yet; the next in 2s")
	})
}

func TestRetriesEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := map[string]int{}
		fail := func(name string, err error) func(context.Context, *run.Task) error {
			return func(context.Context, *run.Task) error { tries[name]++; return err }
		}
		r, _ := execute(t, func(ctx context.Context, t *run.Task) error {
			return errors.Join(
				t.Step(ctx, "bad", fail("bad", errors.New("bad")), run.Retry(2, time.Second)),
				t.Step(ctx, "invalid", fail("invalid", problem.New(problem.Invalid, "never")), run.Retry(2, time.Second)))
		})
		expect(t, "error", r.Error, "bad: bad\ninvalid: never")
		expect(t, "tries", fmt.Sprint(tries), "map[bad:3 invalid:1]")
	})
}

// A cancelled run does not sit out its back-off.
func TestCancelDuringBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _ := engine(t, storetest.New(t), simple(func(ctx context.Context, t *run.Task) error {
			return t.Step(ctx, "x", func(context.Context, *run.Task) error { return errors.New("no") }, run.Retry(9, time.Hour))
		}))
		running(t, e)
		id := start(t, e, run.Spec{}).ID
		time.Sleep(time.Minute)
		if err := e.Cancel(t.Context(), id, "ada"); err != nil {
			t.Fatal(err)
		}
		before := time.Now()
		expect(t, "status", wait(t, e, id).Status, run.Canceled)
		expect(t, "waited", time.Since(before), 0)
	})
}

// Stopping and starting daytwo: resumable runs go on, others say what happened,
// queued ones start.
func TestRestart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var first, second atomic.Int32
		inside := make(chan struct{}, 2)
		stopped := false
		work := func(ctx context.Context, t *run.Task) error {
			err := t.Step(ctx, "first", func(ctx context.Context, t *run.Task) error {
				first.Add(1)
				t.Output(map[string]string{"made": "it"})
				return nil
			})
			if err != nil {
				return err
			}
			return t.Step(ctx, "second", func(ctx context.Context, t *run.Task) error {
				if err := t.Step(ctx, "part", func(context.Context, *run.Task) error { second.Add(1); return nil }); err != nil {
					return err
				}
				if !stopped {
					inside <- struct{}{}
					return hang(ctx, t)
				}
				t.Output(map[string]string{"saw": t.Outputs()["made"]})
				return nil
			})
		}
		both := kinds{"resumable": {Run: work, Resumable: true}, "test": {Run: work}, "gone": {Run: ok}}
		limit := func(c *run.Config) { c.Concurrency = 2 }
		e, _ := engine(t, db, both, limit)
		stop := running(t, e)
		resumable, plain := start(t, e, run.Spec{Kind: "resumable"}), start(t, e, run.Spec{})
		<-inside
		<-inside
		waiting, unknown := start(t, e, run.Spec{Kind: "resumable"}), start(t, e, run.Spec{Kind: "gone"})
		stop()
		stopped = true

		delete(both, "gone")
		e, tl := engine(t, db, both, limit)
		running(t, e)
		r := wait(t, e, resumable.ID)
		expect(t, "steps", steps(r), "first succeeded 1 \nsecond succeeded 2 \n  second/part succeeded 1 \n")
		expect(t, "output", fmt.Sprint(r.Output), "map[made:it saw:it]")
		expect(t, "skipped", texts(t, e, r.ID, run.Sys)[1], "succeeded before, skipped")
		expect(t, "waiting", wait(t, e, waiting.ID).Status, run.Succeeded)

		r = wait(t, e, plain.ID)
		expect(t, "status", r.Status, run.Interrupted)
		expect(t, "error", r.Error, "daytwo stopped while this ran")
		expect(t, "steps", steps(r), "first succeeded 1 \nsecond interrupted 1 daytwo stopped while this ran\n  second/part succeeded 1 \n")
		expect(t, "unknown", wait(t, e, unknown.ID).Error, `this daytwo does not know the kind "gone"`)
		expect(t, "first", first.Load(), 3)
		expect(t, "second", second.Load(), 3)

		var actions []string
		entries, _, err := tl.List(t.Context(), timeline.Filter{Refs: []string{"run/" + resumable.ID}})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			actions = append(actions, e.Action)
		}
		expect(t, "timeline", strings.Join(actions, " "), "finished resumed started")
	})
}

func TestStartStop(t *testing.T) {
	db := storetest.New(t)
	for range 20 {
		e, _ := engine(t, db, kinds{"test": {Run: hang, Resumable: true}})
		stop := running(t, e)
		start(t, e, run.Spec{})
		stop()
	}
	e, _ := engine(t, db, kinds{"test": {Run: ok}})
	running(t, e)
	items, _, err := e.List(t.Context(), run.Filter{})
	if err != nil || len(items) != 20 {
		t.Fatalf("%d runs, %v", len(items), err)
	}
	for _, r := range items {
		expect(t, "status", wait(t, e, r.ID).Status, run.Succeeded)
	}
}

// gone tells whether a process has ended, a zombie included.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	return zombie(pid)
}

func eventually(t testing.TB, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("waited in vain")
		}
	}
}
