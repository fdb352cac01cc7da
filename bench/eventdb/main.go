// Command eventdb puts daytwo's store of events beside ClickHouse's engine (npm
// chdb, see clickhouse/) and DuckDB (see duckdb/) on the same generated events:
// ingest, size, memory, queries asked warm and in turns, and queries while events
// are appended. Each engine is a process of its own. Run it in its directory, after
// npm ci in clickhouse/ and go build -o /tmp/duckdb ./duckdb:
//
//	go run . -duckdb /tmp/duckdb -rows 1000000
//
// The phases can be run one by one on a directory that stays, see -phase.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/daytwo-dev/daytwo/bench/eventdb/process"
)

// bench is one run, or a phase of it.
type bench struct {
	rows, rounds int
	dir          string
	duckdb       string
	only         string
	profile      string
	results      *results
}

// results are what the phases leave behind for those after them.
type results struct {
	Rows    int
	Load    map[string]process.Reply
	Bytes   map[string]int64
	Queries map[string]map[string]timing // by name and engine
	Busy    busyResult
}

// timing is a median, in milliseconds.
type timing struct{ Wall, CPU, Peak float64 }

func main() {
	b := bench{}
	flag.IntVar(&b.rows, "rows", 1_000_000, "events")
	flag.IntVar(&b.rounds, "rounds", 5, "how often each query is asked")
	flag.StringVar(&b.dir, "dir", "", "where the stores go (default: a temporary directory)")
	flag.StringVar(&b.duckdb, "duckdb", "", "the program made of duckdb/; without it DuckDB is left out")
	flag.StringVar(&b.only, "only", "", "ask only queries whose names have this")
	flag.StringVar(&b.profile, "profile", "", "write CPU profiles of our store to files that begin with this")
	phase := flag.String("phase", "all", "all, or one of load-daytwo, load-clickhouse, load-duckdb, ask, busy, print; needs -dir")
	serving := flag.Bool("serve", false, "used by the program itself")
	flag.Parse()
	var err error
	if *serving {
		err = serve(b.dir, b.rows)
	} else {
		err = b.run(*phase)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func (b *bench) run(phase string) error {
	if b.dir == "" {
		dir, err := os.MkdirTemp("", "bench-eventdb")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		b.dir = dir
	}
	state := filepath.Join(b.dir, "results.json")
	b.results = &results{Rows: b.rows, Load: map[string]process.Reply{}, Bytes: map[string]int64{}, Queries: map[string]map[string]timing{}}
	if text, err := os.ReadFile(state); err == nil {
		if err := json.Unmarshal(text, b.results); err != nil {
			return err
		}
		if b.results.Rows != b.rows {
			return fmt.Errorf("%s is of %d rows", b.dir, b.results.Rows)
		}
	}
	phases := []struct {
		name string
		run  func() error
	}{{"load-daytwo", b.loadOurs}, {"load-clickhouse", b.loadClickHouse}, {"load-duckdb", b.loadDuckDB}, {"ask", b.ask}, {"busy", b.busy}, {"print", b.print}}
	for _, p := range phases {
		if phase != "all" && phase != p.name {
			continue
		}
		if err := p.run(); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		text, err := json.MarshalIndent(b.results, "", " ")
		if err == nil {
			err = os.WriteFile(state, text, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// path is where an engine keeps its data.
func (b *bench) path(engine string) string { return filepath.Join(b.dir, engine) }

func (b *bench) ours() (*process.Engine, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return process.Start("daytwo", self, "-serve", "-dir", b.path("daytwo"), "-rows", fmt.Sprint(b.rows))
}

func (b *bench) clickhouse() (*process.Engine, error) {
	return process.Start("clickhouse", "node", "clickhouse/answer.js", b.path("clickhouse"))
}

func (b *bench) duck() (*process.Engine, error) {
	return process.Start("duckdb", b.duckdb, b.path("duckdb"))
}

func (b *bench) loadOurs() error {
	e, err := b.ours()
	if err != nil {
		return err
	}
	if b.profile != "" {
		if _, err := e.Ask(command{CPU: b.profile + "load"}); err != nil {
			return err
		}
	}
	loaded, err := e.Ask(command{Load: true})
	if err == nil && b.profile != "" {
		_, err = e.Ask(command{CPU: "-"})
	}
	b.results.Load["daytwo"], b.results.Bytes["daytwo"] = loaded, size(filepath.Join(b.path("daytwo"), "parts"))
	return errors.Join(err, e.Stop())
}

func (b *bench) loadDuckDB() error {
	if b.duckdb == "" {
		return nil
	}
	e, err := b.duck()
	if err != nil {
		return err
	}
	loaded, err := e.Ask(map[string]int{"load": b.rows})
	err = errors.Join(err, e.Stop())
	b.results.Load["duckdb"], b.results.Bytes["duckdb"] = loaded, size(b.path("duckdb"))
	return err
}

func size(path string) int64 {
	sum := int64(0)
	_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				sum += info.Size()
			}
		}
		return nil
	})
	return sum
}

// asker asks one engine a query.
type asker struct {
	*process.Engine
	command func(i int, q *query) any
	timings [2][]float64
	spent   float64
	last    process.Reply
}

// maxSpent is how many milliseconds of one engine one query may take in all, the
// round that warms up and the first measured one aside.
const maxSpent = 6_000

func (b *bench) ask() (err error) {
	var list []*asker
	add := func(e *process.Engine, failed error, command func(i int, q *query) any) {
		if err = errors.Join(err, failed); e != nil {
			list = append(list, &asker{Engine: e, command: command})
		}
	}
	ours, failed := b.ours()
	add(ours, failed, func(i int, _ *query) any { return command{Query: i + 1} })
	theirs, failed := b.clickhouse()
	add(theirs, failed, func(_ int, q *query) any {
		return map[string]string{"sql": q.clickhouse + " SETTINGS max_threads = 2"}
	})
	if b.duckdb != "" {
		duck, failed := b.duck()
		add(duck, failed, func(_ int, q *query) any { return map[string]string{"sql": q.duckdb} })
	}
	defer func() {
		for _, a := range list {
			err = errors.Join(err, a.Stop())
		}
	}()
	if err != nil {
		return err
	}
	for i, q := range queries(b.rows) {
		if !strings.Contains(q.name, b.only) {
			continue
		}
		if err := b.askOne(list, i, &q); err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
	}
	return nil
}

// askOne asks all engines one query in turns; the first round warms up.
func (b *bench) askOne(list []*asker, i int, q *query) error {
	for _, a := range list {
		a.timings, a.spent = [2][]float64{}, 0
	}
	for round := range b.rounds + 1 {
		for _, a := range list {
			if round > 1 && a.spent > maxSpent {
				continue
			}
			if b.profile != "" && a.Name == "daytwo" && round == 1 {
				if _, err := a.Ask(command{CPU: b.profile + fmt.Sprint(i+1)}); err != nil {
					return err
				}
			}
			r, err := a.Ask(a.command(i, q))
			if err != nil {
				return err
			}
			if a.last = r; round > 0 {
				a.timings[0], a.timings[1], a.spent = append(a.timings[0], r.Wall), append(a.timings[1], r.CPU), a.spent+r.Wall
			}
		}
	}
	if b.profile != "" {
		if _, err := list[0].Ask(command{CPU: "-"}); err != nil {
			return err
		}
	}
	b.results.Queries[q.name] = map[string]timing{}
	for _, a := range list {
		b.results.Queries[q.name][a.Name] = timing{median(a.timings[0]), median(a.timings[1]), a.last.Peak}
		if first := list[0].last.Answer; q.check && strings.TrimSpace(first) != strings.TrimSpace(a.last.Answer) {
			fmt.Fprintf(os.Stderr, "%s: the answers differ: %.200s, %s has %.200s\n", q.name, first, a.Name, a.last.Answer)
		}
	}
	return nil
}

func (b *bench) busy() error {
	e, err := b.ours()
	if err != nil {
		return err
	}
	if b.profile != "" {
		if _, err := e.Ask(command{CPU: b.profile + "busy"}); err != nil {
			return err
		}
	}
	r, err := e.Ask(command{Busy: true, Only: b.only})
	if err == nil && b.profile != "" {
		_, err = e.Ask(command{CPU: "-"})
	}
	if err == nil {
		err = json.Unmarshal([]byte(r.Answer), &b.results.Busy)
	}
	return errors.Join(err, e.Stop())
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}
