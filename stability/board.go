package stability

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Board shows what a program's policies decide: as snapshots, as events, in
// the Prometheus text format and as a Hystrix metrics stream.
type Board struct {
	mu       sync.Mutex
	observed []Observed
	watchers []func(Event)
}

// NewBoard makes a board of policies; see [Board.Add].
func NewBoard(policies ...any) *Board {
	b := &Board{}
	b.Add(policies...)
	return b
}

// Add puts policies on the board: any [Observed], or what [Compose] made of
// them. Anything else is passed over.
func (b *Board) Add(policies ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range policies {
		members := []any{p}
		if c, ok := p.(chain); ok {
			members = nil
			for _, m := range Policies(c) {
				members = append(members, m)
			}
		}
		for _, m := range members {
			if o, ok := m.(Observed); ok && !slices.Contains(b.observed, o) {
				b.observed = append(b.observed, o)
				for _, f := range b.watchers {
					o.Watch(f)
				}
			}
		}
	}
}

// Watch has f told of the events of every policy on the board, now and later;
// see [Observed].
func (b *Board) Watch(f func(Event)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watchers = append(b.watchers, f)
	for _, o := range b.observed {
		o.Watch(f)
	}
}

// breakers are those on the board, in the order of adding.
func (b *Board) breakers() []*Breaker {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []*Breaker
	for _, o := range b.observed {
		if breaker, ok := o.(*Breaker); ok {
			all = append(all, breaker)
		}
	}
	return all
}

// Snapshots are those of all policies, ordered by kind and name. Policies of
// one kind and name are told as one: counts and levels are added, and the
// worst state counts.
func (b *Board) Snapshots() []Snapshot {
	b.mu.Lock()
	observed := slices.Clone(b.observed)
	b.mu.Unlock()
	badness := map[string]int{Closed.String(): 1, HalfOpen.String(): 2, Open.String(): 3}
	type key struct{ policy, name string }
	at := map[key]*Snapshot{}
	for _, o := range observed {
		s := o.Snapshot()
		k := key{s.Policy, s.Name}
		first, twice := at[k]
		if !twice {
			at[k] = &s
			continue
		}
		for d, n := range s.Counts {
			first.Counts[d] += n
		}
		for l, v := range s.Levels {
			first.Levels[l] += v
		}
		if badness[s.State] > badness[first.State] {
			first.State = s.State
		}
	}
	all := make([]Snapshot, 0, len(at))
	for _, s := range at {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b Snapshot) int {
		return strings.Compare(a.Policy+"\x00"+a.Name, b.Policy+"\x00"+b.Name)
	})
	return all
}

// ServeHTTP answers with the metrics, for a scrape.
func (b *Board) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_ = b.WritePrometheus(w) // the scraper is gone
}

// WritePrometheus writes the metrics in the Prometheus text format:
//
//	stability_decisions_total{policy,name,decision}   counter
//	stability_level{policy,name,level}                gauge
//	stability_breaker_open{name}                      0 closed, 0.5 half-open, 1 open
func (b *Board) WritePrometheus(w io.Writer) error {
	all := b.Snapshots()
	var out bytes.Buffer
	out.WriteString("# HELP stability_decisions_total What stability policies decided.\n# TYPE stability_decisions_total counter\n")
	for _, s := range all {
		for _, d := range slices.Sorted(maps.Keys(s.Counts)) {
			fmt.Fprintf(&out, "stability_decisions_total{policy=%s,name=%s,decision=%s} %d\n", label(s.Policy), label(s.Name), label(d), s.Counts[d])
		}
	}
	out.WriteString("# HELP stability_level What goes up and down in stability policies.\n# TYPE stability_level gauge\n")
	for _, s := range all {
		for _, l := range slices.Sorted(maps.Keys(s.Levels)) {
			fmt.Fprintf(&out, "stability_level{policy=%s,name=%s,level=%s} %s\n", label(s.Policy), label(s.Name), label(l), strconv.FormatFloat(s.Levels[l], 'g', -1, 64))
		}
	}
	out.WriteString("# HELP stability_breaker_open 0 closed, 0.5 half-open, 1 open.\n# TYPE stability_breaker_open gauge\n")
	for _, s := range all {
		if open, ok := s.Open(); ok {
			fmt.Fprintf(&out, "stability_breaker_open{name=%s} %v\n", label(s.Name), open)
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

// Open is a breaker's state as a number: 0 closed, 0.5 half-open, 1 open; not
// ok for other policies.
func (s Snapshot) Open() (open float64, ok bool) {
	open, ok = map[string]float64{Closed.String(): 0, HalfOpen.String(): 0.5, Open.String(): 1}[s.State]
	return open, ok
}

var escapeLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func label(v string) string {
	return `"` + escapeLabel.Replace(strings.ToValidUTF8(v, "\uFFFD")) + `"`
}
