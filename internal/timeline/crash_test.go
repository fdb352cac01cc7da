package timeline_test

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// crashEnv makes the test binary the process that is killed; its value is the
// directory of the store, or a PostgreSQL URL.
const crashEnv = "TIMELINE_CRASH_CHILD"

func crashStore(where string) store.Config {
	if strings.HasPrefix(where, "postgres") {
		return store.Config{URL: where}
	}
	return store.Config{Dir: where}
}

// crashChild appends alerts and says so on standard output once they are
// committed, while a rule turns each alert into an effect and an incident, and a
// second rule turns each incident into an effect.
func crashChild() {
	ctx := context.Background()
	must := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	db, err := store.Open(ctx, crashStore(os.Getenv(crashEnv)))
	must(err)
	must(db.Migrate(ctx, "effects", effects))
	tl, err := timeline.New(ctx, timeline.Config{DB: db, Logger: slog.New(slog.DiscardHandler)})
	must(err)
	go tl.Consume(ctx, "incidents", crashAlerts, crashRule(tl))
	go tl.Consume(ctx, "rest", crashIncidents, note)
	fmt.Println("ready")
	for range 1_000_000 {
		e := timeline.Entry{Kind: timeline.Alert, Action: "fired", Title: "x"}
		must(db.Write(ctx, func(tx *store.Tx) error { return tl.Append(ctx, tx, &e) }))
		fmt.Println(e.ID)
	}
}

var (
	crashAlerts    = timeline.Filter{Kinds: []timeline.Kind{timeline.Alert}}
	crashIncidents = timeline.Filter{Kinds: []timeline.Kind{timeline.Incident}}
)

func crashRule(tl *timeline.Timeline) timeline.Handler {
	return func(ctx context.Context, tx *store.Tx, e timeline.Entry) error {
		if err := note(ctx, tx, e); err != nil {
			return err
		}
		return tl.Append(ctx, tx, &timeline.Entry{Kind: timeline.Incident, Action: "opened", Title: "x", Ref: "alert/" + e.ID})
	}
}

// Killed at random points again and again, nothing acknowledged is lost and each
// entry has its effect exactly once.
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
	tl := open(t, db)
	stopRule := consume(t, tl, "incidents", crashAlerts, crashRule(tl))
	stopRest := consume(t, tl, "rest", crashIncidents, note)

	seen := map[string]bool{}
	feed := tl.Subscribe(timeline.Filter{}, 0)
	alerts, incidents, head := 0, 0, int64(0)
	for alerts == 0 || incidents < alerts || head < tl.Head() {
		e := <-feed.C
		if head++; e.Seq != head {
			t.Fatalf("seq %d after %d", e.Seq, head-1)
		}
		if seen[e.ID] = true; e.Kind == timeline.Alert {
			alerts++
		} else {
			incidents++
		}
	}
	feed.Close()
	until(t, "an effect for each entry", func() bool { return int64(len(noted(t, db))) >= head })
	stopRule()
	stopRest()

	t.Logf("%d rounds, %d acknowledged, %d alerts, %d incidents", rounds, len(acknowledged), alerts, incidents)
	if alerts != incidents || tl.Head() != head {
		t.Errorf("%d alerts, %d incidents", alerts, incidents)
	}
	if got := noted(t, db); int64(len(got)) != head || len(slices.Compact(got)) != len(got) {
		t.Errorf("%d effects for %d entries", len(got), head)
	}
	for _, id := range acknowledged {
		if !seen[id] {
			t.Errorf("entry %s was acknowledged and is lost", id)
		}
	}
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
	lives := rand.IntN(30) // acknowledgements, and a little
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
