package run_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/run"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

func TestMain(m *testing.M) {
	if os.Getenv(crashEnv) != "" {
		crashChild()
		return
	}
	goleak.VerifyTestMain(m)
}

// kinds are what an engine of a test can run.
type kinds map[string]run.Kind

// simple is a kind that runs fn.
func simple(fn func(ctx context.Context, t *run.Task) error) kinds { return kinds{"test": {Run: fn}} }

// engine makes an engine that does not run yet.
func engine(t testing.TB, db *store.DB, k kinds, change ...func(*run.Config)) (*run.Engine, *timeline.Timeline) {
	t.Helper()
	tl, err := timeline.New(context.Background(), timeline.Config{DB: db, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	c := run.Config{DB: db, Timeline: tl, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Grace: 300 * time.Millisecond}
	for _, f := range change {
		f(&c)
	}
	e, err := run.New(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	for name, kind := range k {
		e.Register(name, kind)
	}
	return e, tl
}

// running runs e until the function returned is called, or the test ends.
func running(t testing.TB, e *run.Engine) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func start(t testing.TB, e *run.Engine, s run.Spec) run.Run {
	t.Helper()
	if s.Kind == "" {
		s.Kind = "test"
	}
	if s.Title == "" {
		s.Title = "A test"
	}
	r, err := e.Start(context.Background(), nil, s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wait(t testing.TB, e *run.Engine, id string) run.Run {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := e.Wait(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// execute runs fn as one run on a fresh store, to its end.
func execute(t testing.TB, fn func(ctx context.Context, t *run.Task) error) (run.Run, *run.Engine) {
	t.Helper()
	e, _ := engine(t, storetest.New(t), simple(fn))
	running(t, e)
	return wait(t, e, start(t, e, run.Spec{Input: "some"}).ID), e
}

// steps shows the steps of r, one a line.
func steps(r run.Run) string {
	var b strings.Builder
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "%s%s %s %d %s\n", strings.Repeat("  ", s.Depth), s.Path, s.Status, s.Attempt, s.Error)
	}
	return b.String()
}

func texts(t testing.TB, e *run.Engine, id, stream string) []string {
	t.Helper()
	lines, err := e.Log(context.Background(), id, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, l := range lines {
		if stream == "" || l.Stream == stream {
			out = append(out, l.Text)
		}
	}
	return out
}

func expect[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n%v\nwant\n%v", what, got, want)
	}
}

func ok(context.Context, *run.Task) error { return nil }

func TestLifeOfARun(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		type input struct{ Version string }
		e, tl := engine(t, db, simple(func(ctx context.Context, t *run.Task) error {
			var in input
			if err := t.Input(&in); err != nil {
				return err
			}
			t.Logf("deploying %s\nfor %s", in.Version, t.Run().Actor)
			err := t.Step(ctx, "stop/old", func(ctx context.Context, t *run.Task) error {
				t.Output(map[string]string{"pid": "7"})
				return t.Step(ctx, "drain", ok)
			})
			if err != nil {
				return err
			}
			if err := t.Step(ctx, "start", func(ctx context.Context, t *run.Task) error {
				fmt.Fprintf(t.Writer(), "it was pid %s\nno end", t.Outputs()["pid"])
				return nil
			}); err != nil {
				return err
			}
			return t.Step(ctx, "start", ok)
		}))
		queued := start(t, e, run.Spec{Title: "Deploy v2", Service: "cart", Actor: "ada", Input: input{"v2"}})
		if queued.Status != run.Queued || queued.QueuedAt.IsZero() {
			t.Errorf("started as %+v", queued)
		}
		running(t, e)
		r := wait(t, e, queued.ID)
		if r.Status != run.Succeeded || r.Error != "" || r.Output["pid"] != "7" || r.Service != "cart" || r.Actor != "ada" {
			t.Errorf("ended as %+v", r)
		}
		if r.StartedAt.Before(r.QueuedAt) || r.FinishedAt.Before(r.StartedAt) {
			t.Errorf("times %v, %v, %v", r.QueuedAt, r.StartedAt, r.FinishedAt)
		}
		expect(t, "steps", steps(r), "stop_old succeeded 1 \n  stop_old/drain succeeded 1 \nstart succeeded 1 \nstart#2 succeeded 1 \n")
		lines, err := e.Log(t.Context(), r.ID, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		for _, l := range lines {
			fmt.Fprintln(&log, l.Seq, l.Step, l.Stream, l.Text)
		}
		expect(t, "log", log.String(), "1  out deploying v2\n2  out for ada\n3 start out it was pid 7\n4 start out no end\n5  sys succeeded\n")

		entries, _, err := tl.List(t.Context(), timeline.Filter{Refs: []string{"run/" + r.ID}})
		if err != nil || len(entries) != 2 {
			t.Fatalf("timeline %+v, %v", entries, err)
		}
		expect(t, "finished", fmt.Sprint(entries[0].Action, " ", entries[0].Title, " ", entries[0].Tone, " ", entries[0].Service, " ", entries[0].Data["status"]),
			"finished Deploy v2: succeeded good cart succeeded")
		expect(t, "started", fmt.Sprint(entries[1].Action, " ", entries[1].Title, " ", entries[1].Actor), "started Deploy v2 ada")
	})
}

func TestFailures(t *testing.T) {
	boom := errors.New("boom")
	cases := map[string]struct {
		fn                func(ctx context.Context, t *run.Task) error
		wantErr, wantTree string
	}{
		"in a step": {func(ctx context.Context, t *run.Task) error {
			return t.Step(ctx, "build", func(ctx context.Context, t *run.Task) error {
				return t.Step(ctx, "compile", func(context.Context, *run.Task) error { return boom })
			})
		}, "build: compile: boom", "build failed 1 compile: boom\n  build/compile failed 1 boom\n"},
		"handled": {func(ctx context.Context, t *run.Task) error {
			_ = t.Step(ctx, "try", func(context.Context, *run.Task) error { return boom })
			return nil
		}, "", "try failed 1 boom\n"},
		"panic in a step": {func(ctx context.Context, t *run.Task) error {
			return t.Step(ctx, "x", func(context.Context, *run.Task) error { panic("oh") })
		}, "x: panic: oh", "x failed 1 panic: oh\n"},
		"panic": {func(context.Context, *run.Task) error { panic("oh") }, "panic: oh", ""},
		"secret": {func(ctx context.Context, t *run.Task) error {
			t.Mask("hunter2")
			return t.Step(ctx, "login", func(context.Context, *run.Task) error { return errors.New("bad password hunter2\x00") })
		}, "login: bad password ***\uFFFD", "login failed 1 bad password ***\uFFFD\n"},
		"bad input": {func(_ context.Context, t *run.Task) error { return t.Input(new(int)) },
			"the input of the run does not fit: json: cannot unmarshal string into Go value of type int", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r, _ := execute(t, c.fn)
			expect(t, "error", r.Error, c.wantErr)
			expect(t, "steps", steps(r), c.wantTree)
			if (r.Status == run.Succeeded) != (c.wantErr == "") {
				t.Errorf("status %s", r.Status)
			}
		})
	}
}

func TestStartRefuses(t *testing.T) {
	e, _ := engine(t, storetest.New(t), simple(ok), func(c *run.Config) { c.Queue = 3 })
	cases := map[string]struct {
		spec run.Spec
		code problem.Code
	}{
		"kind":    {run.Spec{Kind: "nope", Title: "x"}, problem.Invalid},
		"title":   {run.Spec{Kind: "test", Title: " "}, problem.Invalid},
		"service": {run.Spec{Kind: "test", Title: "x", Service: strings.Repeat("s", 201)}, problem.TooLarge},
		"input":   {run.Spec{Kind: "test", Title: "x", Input: strings.Repeat("s", 1<<20)}, problem.TooLarge},
	}
	for name, c := range cases {
		if _, err := e.Start(t.Context(), nil, c.spec); problem.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	for range 3 {
		start(t, e, run.Spec{})
	}
	_, err := e.Start(t.Context(), nil, run.Spec{Kind: "test", Title: "x"})
	if problem.CodeOf(err) != problem.Exhausted {
		t.Errorf("full queue: %v", err)
	}
}

// A run exists if and only if the transaction of its Start commits.
func TestStartInATransaction(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		e, _ := engine(t, db, simple(ok))
		running(t, e)
		var kept, undone run.Run
		err := db.Write(t.Context(), func(tx *store.Tx) (err error) {
			kept, err = e.Start(tx.Context(), tx, run.Spec{Kind: "test", Title: "kept"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		_ = db.Write(t.Context(), func(tx *store.Tx) (err error) {
			undone, _ = e.Start(tx.Context(), tx, run.Spec{Kind: "test", Title: "undone"})
			return errors.New("no")
		})
		expect(t, "status", wait(t, e, kept.ID).Status, run.Succeeded)
		if _, err := e.Get(t.Context(), undone.ID); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("run of a rolled back transaction: %v", err)
		}
	})
}

func TestList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		e, _ := engine(t, db, kinds{"a": {Run: ok}, "b": {Run: ok}})
		var ids []string
		for i := range 7 {
			r := start(t, e, run.Spec{Kind: []string{"a", "b"}[i%2], Service: []string{"cart", "pay", ""}[i%3]})
			ids = append(ids, r.ID)
		}
		if err := e.Cancel(t.Context(), ids[0], "ada"); err != nil {
			t.Fatal(err)
		}
		cases := map[string]struct {
			f    run.Filter
			want []int
		}{
			"all":      {run.Filter{}, []int{6, 5, 4, 3, 2, 1, 0}},
			"kind":     {run.Filter{Kinds: []string{"b"}}, []int{5, 3, 1}},
			"service":  {run.Filter{Services: []string{"cart", "pay"}}, []int{6, 4, 3, 1, 0}},
			"status":   {run.Filter{Statuses: []run.Status{run.Canceled}}, []int{0}},
			"together": {run.Filter{Kinds: []string{"a"}, Services: []string{"cart"}, Statuses: []run.Status{run.Queued}}, []int{6}},
			"none":     {run.Filter{Kinds: []string{"c"}}, nil},
		}
		for name, c := range cases {
			c.f.Limit = 2
			var got []int
			for {
				items, next, err := e.List(t.Context(), c.f)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range items {
					got = append(got, slices.Index(ids, r.ID))
				}
				if c.f.Cursor = next; next == "" {
					break
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	var now, most atomic.Int32
	release := make(chan struct{})
	e, _ := engine(t, storetest.New(t), simple(func(context.Context, *run.Task) error {
		most.Store(max(most.Load(), now.Add(1)))
		<-release
		now.Add(-1)
		return nil
	}), func(c *run.Config) { c.Concurrency = 3 })
	running(t, e)
	var ids []string
	for range 9 {
		ids = append(ids, start(t, e, run.Spec{}).ID)
	}
	for range ids {
		release <- struct{}{}
	}
	for _, id := range ids {
		expect(t, "status", wait(t, e, id).Status, run.Succeeded)
	}
	expect(t, "most at once", most.Load(), 3)
}

// Runs with one key go one after the other in the order of their start; others
// do not wait for them.
func TestExclusive(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var mu sync.Mutex
		var inside bool
		var order []string
		blocked := make(chan struct{})
		e, _ := engine(t, db, kinds{
			"free": {Run: ok},
			"test": {Run: func(ctx context.Context, t *run.Task) error {
				<-blocked
				mu.Lock()
				overlap := inside
				inside, order = true, append(order, t.Run().ID)
				mu.Unlock()
				err := t.Step(ctx, "work", ok)
				mu.Lock()
				inside = false
				mu.Unlock()
				if overlap {
					return errors.New("two at once")
				}
				return err
			}}})
		running(t, e)
		var ids []string
		for range 10 {
			ids = append(ids, start(t, e, run.Spec{Exclusive: "cart"}).ID)
		}
		wait(t, e, start(t, e, run.Spec{Kind: "free"}).ID) // while the first holds the key
		close(blocked)
		for _, id := range ids {
			expect(t, "error", wait(t, e, id).Error, "")
		}
		if !slices.Equal(order, ids) {
			t.Errorf("order %v, want %v", order, ids)
		}
	})
}

// What a Commit writes and its success are one transaction.
func TestCommit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		makeEffects(t, db)
		e, _ := engine(t, db, simple(func(ctx context.Context, t *run.Task) error {
			if err := t.Commit(ctx, "record", func(ctx context.Context, tx *store.Tx) error { return note(ctx, tx, "run", "step") }); err != nil {
				return err
			}
			return t.Commit(ctx, "refused", func(ctx context.Context, tx *store.Tx) error {
				_ = note(ctx, tx, "run", "undone")
				return errors.New("no")
			})
		}))
		running(t, e)
		r := wait(t, e, start(t, e, run.Spec{}).ID)
		expect(t, "error", r.Error, "refused: no")
		expect(t, "steps", steps(r), "record succeeded 1 \nrefused failed 1 no\n")
		expect(t, "effects", fmt.Sprint(effectsOf(t, db)), "map[run:[step]]")
	})
}
