// Package grok turns text into fields with named, nested patterns, as the grok filter of Logstash does: %{NAME:field:type} stands for
// the expression called NAME, and the whole is a regular expression in Oniguruma's Ruby syntax.
//
// An expression is carried out by one of three engines with the same answers: a matcher of our own, compiled for it, that knows before
// it tries which branches and which shorter runs cannot fit; Go's linear regexp, for lines on which that one tries too long and the
// expression means the same there; and regexp2, a backtracking engine, for what ours does not take. Every match ends within a time limit.
package grok

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// ErrTimeout is the answer for a text on which the expression did not come to an end in time.
var ErrTimeout = errors.New("the pattern did not come to an end in time")

// DefaultTimeout is how long one match may take unless the options say otherwise.
const DefaultTimeout = 30 * time.Second

// Options of Compile.
type Options struct {
	Patterns Dictionary    // nil: the stock patterns with legacy names
	AllNamed bool          // capture references without a field too, under the pattern's name
	Timeout  time.Duration // of one match; 0: DefaultTimeout
}

// Kind is what a captured text is turned into.
type Kind uint8

// The kinds of captures.
const (
	Text Kind = iota
	Int
	Float
)

// Capture is a field that an expression can give.
type Capture struct {
	Field string
	Kind  Kind
	group int
}

// Tier names the engine that carries an expression out.
type Tier string

// The engines, fastest first.
const (
	TierCompiled  Tier = "compiled"
	TierLinear    Tier = "linear"       // Go's regexp
	TierBacktrack Tier = "backtracking" // regexp2
)

// Pattern is a compiled expression. It may be used by many goroutines.
type Pattern struct {
	source   string
	captures []Capture
	names    []string
	timeout  time.Duration

	compiled *program
	linear   *regexp.Regexp
	ascii    bool // linear is the same only on ASCII text
	noTail   bool // linear is the same only without a line break at the end
	backing  *regexp2.Regexp
	walks    sync.Pool
}

// Compile reads an expression.
func Compile(expression string, o Options) (*Pattern, error) {
	if o.Patterns == nil {
		o.Patterns = Stock(Legacy)
	}
	full, err := expand(expression, o.Patterns, o.AllNamed)
	if err != nil {
		return nil, err
	}
	return compileFull(expression, full, o.Timeout)
}

// CompileExpression reads a plain expression, in which %{…} means nothing.
func CompileExpression(expression string, timeout time.Duration) (*Pattern, error) {
	return compileFull(expression, expression, timeout)
}

func compileFull(expression, full string, timeout time.Duration) (*Pattern, error) {
	t, err := parse(full)
	if err != nil {
		return nil, err
	}
	p := &Pattern{source: expression, names: t.names, timeout: timeout}
	if p.timeout <= 0 {
		p.timeout = DefaultTimeout
	}
	for i, name := range t.names {
		if c, ok := captureOf(name); ok {
			c.group = i + 1
			p.captures = append(p.captures, c)
		}
	}
	if err := p.build(t); err != nil {
		return nil, err
	}
	p.walks.New = func() any { return new(walk) }
	return p, nil
}

// captureOf reads a group's name: field, or PATTERN:field, or PATTERN:field:type.
func captureOf(name string) (Capture, bool) {
	parts := strings.SplitN(name, ":", 3)
	c := Capture{Field: parts[len(parts)-1]}
	if len(parts) > 1 {
		c.Field = parts[1]
	}
	if len(parts) == 3 {
		switch parts[2] {
		case "int":
			c.Kind = Int
		case "float":
			c.Kind = Float
		}
	}
	return c, c.Field != ""
}

func (p *Pattern) build(t *tree) error {
	p.compiled, _ = compileProgram(t)
	if expression, ascii, noTail, ok := re2(t); ok {
		if linear, err := regexp.Compile(expression); err == nil {
			p.linear, p.ascii, p.noTail = linear, ascii, noTail
		}
	}
	if p.compiled != nil {
		return nil
	}
	if p.linear != nil && !p.ascii && !p.noTail {
		return nil
	}
	backing, err := regexp2.Compile(backtracking(t), regexp2.None)
	if err != nil {
		return problem.New(problem.Invalid, "the expression is not carried out: %v", err).WithMend("write it simpler, or as two expressions in match")
	}
	backing.MatchTimeout = p.timeout
	p.backing = backing
	return nil
}

// String is the expression as it was given to Compile.
func (p *Pattern) String() string { return p.source }

// Captures are the fields that a match can give, in the order of the groups; a field that several groups fill stands there as often.
func (p *Pattern) Captures() []Capture { return p.captures }

// Tier is the engine that is tried first.
func (p *Pattern) Tier() Tier {
	switch {
	case p.compiled != nil:
		return TierCompiled
	case p.backing != nil:
		return TierBacktrack
	}
	return TierLinear
}

// Match is one fit of a pattern to a text. The zero value is ready, and reusing it saves memory.
type Match struct {
	text  string
	spans []int
}

// Text is what the i-th group of a match holds, and false if it took no part; 0 is the whole match.
func (m *Match) group(i int) (string, bool) {
	if start, end := m.spans[2*i], m.spans[2*i+1]; start >= 0 && end >= start {
		return m.text[start:end], true
	}
	return "", false
}

// Span is where the match lies in the text.
func (m *Match) Span() (start, end int) { return m.spans[0], m.spans[1] }

// Get is what a capture of the pattern holds, and false if it took no part.
func (m *Match) Get(c Capture) (string, bool) { return m.group(c.group) }

// Value is Get, turned into the capture's kind: a string, an int64 or a float64.
func (m *Match) Value(c Capture) (any, bool) {
	s, ok := m.group(c.group)
	if !ok {
		return nil, false
	}
	switch c.Kind {
	case Int:
		return leadingInt(s), true
	case Float:
		return leadingFloat(s), true
	}
	return s, true
}

// stepsBeforeLinear is how long the first engine tries before a linear one is asked, beside so much a byte.
const stepsBeforeLinear, stepsPerByte = 20_000, 50

// Find fits p to text, at the first place where it does, and tells whether it did. The error is ErrTimeout or none.
func (p *Pattern) Find(text string, m *Match) (bool, error) {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	return p.findFrom(text, 0, m)
}

// findFrom looks for a match that begins at start or later. The text must be valid UTF-8.
func (p *Pattern) findFrom(text string, start int, m *Match) (bool, error) {
	m.text = text
	linear := start == 0 && p.linear != nil && (!p.ascii || isASCII(text)) && (!p.noTail || !strings.HasSuffix(text, "\n"))
	if p.compiled != nil {
		w := p.walks.Get().(*walk)
		defer p.walks.Put(w)
		w.budget, w.patience, w.deadline = 0, p.timeout, time.Time{}
		if linear {
			w.budget = stepsBeforeLinear + stepsPerByte*len(text)
		}
		fits := w.find(p.compiled, text, start)
		if !w.gaveUp {
			if fits {
				m.spans = append(m.spans[:0], w.slots...)
			}
			w.s = ""
			return fits, nil
		}
		if !linear {
			return false, ErrTimeout
		}
	}
	if linear {
		spans := p.linear.FindStringSubmatchIndex(text)
		m.spans = append(m.spans[:0], spans...)
		return spans != nil, nil
	}
	return p.findBacking(text, start, m)
}

func (p *Pattern) findBacking(text string, start int, m *Match) (bool, error) {
	if p.backing == nil { // linear alone, which begins at the start
		return p.findRest(text, start, m)
	}
	found, err := p.backing.FindStringMatchStartingAt(text, utf8.RuneCountInString(text[:start]))
	if err != nil {
		return false, ErrTimeout
	}
	if found == nil {
		return false, nil
	}
	at := byteOffsets(text)
	m.spans = m.spans[:0]
	for _, g := range found.Groups() {
		if len(g.Captures) == 0 {
			m.spans = append(m.spans, -1, -1)
			continue
		}
		m.spans = append(m.spans, at(g.Index), at(g.Index+g.Length))
	}
	return true, nil
}

// findRest is for expressions without looking behind, which may look at the rest alone.
func (p *Pattern) findRest(text string, start int, m *Match) (bool, error) {
	spans := p.linear.FindStringSubmatchIndex(text[start:])
	m.spans = m.spans[:0]
	for _, at := range spans {
		if at >= 0 {
			at += start
		}
		m.spans = append(m.spans, at)
	}
	return spans != nil, nil
}

// Matches tells whether p fits text somewhere; a text on which it comes to no end is none.
func (p *Pattern) Matches(text string) bool {
	var m Match
	ok, err := p.Find(text, &m)
	return ok && err == nil
}

// Replace replaces every match by the replacement, in which \\0 to \\9 and \\k<name> stand for groups and \\\\ for a backslash.
func (p *Pattern) Replace(text, replacement string) (string, error) {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	var out strings.Builder
	var m Match
	for at, done := 0, 0; ; {
		ok, err := p.findFrom(text, at, &m)
		if err != nil {
			return text, err
		}
		if !ok {
			if done == 0 {
				return text, nil
			}
			out.WriteString(text[done:])
			return out.String(), nil
		}
		start, end := m.Span()
		out.WriteString(text[done:start])
		p.insert(&out, &m, replacement)
		done, at = end, end
		if start == end { // an empty match: on by a character
			if end == len(text) {
				return out.String(), nil
			}
			_, size := utf8.DecodeRuneInString(text[end:])
			at += size
		}
		if done == 0 {
			out.WriteString(text[:at])
			done = at
		}
	}
}

func (p *Pattern) insert(out *strings.Builder, m *Match, replacement string) {
	for {
		i := strings.IndexByte(replacement, '\\')
		if i < 0 || i+1 == len(replacement) {
			out.WriteString(replacement)
			return
		}
		out.WriteString(replacement[:i])
		c := replacement[i+1]
		rest := replacement[i+2:]
		switch {
		case c >= '0' && c <= '9':
			if n := int(c - '0'); n <= len(p.names) {
				s, _ := m.group(n)
				out.WriteString(s)
			}
		case c == 'k' && strings.HasPrefix(rest, "<") && strings.Contains(rest, ">"):
			name, after, _ := strings.Cut(rest[1:], ">")
			for i, known := range p.names {
				if s, ok := m.group(i + 1); ok && known == name {
					out.WriteString(s)
				}
			}
			rest = after
		case c == '\\':
			out.WriteByte(c)
		default:
			out.WriteString(replacement[i : i+2])
		}
		replacement = rest
	}
}

// byteOffsets maps positions counted in characters to bytes.
func byteOffsets(text string) func(int) int {
	if isASCII(text) {
		return func(i int) int { return i }
	}
	offsets := make([]int, 0, len(text)+1)
	for i := range text {
		offsets = append(offsets, i)
	}
	offsets = append(offsets, len(text))
	return func(i int) int { return offsets[i] }
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// leadingInt is the whole number that s begins with, 0 if there is none: how Ruby's to_i reads text.
func leadingInt(s string) int64 {
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || end == 0 && (s[end] == '-' || s[end] == '+')) {
		end++
	}
	n, err := strconv.ParseInt(s[:end], 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return n
}

// leadingFloat is the number that s begins with, 0 if there is none: how Ruby's to_f reads text.
func leadingFloat(s string) float64 {
	s = strings.TrimLeft(s, " \t\n\v\f\r")
	best := 0.0
	for end := min(len(s), 64); end > 0; end-- {
		if c := s[end-1]; c < '0' || c > '9' {
			continue
		}
		if strings.ContainsAny(s[:end], "xXpP_iInN") {
			continue
		}
		if f, err := strconv.ParseFloat(s[:end], 64); err == nil || errors.Is(err, strconv.ErrRange) {
			best = f
			break
		}
	}
	return best
}
