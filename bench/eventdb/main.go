// Command eventdb puts daytwo's store of events beside ClickHouse's engine (npm
// chdb, see clickhouse/) on the same generated events: ingest, size, memory, and
// queries asked warm, in turns. Each engine is a process of its own. Run it in
// its directory, after npm ci in clickhouse/:
//
//	go run . -rows 1000000
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	rows := flag.Int("rows", 1_000_000, "events")
	rounds := flag.Int("rounds", 5, "how often each query is asked")
	dir := flag.String("dir", "", "where the stores go (default: a temporary directory)")
	child := flag.String("child", "", "used by the program itself")
	flag.Parse()
	var err error
	if *child != "" {
		err = answer(*child, *rows)
	} else {
		err = run(*rows, *rounds, *dir)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// reply is what an engine's process says of one command.
type reply struct {
	Answer string  `json:"answer"`
	Error  string  `json:"error"`
	Wall   float64 `json:"wall"` // milliseconds
	CPU    float64 `json:"cpu"`
	Peak   float64 `json:"peak"` // bytes
}

// engine is a process that answers commands, one line of JSON each way.
type engine struct {
	name string
	in   io.WriteCloser
	out  *bufio.Scanner
	cmd  *exec.Cmd
}

func start(name string, command ...string) (*engine, error) {
	cmd := exec.CommandContext(context.Background(), command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 64<<20)
	return &engine{name, in, lines, cmd}, cmd.Start()
}

func (e *engine) ask(command any) (reply, error) {
	line, err := json.Marshal(command)
	if err != nil {
		return reply{}, err
	}
	if _, err := e.in.Write(append(line, '\n')); err != nil {
		return reply{}, err
	}
	if !e.out.Scan() {
		return reply{}, fmt.Errorf("%s ended: %v", e.name, e.out.Err())
	}
	var r reply
	if err := json.Unmarshal(e.out.Bytes(), &r); err != nil {
		return reply{}, err
	}
	if r.Error != "" {
		return r, fmt.Errorf("%s: %s", e.name, r.Error)
	}
	return r, nil
}

func (e *engine) stop() error {
	e.in.Close()
	return e.cmd.Wait()
}

func run(rows, rounds int, dir string) error {
	work, err := os.MkdirTemp(dir, "bench-eventdb")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ours, err := start("daytwo", self, "-child", filepath.Join(work, "daytwo"), "-rows", fmt.Sprint(rows))
	if err != nil {
		return err
	}
	loaded, err := ours.ask(command{Load: true})
	if err != nil {
		return err
	}
	theirs, theirLoad, err := startClickHouse(work, rows)
	if err != nil {
		return err
	}
	printLoad(rows, loaded, theirLoad, size(filepath.Join(work, "daytwo", "parts")), size(filepath.Join(work, "clickhouse")))
	if err := compare(ours, theirs, rounds); err != nil {
		return err
	}
	return ours.stop()
}

// startClickHouse loads the same rows from a file of rows that it reads in the
// form that is cheapest for it.
func startClickHouse(work string, rows int) (*engine, reply, error) {
	file := filepath.Join(work, "rows.bin")
	if err := writeRows(file, rows); err != nil {
		return nil, reply{}, err
	}
	defer os.Remove(file)
	e, err := start("clickhouse", "node", "clickhouse/answer.js", filepath.Join(work, "clickhouse"))
	if err != nil {
		return nil, reply{}, err
	}
	var schema, insert []string
	for _, c := range columns {
		index := ""
		switch c.name {
		case "message":
			index = ", INDEX words message TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 1"
		case "trace":
			index = ", INDEX traces trace TYPE bloom_filter(0.01) GRANULARITY 1"
		}
		schema = append(schema, c.name+" "+c.typ+index)
		insert = append(insert, c.name+" "+c.typ)
	}
	for _, sql := range []string{
		"CREATE DATABASE IF NOT EXISTS d", "CREATE TABLE d.e (" + strings.Join(schema, ", ") + ") ENGINE = MergeTree ORDER BY (service, kind, time) PARTITION BY toDate(time)",
	} {
		if _, err := e.ask(map[string]string{"sql": sql}); err != nil {
			return nil, reply{}, err
		}
	}
	loaded, err := e.ask(map[string]string{"sql": fmt.Sprintf("INSERT INTO d.e SELECT * FROM file('%s', 'RowBinary', '%s') SETTINGS max_threads = 2, max_insert_threads = 2", file, strings.Join(insert, ", "))})
	if err != nil {
		return nil, reply{}, err
	}
	merged, err := e.ask(map[string]string{"sql": "OPTIMIZE TABLE d.e FINAL"})
	loaded.CPU += merged.CPU
	loaded.Wall += merged.Wall
	return e, loaded, err
}

func writeRows(path string, rows int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	g := newGenerator(rows)
	var b []byte
	for range rows {
		x := g.next()
		b = x.rowBinary(b[:0])
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func size(dir string) int64 {
	sum := int64(0)
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				sum += info.Size()
			}
		}
		return nil
	})
	return sum
}

func printLoad(rows int, ours, theirs reply, ourSize, theirSize int64) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\tdaytwo\tclickhouse\t\n")
	fmt.Fprintf(w, "rows a CPU-second\t%.0f\t%.0f\t\n", float64(rows)/ours.CPU*1000, float64(rows)/theirs.CPU*1000)
	fmt.Fprintf(w, "rows a second\t%.0f\t%.0f\t\n", float64(rows)/ours.Wall*1000, float64(rows)/theirs.Wall*1000)
	fmt.Fprintf(w, "bytes a row\t%.1f\t%.1f\t\n", float64(ourSize)/float64(rows), float64(theirSize)/float64(rows))
	fmt.Fprintf(w, "peak memory loading, MiB\t%.0f\t%.0f\t\n", ours.Peak/(1<<20), theirs.Peak/(1<<20))
	w.Flush()
}

func compare(ours, theirs *engine, rounds int) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "query\tdaytwo ms\tCPU\tclickhouse ms\tCPU\tratio\tCPU ratio\t\n")
	var ratios, cpuRatios []float64
	var peak, theirPeak float64
	for i, q := range queries() {
		var a, b [2][]float64
		var last [2]string
		for range rounds + 1 { // the first warms up
			x, err := ours.ask(command{Query: i + 1})
			if err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
			y, err := theirs.ask(map[string]string{"sql": q.sql + " SETTINGS max_threads = 2"})
			if err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
			a[0], a[1] = append(a[0], x.Wall), append(a[1], x.CPU)
			b[0], b[1] = append(b[0], y.Wall), append(b[1], y.CPU)
			last = [2]string{x.Answer, y.Answer}
			peak, theirPeak = max(peak, x.Peak), max(theirPeak, y.Peak)
		}
		x, xc, y, yc := median(a[0][1:]), median(a[1][1:]), median(b[0][1:]), median(b[1][1:])
		ratios, cpuRatios = append(ratios, x/y), append(cpuRatios, xc/max(yc, .01))
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.2f\t%.2f\t\n", q.name, x, xc, y, yc, x/y, xc/max(yc, .01))
		if q.check && strings.TrimSpace(last[0]) != strings.TrimSpace(last[1]) {
			fmt.Fprintf(os.Stderr, "%s: the answers differ: %.200s / %.200s\n", q.name, last[0], last[1])
		}
	}
	fmt.Fprintf(w, "geometric mean\t\t\t\t\t%.2f\t%.2f\t\n", geometric(ratios), geometric(cpuRatios))
	fmt.Fprintf(w, "peak memory, MiB\t%.0f\t\t%.0f\t\t\t\t\n", peak/(1<<20), theirPeak/(1<<20))
	return w.Flush()
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

func geometric(list []float64) float64 {
	sum := 0.0
	for _, f := range list {
		sum += math.Log(f)
	}
	return math.Exp(sum / float64(len(list)))
}

// command is what the child that holds our store is told.
type command struct {
	Load  bool `json:"load,omitempty"`
	Query int  `json:"query,omitempty"` // from 1
}

// since is the wall and CPU time of this process.
type since struct {
	wall time.Time
	cpu  time.Duration
}
