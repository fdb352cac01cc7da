// Package pattern finds the templates behind log messages: what changes from one
// line to the next (numbers, ids, addresses, times) is masked first, and messages
// that then differ in a few words are put together, as the Drain algorithm does
// (He et al., ICWS 2017), with the words that differ as <*>.
package pattern

import (
	"hash/fnv"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Pattern is one template and the lines behind it.
type Pattern struct {
	ID       string // of the template as it was first seen: stays while words are generalised
	Template string
	Count    int64
	Sample   string // the newest message
	First    int64  // Unix nanoseconds of the earliest and latest
	Last     int64
	Levels   map[string]int64
	words    []string
}

// Limits of a miner.
const (
	maxWords    = 60      // of a message that are looked at
	maxMessage  = 2 << 10 // bytes of a message that are looked at
	maxPatterns = 5000    // more go to Other
	likeness    = 0.6     // share of words that must be equal
	wild        = "<*>"   //
)

// Miner collects patterns. The zero Miner is ready; it is for one goroutine.
type Miner struct {
	groups map[string][]*Pattern // by number of words and the first word
	all    []*Pattern
	Other  int64 // messages beyond maxPatterns
}

// masks take out what changes, the more specific first.
var masks = []struct {
	re   *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?`), "<time>"},
	{regexp.MustCompile(`\b\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?`), "<time>"},
	{regexp.MustCompile(`\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b`), "<uuid>"},
	{regexp.MustCompile(`\b[\w.+-]+@[\w-]+\.[\w.-]+\b`), "<email>"},
	{regexp.MustCompile(`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d+)?\b`), "<ip>"},
	{regexp.MustCompile(`\b(?:[0-9a-fA-F]{1,4}:){4,7}[0-9a-fA-F]{0,4}\b`), "<ip>"},
	{regexp.MustCompile(`\b0[xX][0-9a-fA-F]+\b`), "<hex>"},
	{hexadecimal, "<hex>"},
	{regexp.MustCompile(`[-+]?\b\d+(?:\.\d+)?(?:ns|µs|us|ms|s|m|h|%|[kKMGT]i?B|B)?\b`), "<n>"},
}

var hexadecimal = regexp.MustCompile(`\b[0-9a-fA-F]{8,}\b`)

// mixed masks runs of hexadecimal digits that have both letters and digits.
func mixed(s string) string {
	if strings.ContainsAny(s, "0123456789") && strings.ContainsAny(s, "abcdefABCDEF") {
		return "<hex>"
	}
	return s
}

// Mask replaces what changes from line to line.
func Mask(message string) string {
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "")
	}
	if i := strings.IndexByte(message, '\n'); i >= 0 {
		message = message[:i] // the rest of a stack trace
	}
	if !strings.ContainsAny(message, "0123456789@:") {
		return message // nothing that a mask could fit
	}
	for _, m := range masks {
		if m.re == hexadecimal {
			message = m.re.ReplaceAllStringFunc(message, mixed)
			continue
		}
		message = m.re.ReplaceAllString(message, m.with)
	}
	return message
}

// Add takes one message.
func (m *Miner) Add(message, level string, at int64) {
	words := strings.Fields(Mask(message))
	if len(words) == 0 {
		return
	}
	if len(words) > maxWords {
		words = append(words[:maxWords:maxWords], "…")
	}
	key := strconv.Itoa(len(words)) + " " + lead(words)
	p := m.nearest(key, words)
	if p == nil {
		if len(m.all) >= maxPatterns {
			m.Other++
			return
		}
		p = &Pattern{ID: idOf(words), words: words, First: at, Last: at, Levels: map[string]int64{}}
		if m.groups == nil {
			m.groups = map[string][]*Pattern{}
		}
		m.groups[key] = append(m.groups[key], p)
		m.all = append(m.all, p)
	}
	p.Count++
	p.Levels[level]++
	if at >= p.Last || p.Sample == "" {
		p.Last, p.Sample = at, shorten(message)
	}
	p.First = min(p.First, at)
}

// lead is the first word, unless it is masked or odd: then any.
func lead(words []string) string {
	if strings.ContainsAny(words[0], "<0123456789") {
		return wild
	}
	return words[0]
}

func shorten(s string) string {
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "…"
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return s
}

// nearest is the pattern that is like the words, made more general by them.
func (m *Miner) nearest(key string, words []string) *Pattern {
	var best *Pattern
	bestScore := 0
	for _, p := range m.groups[key] {
		same := 0
		for i, w := range p.words {
			if w == words[i] {
				same++
			}
		}
		if same > bestScore {
			best, bestScore = p, same
		}
	}
	if best == nil || float64(bestScore) < likeness*float64(len(words)) {
		return nil
	}
	for i, w := range best.words {
		if w != words[i] {
			best.words[i] = wild
		}
	}
	return best
}

func idOf(words []string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(strings.Join(words, " "))) // never fails
	return strconv.FormatUint(h.Sum64(), 36)
}

// Patterns are what was found, the most frequent first.
func (m *Miner) Patterns() []Pattern {
	out := make([]Pattern, len(m.all))
	for i, p := range m.all {
		out[i] = *p
		out[i].Template = strings.Join(p.words, " ")
	}
	sort.SliceStable(out, func(i, j int) bool {
		return out[i].Count > out[j].Count || out[i].Count == out[j].Count && out[i].Template < out[j].Template
	})
	return out
}

// Fits tells whether a template covers another: their words are equal but for
// what is <*> in one of them.
func Fits(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	if len(x) != len(y) {
		return false
	}
	same := 0
	for i := range x {
		if x[i] == y[i] {
			same++
		} else if x[i] != wild && y[i] != wild {
			return false
		}
	}
	return float64(same) >= likeness*float64(len(x))
}
