package eventdb_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/eventdb"
)

// writerDir tells a process of the test binary to write events there until it is
// killed.
const writerDir = "DAYTWO_TEST_EVENT_WRITER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerDir); dir != "" {
		fmt.Fprintln(os.Stderr, writeNumbered(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeNumbered appends events numbered by writer, and prints the last number of
// each batch that was acknowledged. Heads are sealed all the time, so that a kill
// meets every step between the log and a merged part.
func writeNumbered(dir string) error {
	ctx := context.Background()
	db, err := eventdb.Open(ctx, eventdb.Config{Dir: dir})
	if err != nil {
		return err
	}
	go db.Run(ctx)
	go func() {
		for {
			if err := db.Flush(); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			if err := eventdb.MergeAll(ctx, db); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
	}()
	var out sync.Mutex
	var group sync.WaitGroup
	errs := make(chan error, 4)
	for w := range 4 {
		start, err := next(ctx, db, w)
		if err != nil {
			return err
		}
		group.Go(func() {
			r := rand.New(rand.NewPCG(uint64(start), uint64(w)))
			stream := event.NewStream(event.Labels{"writer": strconv.Itoa(w)})
			for n := start; ; {
				size := 1 + r.IntN(300)
				batch := make([]event.Event, size)
				for i := range batch {
					batch[i] = event.Event{Time: r.Int64N(1e15), Stream: stream, Fields: []event.Field{
						{Name: "n", Value: event.Int(int64(n + i))}, {Name: "text", Value: event.String(strings.Repeat("x", r.IntN(100)))},
					}}
				}
				if err := db.Append(ctx, batch); err != nil {
					errs <- err
					return
				}
				n += size
				out.Lock()
				fmt.Printf("%d %d\n", w, n)
				out.Unlock()
			}
		})
	}
	return <-errs
}

// next is the number after the last that a writer has stored.
func next(ctx context.Context, db *eventdb.DB, w int) (int, error) {
	r, err := db.Query(ctx, event.Query{Filter: event.Equals("writer", event.Int(int64(w))), Tables: []event.Table{{Calculate: []event.Calculation{{Op: "max", Field: "n"}}}}})
	if err != nil {
		return 0, err
	}
	last, ok := r.Tables[0].Groups[0].Cells[0].Value.Number()
	if !ok {
		return 0, nil
	}
	return int(last) + 1, nil
}

// A process that is killed at any moment loses nothing that it acknowledged, and
// has nothing twice. DAYTWO_CRASH_ROUNDS asks for more rounds.
func TestKill(t *testing.T) {
	rounds := 12
	if n, err := strconv.Atoi(os.Getenv("DAYTWO_CRASH_ROUNDS")); err == nil {
		rounds = n
	}
	dir := t.TempDir()
	acknowledged := map[int]int{}
	for round := range rounds {
		runAndKill(t, dir, acknowledged)
		db, err := eventdb.Open(t.Context(), eventdb.Config{Dir: dir})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		check := func() {
			for w := range 4 {
				r, err := db.Query(t.Context(), event.Query{Filter: event.Equals("writer", event.Int(int64(w))), Tables: []event.Table{{Calculate: []event.Calculation{{Op: "count"}, {Op: "max", Field: "n"}, {Op: "sum", Field: "n"}}}}})
				if err != nil || len(r.Warnings) > 0 {
					t.Fatalf("round %d: %v %v", round, err, r)
				}
				cells := r.Tables[0].Groups[0].Cells
				count := cells[0].Value.Int64()
				last, _ := cells[1].Value.Number()
				sum, _ := cells[2].Value.Number()
				if count > 0 && (int64(last) != count-1 || int64(sum) != count*(count-1)/2) || count < int64(acknowledged[w]) {
					t.Fatalf("round %d: writer %d has %d events, the last %.0f, sum %.0f; acknowledged %d", round, w, count, last, sum, acknowledged[w])
				}
			}
		}
		check()
		if round%4 == 3 {
			if err := db.Flush(); err != nil {
				t.Fatal(err)
			}
			check()
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d rounds, acknowledged by writer: %v", rounds, acknowledged)
}

func runAndKill(t *testing.T, dir string, acknowledged map[int]int) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), writerDir+"="+dir)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	var kill *time.Timer
	for lines.Scan() {
		if kill == nil { // it has begun to write
			kill = time.AfterFunc(time.Duration(rand.IntN(400))*time.Millisecond, func() { cmd.Process.Kill() })
		}
		var w, n int
		if _, err := fmt.Sscanf(lines.Text(), "%d %d", &w, &n); err == nil && strings.Count(lines.Text(), " ") == 1 {
			acknowledged[w] = max(acknowledged[w], n)
		}
	}
	if kill == nil {
		t.Fatal("the writer wrote nothing")
	}
	_ = cmd.Wait() // killed
}
