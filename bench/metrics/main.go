// Command metrics runs daytwo and a real Prometheus in turns, with the same load, and prints what each takes and the ratios:
// ingest by remote write 1 and 2 per second of CPU time, queries, memory, the cost of idling, and the time from a kill or a
// clean stop to serving again. CPU time is the server's own, from /proc; wall time is worth something only on a quiet machine.
//
//	make -C ../.. bin/daytwo .cache/prometheus
//	go run . -daytwo ../../bin/daytwo -prometheus ../../.cache/prometheus
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

func main() {
	b := bench{results: map[string]map[string][]float64{}}
	binaries := map[string]*string{
		"daytwo":     flag.String("daytwo", "../../bin/daytwo", "the binary"),
		"prometheus": flag.String("prometheus", "../../.cache/prometheus", "the binary"),
	}
	rounds := flag.Int("rounds", 1, "how often each is measured")
	phases := flag.String("phases", "ingest,memory,idle", "what is measured; memory ends with the restarts")
	flag.IntVar(&b.scale, "percent", 100, "share of the load, for a quick look")
	flag.StringVar(&b.work, "dir", "", "where data goes (default: a temporary directory)")
	flag.Parse()
	if b.work == "" {
		dir, err := os.MkdirTemp("", "bench-metrics-")
		if err != nil {
			log.Fatal(err)
		}
		defer os.RemoveAll(dir)
		b.work = dir
	}
	for range *rounds {
		for _, phase := range strings.Split(*phases, ",") {
			for _, name := range []string{"prometheus", "daytwo"} {
				log.Printf("%s: %s", phase, name)
				if err := b.phase(phase, name, *binaries[name]); err != nil {
					log.Fatalf("%s: %s: %v", phase, name, err)
				}
			}
		}
	}
	b.print()
}

// bench collects what was measured, by line and server.
type bench struct {
	work    string
	scale   int // per cent
	lines   []string
	results map[string]map[string][]float64
}

func (b *bench) note(line, server string, value float64) {
	if b.results[line] == nil {
		b.lines = append(b.lines, line)
		b.results[line] = map[string][]float64{}
	}
	b.results[line][server] = append(b.results[line][server], value)
	log.Printf("  %s: %.3g", line, value)
}

func (b *bench) phase(phase, name, binary string) error {
	dir, err := os.MkdirTemp(b.work, name+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	switch phase {
	case "ingest":
		return b.ingest(name, binary, dir)
	case "memory":
		return b.memory(name, binary, dir)
	case "idle":
		return b.idle(name, binary, dir)
	}
	return fmt.Errorf("there is no phase %q", phase)
}

func (b *bench) print() {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what\tprometheus\tdaytwo\tdaytwo / prometheus\t")
	for _, line := range b.lines {
		theirs, ours := median(b.results[line]["prometheus"]), median(b.results[line]["daytwo"])
		ratio := "-"
		if theirs > 0 && ours > 0 {
			ratio = fmt.Sprintf("%.2f", ours/theirs)
		}
		fmt.Fprintf(w, "%s\t%.4g\t%.4g\t%s\t\n", line, theirs, ours, ratio)
	}
	w.Flush()
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
