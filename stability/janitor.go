package stability

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Janitor keeps a long-running program in a steady state: whatever piles up
// (cache entries, files, rows) is cleared away at the same pace, by the
// program itself, before a person has to.
//
// Counts: runs, removed, failures.
type Janitor struct {
	reporter
	name  string
	every atomic.Int64
	sweep func(context.Context) (removed int, err error)

	mu                      sync.Mutex
	runs, removed, failures uint64
}

// NewJanitor makes a janitor that sweeps at once and then about that often;
// the pauses vary by a tenth, so that many programs do not sweep together.
func NewJanitor(name string, every time.Duration, sweep func(context.Context) (removed int, err error)) *Janitor {
	j := &Janitor{name: name, sweep: sweep}
	j.Configure(every)
	return j
}

// Configure changes the pace of a living janitor, from the next pause on.
func (j *Janitor) Configure(every time.Duration) { j.every.Store(int64(max(every, time.Millisecond))) }

// Run sweeps until ctx ends. An error of a sweep is counted and told to those
// who watch; the next one is made all the same.
func (j *Janitor) Run(ctx context.Context) error {
	for {
		n, err := j.sweep(ctx)
		if ctx.Err() != nil {
			return nil
		}
		j.note(n, err)
		every := time.Duration(j.every.Load())
		if !sleep(ctx, every*9/10+rand.N(every/5+1)) {
			return nil
		}
	}
}

func (j *Janitor) note(removed int, err error) {
	j.mu.Lock()
	j.runs++
	j.removed += uint64(max(0, removed))
	if err != nil {
		j.failures++
	}
	j.mu.Unlock()
	if err != nil {
		j.report(Event{Policy: "janitor", Name: j.name, Decision: "failures", Err: err})
	} else if removed > 0 {
		j.report(Event{Policy: "janitor", Name: j.name, Decision: "removed", Reason: fmt.Sprint(removed)})
	}
}

// Snapshot tells the counts so far.
func (j *Janitor) Snapshot() Snapshot {
	j.mu.Lock()
	defer j.mu.Unlock()
	return Snapshot{Policy: "janitor", Name: j.name, Counts: map[string]uint64{"runs": j.runs, "removed": j.removed, "failures": j.failures}}
}

// SweepFiles removes regular files below dir that are older than maxAge, and
// then the oldest while there are more than maxBytes; 0 means no such bound.
// It never follows a link.
func SweepFiles(dir string, maxAge time.Duration, maxBytes int64) func(context.Context) (int, error) {
	type file struct {
		path string
		at   time.Time
		size int64
	}
	return func(ctx context.Context) (removed int, err error) {
		var files []file
		var total int64
		err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			info, err := d.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return ctx.Err()
			}
			if err == nil {
				files = append(files, file{path, info.ModTime(), info.Size()})
				total += info.Size()
			}
			return errors.Join(err, ctx.Err())
		})
		slices.SortFunc(files, func(a, b file) int { return a.at.Compare(b.at) })
		for _, f := range files {
			if (maxAge <= 0 || time.Since(f.at) <= maxAge) && (maxBytes <= 0 || total <= maxBytes) {
				break
			}
			if e := os.Remove(f.path); e != nil && !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
				continue
			}
			removed++
			total -= f.size
		}
		return removed, err
	}
}
