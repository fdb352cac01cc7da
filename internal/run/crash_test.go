package run_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/daytwo-dev/daytwo/internal/run"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// effects is a table runs write to. It has no key, so a second effect of a step
// would show.
var effects = fstest.MapFS{"001_effects.sql": {Data: []byte("-- +goose Up\nCREATE TABLE effects (run TEXT NOT NULL, step TEXT NOT NULL);\n")}}

func makeEffects(t testing.TB, db *store.DB) {
	t.Helper()
	if err := db.Migrate(context.Background(), "effects", effects); err != nil {
		t.Fatal(err)
	}
}

func note(ctx context.Context, tx *store.Tx, run, step string) error {
	_, err := tx.Exec(ctx, `INSERT INTO effects (run, step) VALUES (?, ?)`, run, step)
	return err
}

func effectsOf(t testing.TB, db *store.DB) map[string][]string {
	t.Helper()
	got := map[string][]string{}
	err := db.Read(context.Background(), func(tx *store.Tx) error {
		rows, err := tx.Query(tx.Context(), `SELECT run, step FROM effects ORDER BY run, step`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var run, step string
			if err := rows.Scan(&run, &step); err != nil {
				return err
			}
			got[run] = append(got[run], step)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// crashEnv makes the test binary the process that is killed; its value is the
// directory of the store, or a PostgreSQL URL.
const crashEnv = "RUN_CRASH_CHILD"

func crashStore(where string) store.Config {
	if strings.HasPrefix(where, "postgres") {
		return store.Config{URL: where}
	}
	return store.Config{Dir: where}
}

// crashWork has three effects, and hands a value from one step to the last.
func crashWork(ctx context.Context, t *run.Task) error {
	id := t.Run().ID
	effect := func(ctx context.Context, t *run.Task, name string) error {
		return t.Commit(ctx, name, func(ctx context.Context, tx *store.Tx) error { return note(ctx, tx, id, name) })
	}
	if err := effect(ctx, t, "a"); err != nil {
		return err
	}
	err := t.Step(ctx, "group", func(ctx context.Context, t *run.Task) error {
		t.Logf("in the middle")
		t.Output(map[string]string{"id": id})
		return effect(ctx, t, "b")
	})
	if err != nil {
		return err
	}
	if t.Outputs()["id"] != id {
		return fmt.Errorf("the output of a step is lost: %v", t.Outputs())
	}
	return effect(ctx, t, "c")
}

var crashKinds = kinds{"resumable": {Run: crashWork, Resumable: true}, "plain": {Run: crashWork}}

// crashChild starts runs and says so on standard output once they are committed,
// and executes them.
func crashChild() {
	ctx := context.Background()
	must := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	logger := slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, crashStore(os.Getenv(crashEnv)))
	must(err)
	must(db.Migrate(ctx, "effects", effects))
	tl, err := timeline.New(ctx, timeline.Config{DB: db, Logger: logger})
	must(err)
	e, err := run.New(ctx, run.Config{DB: db, Timeline: tl, Logger: logger, Concurrency: 4, Queue: 1_000_000})
	must(err)
	for name, k := range crashKinds {
		e.Register(name, k)
	}
	go func() { must(e.Run(ctx)) }()
	fmt.Println("ready")
	for i := range 1_000_000 {
		r, err := e.Start(ctx, nil, run.Spec{Kind: []string{"resumable", "plain"}[i%2], Title: "x", Exclusive: []string{"", "one"}[i%3%2]})
		must(err)
		fmt.Println(r.ID)
	}
}

// Killed at random points again and again, no acknowledged run is lost, each
// resumable one completes, and no effect happens twice.
func TestKillNine(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { killNine(t, t.TempDir(), 8) })
	t.Run("postgres", func(t *testing.T) { killNine(t, storetest.PostgresURL(t), 3) })
}

func killNine(t *testing.T, where string, rounds int) {
	if testing.Short() {
		t.Skip("not run: kills processes for seconds")
	}
	var acknowledged []string
	for range rounds {
		acknowledged = append(acknowledged, crashRound(t, where)...)
	}
	db, err := store.Open(t.Context(), crashStore(where))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	makeEffects(t, db)
	e, tl := engine(t, db, crashKinds)
	stop := running(t, e)
	defer stop()

	counts := map[string]int{}
	known := map[string]bool{}
	f := run.Filter{Limit: 500}
	for {
		items, next, err := e.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range items {
			known[r.ID] = true
			r = wait(t, e, r.ID)
			counts[r.Kind+" "+string(r.Status)]++
			verifyAfterCrashes(t, e, tl, r)
		}
		if f.Cursor = next; next == "" {
			break
		}
	}
	for _, id := range acknowledged {
		if !known[id] {
			t.Errorf("run %s was acknowledged and is lost", id)
		}
	}
	t.Logf("%d rounds, %d acknowledged: %v", rounds, len(acknowledged), counts)
	whole := 0
	for id, got := range effectsOf(t, db) {
		switch steps := strings.Join(got, ""); steps {
		case "abc":
			whole++
		case "a", "ab":
		default:
			t.Errorf("run %s had the effects %s", id, steps)
		}
	}
	if least := counts["resumable succeeded"] + counts["plain succeeded"]; whole < least {
		t.Errorf("%d runs with all effects, %d succeeded", whole, least)
	}
}

func verifyAfterCrashes(t *testing.T, e *run.Engine, tl *timeline.Timeline, r run.Run) {
	t.Helper()
	switch {
	case r.Status == run.Succeeded:
		if len(r.Steps) != 4 || r.Output["id"] != r.ID {
			t.Errorf("%s run %s: output %v, steps\n%s", r.Kind, r.ID, r.Output, steps(r))
		}
	case r.Kind != "plain" || r.Status != run.Interrupted:
		t.Errorf("%s run %s is %s: %s", r.Kind, r.ID, r.Status, r.Error)
	}
	for _, s := range r.Steps {
		if !s.Status.Final() {
			t.Errorf("step %s of a %s run is %s", s.Path, r.Status, s.Status)
		}
	}
	finished, _, err := tl.List(t.Context(), timeline.Filter{Refs: []string{"run/" + r.ID}, Actions: []string{"started", "finished"}})
	if err != nil || len(finished) != 2 {
		t.Errorf("run %s: %d entries on the timeline, %v", r.ID, len(finished), err)
	}
	for i, l := range must(e.Log(t.Context(), r.ID, 0, 0)) {
		if l.Seq != int64(i+1) {
			t.Errorf("run %s: line %d has seq %d", r.ID, i+1, l.Seq)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// crashRound runs the child until it is killed and returns what it acknowledged.
func crashRound(t *testing.T, where string) (acknowledged []string) {
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashEnv+"="+where)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lives := rand.IntN(20) // acknowledgements, and a little
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if len(lines.Text()) == 26 { // else it is "ready", or cut off
			acknowledged = append(acknowledged, lines.Text())
		}
		if len(acknowledged) == lives {
			kill := time.AfterFunc(time.Duration(rand.Int64N(int64(5*time.Millisecond))), func() { child.Process.Kill() })
			defer kill.Stop()
			lives = -1
		}
	}
	if err := child.Wait(); err == nil || child.ProcessState.Exited() {
		t.Fatalf("the child ended by itself: %v", err)
	}
	return acknowledged
}
