// Command logs measures how many lines of a web server's access log go through grok a second of CPU, beside other engines in Go, in
// one run, and prints ratios.
//
//	go run . [-file access.log] [-for 3s]
package main

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"syscall"
	"time"

	elastic "github.com/elastic/go-grok"
	vjeantet "github.com/vjeantet/grok"

	"github.com/daytwo-dev/daytwo/internal/logs/grok"
)

// byHand is what somebody writes who knows that a line is right: it asks of no address whether it is one, and of no time.
var byHand = regexp.MustCompile(`^(?P<clientip>\S+) (?P<ident>\S+) (?P<auth>\S+) \[(?P<timestamp>[^\]]+)\] "(?P<verb>\S+) (?P<request>\S+) HTTP/(?P<httpversion>[^"]+)" (?P<response>\d+) (?P<bytes>\S+) (?P<referrer>"[^"]*") (?P<agent>"[^"]*")`)

func main() {
	file := flag.String("file", "", "an access log in Apache's combined format; otherwise lines are made")
	length := flag.Duration("for", 3*time.Second, "how long each engine runs")
	flag.Parse()
	lines, err := read(*file)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ours := func(n grok.Naming) func(string) int {
		p, err := grok.Compile("%{COMBINEDAPACHELOG}", grok.Options{Patterns: grok.Stock(n)})
		if err != nil {
			panic(err)
		}
		var m grok.Match
		return func(line string) int {
			fields := make(map[string]string, 16) // what the peers answer with too
			if ok, err := p.Find(line, &m); !ok || err != nil {
				return 0
			}
			for _, c := range p.Captures() {
				if v, ok := m.Get(c); ok {
					fields[c.Field] = v
				}
			}
			return len(fields)
		}
	}
	e, err := elastic.NewComplete()
	if err == nil {
		err = e.Compile("%{COMBINEDAPACHELOG}", true)
	}
	if err != nil {
		panic(err)
	}
	v, err := vjeantet.NewWithConfig(&vjeantet.Config{NamedCapturesOnly: true})
	if err != nil {
		panic(err)
	}
	engines := []struct {
		name string
		run  func(string) int
	}{
		{"daytwo, legacy names", ours(grok.Legacy)},
		{"daytwo, ECS names", ours(grok.ECS)},
		{"one expression, by hand", func(line string) int {
			fields := make(map[string]string, 16)
			for i, v := range byHand.FindStringSubmatch(line) {
				if name := byHand.SubexpNames()[i]; name != "" {
					fields[name] = v
				}
			}
			return len(fields)
		}},
		{"elastic/go-grok", func(line string) int { m, _ := e.ParseString(line); return len(m) }},
		{"vjeantet/grok", func(line string) int { m, _ := v.Parse("%{COMBINEDAPACHELOG}", line); return len(m) }},
	}
	var first float64
	fmt.Printf("%-22s %14s %8s %9s\n", "engine", "lines/CPU s", "ratio", "matched")
	for _, x := range engines {
		rate, matched := measure(lines, *length, x.run)
		if first == 0 {
			first = rate
		}
		fmt.Printf("%-22s %14.0f %8.3f %8.1f%%\n", x.name, rate, rate/first, matched)
	}
}

// measure runs an engine over the lines again and again.
func measure(lines []string, length time.Duration, run func(string) int) (rate, matched float64) {
	for _, l := range lines[:min(len(lines), 50)] {
		run(l)
	}
	n, hits := 0, 0
	before := cpu()
	for end := time.Now().Add(length); ; {
		for range 20 {
			if run(lines[n%len(lines)]) > 0 {
				hits++
			}
			n++
		}
		if time.Now().After(end) {
			break
		}
	}
	return float64(n) / (cpu() - before), 100 * float64(hits) / float64(n)
}

// cpu is the seconds of CPU this process has used.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

func read(file string) ([]string, error) {
	if file == "" {
		return made(), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []string
	for s := bufio.NewScanner(f); s.Scan(); {
		out = append(out, s.Text())
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no lines", file)
	}
	return out, nil
}

func made() []string {
	agents := []string{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 Safari/537.36", "curl/8.0", "-"}
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]string, 10_000)
	for i := range out {
		out[i] = fmt.Sprintf(`%d.%d.%d.%d - - [%02d/May/2015:%02d:05:03 +0000] "GET /presentations/%d/images/%x.png HTTP/1.1" %d %d "http://semicomplete.com/%d" "%s"`,
			1+r.IntN(250), r.IntN(256), r.IntN(256), r.IntN(256), 1+r.IntN(28), r.IntN(24), r.IntN(3000), r.Uint32(), []int{200, 200, 304, 404}[r.IntN(4)], r.IntN(300_000), r.IntN(100), agents[r.IntN(3)])
	}
	return out
}
