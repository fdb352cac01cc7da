package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"text/tabwriter"

	"github.com/daytwo-dev/daytwo/bench/eventdb/process"
)

// engines are the columns of the tables.
var engines = []string{"daytwo", "clickhouse", "duckdb"}

// print writes the tables, whatever they say.
func (b *bench) print() error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%d events\tdaytwo\tclickhouse\tduckdb\t\n", b.rows)
	n := float64(b.rows)
	b.loadLine(w, "rows a CPU-second", func(r process.Reply) float64 { return n / r.CPU * 1000 })
	b.loadLine(w, "rows a second", func(r process.Reply) float64 { return n / r.Wall * 1000 })
	fmt.Fprint(w, "bytes a row\t")
	for _, e := range engines {
		fmt.Fprintf(w, "%.1f\t", float64(b.results.Bytes[e])/n)
	}
	fmt.Fprintln(w)
	b.loadLine(w, "peak memory loading, MiB", func(r process.Reply) float64 { return r.Peak / (1 << 20) })
	fmt.Fprintln(w)
	b.printQueries(w)
	fmt.Fprintln(w)
	b.printBusy(w)
	return w.Flush()
}

func (b *bench) loadLine(w io.Writer, what string, of func(process.Reply) float64) {
	fmt.Fprintf(w, "%s\t", what)
	for _, e := range engines {
		if r, ok := b.results.Load[e]; ok {
			fmt.Fprintf(w, "%.0f\t", of(r))
		} else {
			fmt.Fprint(w, "\t")
		}
	}
	fmt.Fprintln(w)
}

// printQueries has milliseconds of wall and CPU time, and how many times as long
// ours took as each other.
func (b *bench) printQueries(w io.Writer) {
	fmt.Fprint(w, "query\tdaytwo ms\tCPU\tclickhouse ms\tCPU\tours / its\tCPU\tduckdb ms\tCPU\tours / its\tCPU\t\n")
	var ratios [4][]float64
	var peaks [3]float64
	for _, q := range queries(b.rows) {
		found := b.results.Queries[q.name]
		ours, ok := found["daytwo"]
		if !ok {
			continue
		}
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t", q.name, ours.Wall, ours.CPU)
		peaks[0] = max(peaks[0], ours.Peak)
		for i, e := range engines[1:] {
			t, ok := found[e]
			if !ok {
				fmt.Fprint(w, "\t\t\t\t")
				continue
			}
			wall, cpu := ours.Wall/t.Wall, ours.CPU/max(t.CPU, .01)
			fmt.Fprintf(w, "%.1f\t%.1f\t%.2f\t%.2f\t", t.Wall, t.CPU, wall, cpu)
			ratios[2*i], ratios[2*i+1] = append(ratios[2*i], wall), append(ratios[2*i+1], cpu)
			peaks[i+1] = max(peaks[i+1], t.Peak)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "geometric mean\t\t\t\t\t%.2f\t%.2f\t\t\t%.2f\t%.2f\t\n", geometric(ratios[0]), geometric(ratios[1]), geometric(ratios[2]), geometric(ratios[3]))
	fmt.Fprintf(w, "peak memory, MiB\t%.0f\t\t%.0f\t\t\t\t%.0f\t\t\t\t\n", peaks[0]/(1<<20), peaks[1]/(1<<20), peaks[2]/(1<<20))
}

func (b *bench) printBusy(w io.Writer) {
	busy := &b.results.Busy
	if len(busy.Queries) == 0 {
		return
	}
	fmt.Fprint(w, "beside ingest\tidle p50 ms\tp95\tbusy p50 ms\tp95\tp95 busy / idle\t\n")
	for _, q := range busy.Queries {
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.2f\t\n", q.Name, q.Idle[0], q.Idle[1], q.Busy[0], q.Busy[1], q.Busy[1]/q.Idle[1])
	}
	fmt.Fprintf(w, "rows a second appended\t%.0f\twithout\t%.0f\twith queries\t\t\n", busy.Alone, busy.With)
}

func geometric(list []float64) float64 {
	sum := 0.0
	for _, f := range list {
		sum += math.Log(f)
	}
	return math.Exp(sum / float64(len(list)))
}
