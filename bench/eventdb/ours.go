package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/eventdb"
)

// answer is the process that holds our store.
func answer(dir string, rows int) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	db, err := eventdb.Open(ctx, eventdb.Config{Dir: dir, Limits: event.Limits{Memory: 1 << 30}})
	if err != nil {
		return err
	}
	defer db.Close()
	go db.Run(ctx)
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return err
		}
		began := now()
		var r reply
		if c.Load {
			err = load(ctx, db, rows)
		} else {
			r.Answer, err = queries()[c.Query-1].ask(ctx, db)
		}
		if err != nil {
			r.Error = err.Error()
		}
		ended := now()
		r.Wall = ended.wall.Sub(began.wall).Seconds() * 1000
		r.CPU = (ended.cpu - began.cpu - generated).Seconds() * 1000
		generated = 0
		r.Peak = peak()
		if err := out.Encode(r); err != nil {
			return err
		}
	}
	return lines.Err()
}

// generated is the CPU time that making rows took, which is not the store's.
var generated time.Duration

// load appends in batches of 2000, each acknowledged after its sync, and waits
// until nothing is left to merge.
func load(ctx context.Context, db *eventdb.DB, rows int) error {
	g := newGenerator(rows)
	streams := map[[2]string]event.Stream{}
	for done := 0; done < rows; {
		began := threadCPU()
		batch := make([]event.Event, min(2000, rows-done))
		for i := range batch {
			x := g.next()
			batch[i] = x.event(streams)
		}
		generated += threadCPU() - began
		if err := db.Append(ctx, batch); err != nil {
			return err
		}
		done += len(batch)
	}
	if err := db.Flush(); err != nil {
		return err
	}
	return db.Compact(ctx)
}

func now() since {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return since{time.Now(), time.Duration(u.Utime.Nano() + u.Stime.Nano())}
}

func threadCPU() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(1, &u) // RUSAGE_THREAD
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func peak() float64 {
	b, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib * 1024
		}
	}
	return 0
}
