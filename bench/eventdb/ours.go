package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/daytwo-dev/daytwo/bench/eventdb/process"
	"github.com/daytwo-dev/daytwo/bench/eventdb/rows"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/eventdb"
)

// command is what the child that holds our store is told.
type command struct {
	Load  bool   `json:"load,omitempty"`
	Query int    `json:"query,omitempty"` // from 1
	Busy  bool   `json:"busy,omitempty"`
	Only  string `json:"only,omitempty"` // with Busy: queries whose names have this
	CPU   string `json:"cpu,omitempty"`  // a file for a profile of what follows; "-" ends it
}

// serve is the process that holds our store.
func serve(dir string, n int) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	db, err := eventdb.Open(ctx, eventdb.Config{Dir: dir, Limits: event.Limits{Memory: 1 << 30}})
	if err != nil {
		return err
	}
	defer db.Close()
	go db.Run(ctx)
	list := queries(n)
	return process.Answer(os.Stdin, os.Stdout, func(line []byte, m *process.Measure) (string, error) {
		var c command
		if err := json.Unmarshal(line, &c); err != nil {
			return "", err
		}
		switch {
		case c.Load:
			return "", load(ctx, db, n, m)
		case c.Busy:
			return busy(ctx, db, n, slices.DeleteFunc(slices.Clone(list), func(q query) bool { return !strings.Contains(q.name, c.Only) }))
		case c.CPU != "":
			return "", profile(c.CPU)
		}
		return list[c.Query-1].ask(ctx, db)
	})
}

func profile(path string) error {
	if path == "-" {
		pprof.StopCPUProfile()
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return pprof.StartCPUProfile(f)
}

// writer appends generated events in batches of 2000, each acknowledged after its
// sync.
type writer struct {
	db      *eventdb.DB
	g       *rows.Generator
	streams map[[2]string]event.Stream
}

func (w *writer) batch(n int) []event.Event {
	batch := make([]event.Event, n)
	for i := range batch {
		if i%64 == 0 {
			runtime.Gosched() // as if another process made them
		}
		x := w.g.Next()
		batch[i] = x.Event(w.streams)
	}
	return batch
}

// load appends all events and waits until nothing is left to merge.
func load(ctx context.Context, db *eventdb.DB, n int, m *process.Measure) error {
	w := &writer{db, rows.New(n), map[[2]string]event.Stream{}}
	for done := 0; done < n; {
		var batch []event.Event
		m.Own(func() { batch = w.batch(min(2000, n-done)) })
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

// busyQuery is how long one query takes, idle and while events are appended as
// fast as one writer can.
type busyQuery struct {
	Name       string
	Idle, Busy [2]float64 // median and 95th percentile in milliseconds
}

type busyResult struct {
	Queries     []busyQuery
	Alone, With float64 // rows a second appended without and with queries
}

// busy measures queries beside ingest.
func busy(ctx context.Context, db *eventdb.DB, n int, list []query) (string, error) {
	var out busyResult
	ask := func(q *query) ([2]float64, error) {
		var times []float64
		for began := time.Now(); len(times) < 3 || time.Since(began) < 3*time.Second && len(times) < 200; {
			start := time.Now()
			if _, err := q.ask(ctx, db); err != nil {
				return [2]float64{}, err
			}
			times = append(times, time.Since(start).Seconds()*1000)
		}
		slices.Sort(times)
		return [2]float64{times[len(times)/2], times[len(times)*95/100]}, nil
	}
	var err error
	for i := range list {
		q := busyQuery{Name: list[i].name}
		if q.Idle, err = ask(&list[i]); err != nil {
			return "", err
		}
		out.Queries = append(out.Queries, q)
	}
	writing, stop := context.WithCancel(ctx)
	var appended atomic.Int64
	done := make(chan error, 1)
	go func() {
		w := &writer{db, rows.Later(n), map[[2]string]event.Stream{}}
		for writing.Err() == nil {
			batch := w.batch(2000)
			if err := db.Append(ctx, batch); err != nil {
				done <- fmt.Errorf("while queries ran: %w", err)
				return
			}
			appended.Add(int64(len(batch)))
		}
		done <- nil
	}()
	rate := func(measure func() error) (float64, error) {
		began, before := time.Now(), appended.Load()
		err := measure()
		return float64(appended.Load()-before) / time.Since(began).Seconds(), err
	}
	if out.Alone, err = rate(func() error { time.Sleep(5 * time.Second); return nil }); err != nil {
		stop()
		return "", err
	}
	out.With, err = rate(func() error {
		for i := range list {
			var err error
			if out.Queries[i].Busy, err = ask(&list[i]); err != nil {
				return err
			}
		}
		return nil
	})
	stop()
	if failed := <-done; failed != nil {
		return "", failed
	}
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(out)
	return string(text), err
}
