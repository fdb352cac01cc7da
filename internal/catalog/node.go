package catalog

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// maxNodes bounds how much a file may expand to through its aliases.
const maxNodes = 200_000

// reader walks the nodes of one file. Every method reports what does not fit and goes on with a zero value, so that one pass finds
// everything there is to say.
type reader struct {
	file     string
	findings []problem.Finding
	visited  int
	full     bool     // it has expanded too far: what is missing now says nothing
	later    []func() // checks of references, run when all names are known
}

func (r *reader) errorf(n *yaml.Node, mend, format string, args ...any) {
	r.report(n, problem.SeverityError, mend, format, args...)
}

func (r *reader) warnf(n *yaml.Node, mend, format string, args ...any) {
	r.report(n, problem.SeverityWarning, mend, format, args...)
}

func (r *reader) report(n *yaml.Node, severity problem.Severity, mend, format string, args ...any) {
	if r.full {
		return
	}
	r.findings = append(r.findings, problem.Finding{
		File: r.file, Line: max(n.Line, 1), Column: max(n.Column, 1),
		Message: fmt.Sprintf(format, args...), Mend: mend, Severity: severity,
	})
}

// enter resolves an alias and counts the node; false means the file has expanded too far to go on.
func (r *reader) enter(n *yaml.Node) (*yaml.Node, bool) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if r.visited++; r.visited == maxNodes {
		r.errorf(n, "write fewer entries, or aliases that repeat less", "the file holds more than %d values", maxNodes)
		r.full = true
	}
	return n, r.visited < maxNodes
}

// fields reads one mapping by key. what names the mapping in messages. It returns the node of each key that is present.
func (r *reader) fields(n *yaml.Node, what string, read map[string]func(*yaml.Node)) map[string]*yaml.Node {
	seen := map[string]*yaml.Node{}
	n, ok := r.enter(n)
	if !ok || isNull(n) {
		return seen
	}
	if n.Kind != yaml.MappingNode {
		r.errorf(n, "write `key: value` lines here", "%s is %s, not a mapping", what, kindOf(n))
		return seen
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := key.Value
		field, known := read[name]
		switch {
		case key.Kind != yaml.ScalarNode || !known:
			r.errorf(key, suggest(name, read), "%s has no key %q", what, name)
		case seen[name] != nil:
			r.errorf(key, "keep one of them", "key %q is already given on line %d", name, seen[name].Line)
		default:
			seen[name] = value
			field(value)
		}
	}
	return seen
}

// items reads one sequence.
func (r *reader) items(n *yaml.Node, what string, read func(*yaml.Node)) {
	n, ok := r.enter(n)
	if !ok || isNull(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.errorf(n, "write a list: `- one` lines, or [one, two]", "%s is %s, not a list", what, kindOf(n))
		return
	}
	for _, item := range n.Content {
		read(item)
	}
}

// text reads a string. Numbers and booleans are refused: `name: 007` would not mean what it says.
func (r *reader) text(n *yaml.Node, what string) string {
	n, ok := r.enter(n)
	switch {
	case !ok || isNull(n):
		return ""
	case n.Kind != yaml.ScalarNode:
		r.errorf(n, "write one value here", "%s is %s, not text", what, kindOf(n))
		return ""
	case n.ShortTag() != "!!str":
		r.errorf(n, "put it in quotes", "%s is %s, not text", what, kindOf(n))
		return ""
	}
	return n.Value
}

func (r *reader) number(n *yaml.Node, what string) (float64, bool) {
	n, ok := r.enter(n)
	if !ok {
		return 0, false
	}
	if tag := n.ShortTag(); n.Kind == yaml.ScalarNode && (tag == "!!int" || tag == "!!float") {
		if v, err := strconv.ParseFloat(n.Value, 64); err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
			return v, true
		}
	}
	r.errorf(n, "write a number such as 2 or 99.5", "%s is %s, not a number", what, kindOf(n))
	return 0, false
}

func (r *reader) boolean(n *yaml.Node, what string) bool {
	n, ok := r.enter(n)
	if !ok {
		return false
	}
	var v bool
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Decode(&v) != nil {
		r.errorf(n, "write true or false", "%s is %s, not true or false", what, kindOf(n))
	}
	return v
}

func (r *reader) duration(n *yaml.Node, what string) (Duration, bool) {
	n, ok := r.enter(n)
	if !ok {
		return 0, false
	}
	if n.Kind != yaml.ScalarNode || isNull(n) {
		r.errorf(n, "write a duration such as 5m or 30d", "%s is %s, not a duration", what, kindOf(n))
		return 0, false
	}
	d, err := event.ParseDuration(n.Value)
	if err != nil {
		p := problem.From(err)
		r.errorf(n, p.Mend, "%s: %s", what, p.Message)
		return 0, false
	}
	return Duration(d), true
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "empty"
	case n.ShortTag() == "!!str":
		return strconv.Quote(shorten(n.Value))
	}
	return "the " + map[string]string{
		"!!int": "number ", "!!float": "number ", "!!bool": "boolean ", "!!timestamp": "date ",
	}[n.ShortTag()] + shorten(n.Value)
}

func shorten(s string) string {
	if runes := []rune(s); len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return s
}

// suggest names the key that was probably meant, or all there are.
func suggest(name string, read map[string]func(*yaml.Node)) string {
	names := make([]string, 0, len(read))
	for known := range read {
		names = append(names, known)
	}
	slices.Sort(names)
	for _, known := range names {
		if problem.Resembles(known, name) {
			return fmt.Sprintf("did you mean %q?", known)
		}
	}
	return "the keys are " + strings.Join(names, ", ")
}
