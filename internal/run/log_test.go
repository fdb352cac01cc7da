package run_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/run"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

// zombie tells whether a process has ended and waits for its parent to notice.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func TestMasking(t *testing.T) {
	r, e := execute(t, func(ctx context.Context, t *run.Task) error {
		t.Mask("swordfish", "swordfish-and-more", "line one\nline two", "x")
		t.Logf("a swordfish-and-more, a swordfish, x")
		w := t.Writer()
		fmt.Fprint(w, "split sword")
		fmt.Fprint(w, "fish, then line one\nand line two\r\n")
		t.Output(map[string]string{"token": "swordfish"})
		return t.Step(ctx, "s", func(ctx context.Context, t *run.Task) error { return errors.New("no swordfish here") })
	})
	expect(t, "out", strings.Join(texts(t, e, r.ID, run.Out), "|"), "a ***, a ***, x|split ***, then ***|and ***")
	expect(t, "error", r.Error, "s: no *** here")
	expect(t, "output", r.Output["token"], "***")
	if all := strings.Join(texts(t, e, r.ID, ""), "|"); strings.Contains(all, "sword") {
		t.Errorf("a secret is in the log: %s", all)
	}
}

func TestLogIsBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		e, _ := engine(t, db, simple(func(ctx context.Context, t *run.Task) error {
			for i := range 1000 {
				t.Logf("%05d%s", i, strings.Repeat(".", 63))
			}
			return nil
		}), func(c *run.Config) { c.LogLimit = 10_000 })
		running(t, e)
		r := wait(t, e, start(t, e, run.Spec{}).ID)
		lines := texts(t, e, r.ID, "")
		expect(t, "lines", len(lines), 103) // 100 of 100 bytes each, the mark, the count, the end
		expect(t, "mark", lines[100], "log truncated: it has reached its limit of 10000 bytes; what follows is left out")
		expect(t, "count", lines[101], "900 lines are left out of this log, which has reached its limit")
		expect(t, "end", lines[102], "succeeded")
	})
}

func TestLongAndOddLines(t *testing.T) {
	const length = 50_000
	r, e := execute(t, func(ctx context.Context, t *run.Task) error {
		w := t.Writer()
		for range length / 10 {
			fmt.Fprint(w, "äöü€")
		}
		fmt.Fprint(w, "\n\nbinary \xff\x00 end")
		return nil
	})
	lines := texts(t, e, r.ID, run.Out)
	last := len(lines) - 1
	expect(t, "joined", strings.Join(lines[:last-1], ""), strings.Repeat("äöü€", length/10))
	for _, l := range lines {
		if len(l) > 16<<10 {
			t.Errorf("a line has %d bytes", len(l))
		}
	}
	expect(t, "empty", lines[last-1], "")
	expect(t, "binary", lines[last], "binary \uFFFD\uFFFD end")
}

// Followers get every line once and in order, whenever they come, go and come
// back, and the final state last.
func TestFollow(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		const total = 2000
		e, _ := engine(t, db, simple(func(ctx context.Context, t *run.Task) error {
			return t.Step(ctx, "talk", func(ctx context.Context, t *run.Task) error {
				for i := range total {
					t.Logf("%d", i)
				}
				return nil
			})
		}))
		id := start(t, e, run.Spec{}).ID
		var followers sync.WaitGroup
		for n := range 4 {
			followers.Go(func() { followWithBreaks(t, e, id, total, 100+500*n) })
		}
		running(t, e)
		followers.Wait()
		followWithBreaks(t, e, id, total, total) // after the end
	})
}

var errBreak = errors.New("connection lost")

// followWithBreaks loses its connection after every so many lines.
func followWithBreaks(t *testing.T, e *run.Engine, id string, total, every int) {
	var after int64
	var got []string
	for {
		var last run.Update
		lines := 0
		err := e.Follow(context.Background(), id, after, func(u run.Update) error {
			if last = u; u.Line == nil {
				return nil
			}
			if u.Line.Seq <= after {
				return fmt.Errorf("seq %d after %d", u.Line.Seq, after)
			}
			if after = u.Line.Seq; u.Line.Stream == run.Out {
				got = append(got, u.Line.Text)
			}
			if lines++; lines == every {
				return errBreak
			}
			return nil
		})
		if errors.Is(err, errBreak) {
			continue
		}
		if err != nil {
			t.Error(err)
			return
		}
		if last.Run == nil || last.Run.Status != run.Succeeded || len(last.Run.Steps) != 1 {
			t.Errorf("last update %+v", last)
		}
		break
	}
	want := make([]string, total)
	for i := range want {
		want[i] = fmt.Sprint(i)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d lines of %d, or out of order", len(got), total)
	}
}

func TestFollowShowsEachState(t *testing.T) {
	next := make(chan struct{})
	e, _ := engine(t, storetest.New(t), simple(func(ctx context.Context, t *run.Task) error {
		return t.Step(ctx, "a", func(context.Context, *run.Task) error { <-next; return nil })
	}))
	id := start(t, e, run.Spec{}).ID
	var states []string
	running := running
	err := e.Follow(t.Context(), id, 0, func(u run.Update) error {
		if u.Run == nil {
			return nil
		}
		state := string(u.Run.Status)
		for _, s := range u.Run.Steps {
			state += "/" + string(s.Status)
		}
		states = append(states, state)
		switch state {
		case "queued":
			running(t, e)
		case "running/running":
			close(next)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"queued", "running/running", "succeeded/succeeded"} {
		if !slices.Contains(states, want) {
			t.Errorf("never saw %s: %v", want, states)
		}
	}
	if err := e.Follow(t.Context(), "nope", 0, nil); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("follow of no run: %v", err)
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	e, _ := engine(t, storetest.New(t), simple(ok))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := e.Follow(ctx, start(t, e, run.Spec{}).ID, 0, func(run.Update) error { return nil })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestLogPages(t *testing.T) {
	r, e := execute(t, func(ctx context.Context, t *run.Task) error { t.Logf("a\nb\nc"); return nil })
	lines, err := e.Log(t.Context(), r.ID, 1, 2)
	if err != nil || len(lines) != 2 || lines[0].Text != "b" || lines[1].Seq != 3 {
		t.Errorf("%+v, %v", lines, err)
	}
	if _, err := e.Log(t.Context(), "nope", 0, 0); problem.CodeOf(err) != problem.NotFound {
		t.Error(err)
	}
}
