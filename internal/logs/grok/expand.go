package grok

import (
	"strings"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// MaxExpression is the longest expression, in bytes, that references may expand to. The stock patterns reach 30 KiB.
const MaxExpression = 512 << 10

// maxNesting bounds how deep patterns may name others; the stock ones reach 8.
const maxNesting = 64

// expansion replaces the references in one expression.
type expansion struct {
	patterns Dictionary
	all      bool // also capture references that name no field
	out      strings.Builder
	open     []string // names being expanded, outermost first
}

// expand replaces %{NAME}, %{NAME:field}, %{NAME:field:type} and %{NAME=definition} by groups; a field's group is called
// NAME:field:type, as grok has it.
func expand(expression string, patterns Dictionary, all bool) (string, error) {
	e := expansion{patterns: patterns, all: all}
	if err := e.text(expression); err != nil {
		return "", err
	}
	return e.out.String(), nil
}

func (e *expansion) text(s string) error {
	for {
		start := strings.Index(s, "%{")
		if start < 0 {
			return e.write(s)
		}
		ref, length, ok := parseReference(s[start:])
		if !ok {
			if err := e.write(s[:start+2]); err != nil {
				return err
			}
			s = s[start+2:]
			continue
		}
		if err := e.write(s[:start]); err != nil {
			return err
		}
		if err := e.reference(ref); err != nil {
			return err
		}
		s = s[start+length:]
	}
}

func (e *expansion) write(s string) error {
	if e.out.Len()+len(s) > MaxExpression {
		return problem.New(problem.TooLarge, "the pattern expands to more than %d KiB", MaxExpression>>10).
			WithMend("use fewer or simpler patterns in one expression")
	}
	e.out.WriteString(s)
	return nil
}

func (e *expansion) reference(r reference) error {
	definition := r.definition
	if definition == "" {
		var ok bool
		if definition, ok = e.patterns[r.pattern]; !ok {
			return e.unknown(r.pattern)
		}
	}
	for _, name := range e.open {
		if name == r.pattern && r.definition == "" {
			return problem.New(problem.Invalid, "pattern %%{%s} contains itself, through %s", r.pattern, strings.Join(append(e.open, r.pattern), " → ")).
				WithMend("take the reference out of one of them")
		}
	}
	if len(e.open) >= maxNesting {
		return problem.New(problem.Invalid, "patterns name each other more than %d levels deep", maxNesting).WithMend("write the expression flatter")
	}
	group := "(?:"
	switch {
	case r.field != "":
		group = "(?<" + r.pattern + ":" + r.field + ">"
	case e.all:
		group = "(?<" + r.pattern + ">"
	}
	if err := e.write(group); err != nil {
		return err
	}
	e.open = append(e.open, r.pattern)
	err := e.text(definition)
	e.open = e.open[:len(e.open)-1]
	if err != nil {
		return err
	}
	return e.write(")")
}

func (e *expansion) unknown(name string) error {
	err := problem.New(problem.Invalid, "pattern %%{%s} is not defined", name)
	if near := nearest(name, e.patterns); near != "" {
		return err.WithMend("did you mean %%{%s}? Otherwise define it in pattern_definitions or a file of patterns_dir", near)
	}
	return err.WithMend("define it in pattern_definitions or a file of patterns_dir")
}

// nearest is a defined name that differs little from an unknown one, or nothing.
func nearest(name string, patterns Dictionary) string {
	best, least := "", max(1, len(name)/3)+1
	for known := range patterns {
		if d := distance(name, known, least); d < least || d == least && best != "" && known < best {
			best, least = known, d
		}
	}
	return best
}

// distance is the number of single edits from a to b, or more than limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// reference is one %{…} of an expression.
type reference struct {
	pattern    string
	field      string // with its type after a colon, when it has one
	definition string
}

// parseReference reads a reference at the start of s and tells how long it is. Anything between what it understands and the closing
// brace is ignored, as grok does.
func parseReference(s string) (r reference, length int, ok bool) {
	i := 2
	for i < len(s) && isNameByte(s[i]) {
		i++
	}
	if r.pattern = s[2:i]; r.pattern == "" {
		return r, 0, false
	}
	if i < len(s) && s[i] == ':' {
		j := i + 1
		for j < len(s) && (isNameByte(s[j]) || strings.IndexByte("@:.-", s[j]) >= 0) {
			j++
		}
		if j > i+1 {
			r.field, i = s[i+1:j], j
		}
	}
	if i < len(s) && s[i] == '=' {
		end := definitionEnd(s, i+1)
		if end < 0 {
			return r, 0, false
		}
		r.definition, i = s[i+1:end], end
	}
	end := strings.IndexByte(s[i:], '}')
	if end < 0 {
		return r, 0, false
	}
	return r, i + end + 1, true
}

// definitionEnd finds the brace that closes an inline definition, stepping over escaped characters and balanced braces.
func definitionEnd(s string, i int) int {
	for depth := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return -1
}
