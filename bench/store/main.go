// Command store compares the SQLite drivers modernc.org/sqlite and
// github.com/ncruces/go-sqlite3 as daytwo uses SQLite: one writer whose commits
// are durable, many readers. Both run in one go, in turns, each in a process of
// its own; the
// medians are printed, and the median of each round's ratio. Run it in its directory:
//
//	go run . -rounds 5
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

var drivers = []string{"modernc", "ncruces"}

func main() {
	rounds := flag.Int("rounds", 5, "how often each driver runs")
	phase := flag.Duration("phase", 3*time.Second, "length of each timed phase")
	dir := flag.String("dir", "", "where the databases go (default: a temporary directory)")
	flag.Parse()
	if err := run(*rounds, *phase, *dir); err != nil {
		log.Fatal(err)
	}
}

func run(rounds int, phase time.Duration, dir string) error {
	work, err := os.MkdirTemp(dir, "bench-store")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	results := map[string]map[string][]float64{}
	bare, err := build(work, "none")
	if err != nil {
		return err
	}
	for _, d := range drivers {
		size, err := build(work, d)
		if err != nil {
			return err
		}
		results[d] = map[string][]float64{"growth of the binary, MB": {size - bare}}
	}
	for range rounds {
		for _, d := range drivers {
			if err := child(work, d, phase, results[d]); err != nil {
				return err
			}
		}
	}
	return print(results)
}

// build makes the child for one driver and answers its stripped size in MB.
func build(work, tag string) (float64, error) {
	out := filepath.Join(work, tag)
	cmd := exec.Command("go", "build", "-tags", tag, "-ldflags", "-s -w", "-o", out, "./child")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("build the child for %s: %w", tag, err)
	}
	info, err := os.Stat(out)
	if err != nil {
		return 0, err
	}
	return float64(info.Size()) / (1 << 20), nil
}

func child(work, d string, phase time.Duration, into map[string][]float64) error {
	data, err := os.MkdirTemp(work, "data")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	cmd := exec.Command(filepath.Join(work, d), "-dir", data, "-phase", phase.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", d, err)
	}
	m := map[string]float64{}
	if err := json.Unmarshal(out, &m); err != nil {
		return err
	}
	for name, v := range m {
		into[name] = append(into[name], v)
	}
	return nil
}

func print(results map[string]map[string][]float64) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "median\t%s\t%s\tratio\t\n", drivers[0], drivers[1])
	var names []string
	for name := range results[drivers[0]] {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		a, b := results[drivers[0]][name], results[drivers[1]][name]
		ratios := make([]float64, len(a))
		for i := range a {
			ratios[i] = a[i] / b[i]
		}
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.2f\t\n", name, median(a), median(b), median(ratios))
	}
	return w.Flush()
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
