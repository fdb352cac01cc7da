package stability

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// life is one run of a supervised task.
type life struct {
	lasts time.Duration
	end   string // "ends", "fails", "panics"
}

// A task is started again after each crash, after a wait within its bounds, until
// it ends, its supervisor does, or it crashed too often within the time.
func TestSupervisorAgainstModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		most := rapid.IntRange(0, 4).Draw(r, "most")
		within := rapid.SampledFrom([]time.Duration{time.Second, 20 * time.Second}).Draw(r, "within")
		first, longest := 100*time.Millisecond, rapid.SampledFrom([]time.Duration{300 * time.Millisecond, 3 * time.Second}).Draw(r, "longest")
		lives := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) life {
			return life{rapid.SampledFrom([]time.Duration{0, 0, 10 * time.Millisecond, time.Second, 7 * time.Second}).Draw(r, "lasts"),
				rapid.SampledFrom([]string{"fails", "fails", "fails", "panics", "ends"}).Draw(r, "end")}
		}), 1, 15).Draw(r, "lives")
		lives = append(lives, life{0, "ends"})
		stops := rapid.SampledFrom([]time.Duration{time.Hour, 3*time.Second + 17*time.Microsecond}).Draw(r, "stops")
		wrong := ""
		synctest.Test(t, func(*testing.T) {
			s := NewSupervisor("x", Intensity(most, within), RestartAfter(first, longest))
			var begins, ends []time.Duration
			s.Add("task", func(ctx context.Context) error {
				begins = append(begins, now())
				defer func() { ends = append(ends, now()) }()
				l := lives[len(ends)]
				if !sleep(ctx, l.lasts) {
					return ctx.Err()
				}
				switch l.end {
				case "fails":
					return errDown
				case "panics":
					panic("boom")
				}
				return nil
			})
			otherEnded := false
			s.Add("other", func(ctx context.Context) error { <-ctx.Done(); otherEnded = true; return nil })
			ctx, cancel := context.WithTimeout(context.Background(), stops)
			defer cancel()
			began := now()
			err := s.Run(ctx)
			stopped, over := began+stops, now()

			var crashes []time.Duration
			row := 0
			gaveUp := false
			for i, end := range ends {
				more := i+1 < len(begins)
				if lives[i].end == "ends" || end >= stopped {
					if more {
						wrong = fmt.Sprintf("run %d: started again although it had ended", i)
					}
					break
				}
				crashes = append(crashes, end)
				recent := 0
				for _, c := range crashes {
					if end-c <= within {
						recent++
					}
				}
				if recent > most {
					if gaveUp = true; more {
						wrong = fmt.Sprintf("run %d: started again after %d crashes within %v", i, recent, within)
					}
					break
				}
				if end-begins[i] > longest {
					row = 0
				}
				row++
				ceiling := first
				for range row - 1 {
					ceiling = min(longest, 2*ceiling)
				}
				switch {
				case more:
					if wait := begins[i+1] - end; wait < ceiling/2 || wait > ceiling {
						wrong = fmt.Sprintf("run %d: waited %v, model %v to %v", i, wait, ceiling/2, ceiling)
					}
				case stopped-end > ceiling:
					wrong = fmt.Sprintf("run %d: not started again", i)
				}
			}
			snapshot := s.Snapshot()
			switch {
			case wrong != "":
			case gaveUp != (err != nil):
				wrong = fmt.Sprintf("ended with %v, model: gives up %t", err, gaveUp)
			case gaveUp && (over != ends[len(ends)-1] || !errors.Is(err, errDown) && !errors.As(err, new(*PanicError))):
				wrong = fmt.Sprintf("gave up at %v with %v", over-began, err)
			case !gaveUp && over != stopped || !otherEnded:
				wrong = fmt.Sprintf("ended after %v, the other task: %t", over-began, otherEnded)
			case snapshot.Counts["crashes_task"] != uint64(len(crashes)) || snapshot.Counts["starts"] != uint64(len(begins)+1) || snapshot.Levels["running"] != 0:
				wrong = fmt.Sprintf("%v, model %d crashes of %d starts", snapshot, len(crashes), len(begins))
			}
		})
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// Sweeps follow each other at the pace, give or take a tenth, whether they fail
// or not, until the end; and all are counted.
func TestJanitorAgainstModel(t *testing.T) {
	type sweep struct {
		takes   time.Duration
		removes int
		fails   bool
	}
	rapid.Check(t, func(r *rapid.T) {
		every := rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, time.Minute}).Draw(r, "every")
		sweeps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) sweep {
			return sweep{rapid.SampledFrom([]time.Duration{0, 50 * time.Millisecond, 2 * time.Minute}).Draw(r, "takes"), rapid.IntRange(0, 5).Draw(r, "removes"), rapid.Bool().Draw(r, "fails")}
		}), 1, 30).Draw(r, "sweeps")
		wrong := ""
		synctest.Test(t, func(*testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			n, ended := 0, now()
			removed, failures, told := uint64(0), uint64(0), 0
			var wantTold int
			j := NewJanitor("x", every, func(context.Context) (int, error) {
				pause := now() - ended
				if n > 0 && (pause < every*9/10 || pause > every*11/10) || n == 0 && pause != 0 {
					wrong = fmt.Sprintf("sweep %d after %v, model %v", n, pause, every)
				}
				if n == len(sweeps) {
					cancel()
					return 0, nil
				}
				s := sweeps[n]
				n++
				elapse(s.takes)
				ended = now()
				removed += uint64(s.removes)
				if s.fails {
					failures++
					wantTold++
					return s.removes, errDown
				}
				if s.removes > 0 {
					wantTold++
				}
				return s.removes, nil
			})
			j.Watch(func(Event) { told++ })
			err := j.Run(ctx)
			if got := j.Snapshot().Counts; wrong == "" && (err != nil || got["runs"] != uint64(len(sweeps)) || got["removed"] != removed || got["failures"] != failures || told != wantTold) {
				wrong = fmt.Sprintf("%v after %v and %d events, model %d runs, %d removed, %d failures, %d events", err, got, told, len(sweeps), removed, failures, wantTold)
			}
		})
		if wrong != "" {
			r.Fatal(wrong)
		}
	})
}

// What is left is what a list sorted by age says: nothing too old, and of the
// rest the youngest that fit.
func TestSweepFilesAgainstModel(t *testing.T) {
	root := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(root, "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		sizes := rapid.SliceOfN(rapid.IntRange(0, 50), 0, 8).Draw(r, "sizes") // by age, a minute apart, youngest first
		maxAge := time.Duration(rapid.IntRange(0, 9).Draw(r, "oldest")) * time.Minute
		maxBytes := rapid.IntRange(0, 200).Draw(r, "bytes")
		var want []string
		total := 0
		full := false
		for i, size := range sizes {
			path := filepath.Join(dir, fmt.Sprintf("%d/%d", i%2, i))
			_ = os.MkdirAll(filepath.Dir(path), 0o700)
			at := time.Now().Add(-time.Duration(i)*time.Minute - 30*time.Second)
			if err := errors.Join(os.WriteFile(path, make([]byte, size), 0o600), os.Chtimes(path, at, at)); err != nil {
				t.Fatal(err)
			}
			total += size
			full = full || maxBytes > 0 && total > maxBytes
			if tooOld := maxAge > 0 && i >= int(maxAge/time.Minute); !tooOld && !full {
				want = append(want, fmt.Sprintf("%d/%d", i%2, i))
			}
		}
		removed, err := SweepFiles(dir, maxAge, int64(maxBytes))(context.Background())
		var left []string
		found, _ := filepath.Glob(dir + "/*/*")
		for _, f := range found {
			left = append(left, strings.TrimPrefix(f, dir+"/"))
		}
		slices.Sort(left)
		slices.Sort(want)
		if err != nil || removed != len(sizes)-len(want) || !slices.Equal(left, want) {
			r.Fatalf("%v, %d removed, left %v, model %v", err, removed, left, want)
		}
	})
}
