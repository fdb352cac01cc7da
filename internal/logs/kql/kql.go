// Package kql reads and writes the Kibana Query Language: field: value, ranges,
// and, or, not, groups, wildcards and nested groups. It knows nothing of any
// store; package logs turns a tree into a filter.
package kql

import (
	"strings"

	"github.com/daytwo-dev/daytwo/internal/logs/glob"
)

// Node is a query or a part of one. String writes it so that Parse reads the
// same tree back.
type Node interface {
	String() string
	write(b *strings.Builder, above int)
}

// All matches everything: the empty query.
type All struct{}

// And matches what all of its parts match; it has at least two.
type And []Node

// Or matches what any of its parts matches; it has at least two.
type Or []Node

// Not matches what its part does not.
type Not struct{ Node Node }

// Match asks for a value in a field; a nil Field means any text of the record.
// A value that is a lone * asks whether the field is there.
type Match struct {
	Field *Text
	Value Text
}

// Range compares a field with a value.
type Range struct {
	Field Text
	Op    string // <, <=, >, >=
	Value Text
}

// Nested asks for parts below a field: user: { first: a and last: b }.
type Nested struct {
	Field Text
	Node  Node
}

// Text is a word, several words, or a quoted phrase; a word may have wildcards.
type Text struct {
	Quoted  bool
	Pattern glob.Pattern
}

// Strengths of binding, for the brackets that writing needs.
const (
	bindOr = iota
	bindAnd
	bindNot
)

func (All) String() string      { return "" }
func (n And) String() string    { return written(n) }
func (n Or) String() string     { return written(n) }
func (n Not) String() string    { return written(n) }
func (n Match) String() string  { return written(n) }
func (n Range) String() string  { return written(n) }
func (n Nested) String() string { return written(n) }

func written(n Node) string {
	var b strings.Builder
	n.write(&b, bindOr)
	return b.String()
}

func (All) write(*strings.Builder, int) {}

func (n And) write(b *strings.Builder, above int) { list(b, n, " and ", bindAnd, above) }
func (n Or) write(b *strings.Builder, above int)  { list(b, n, " or ", bindOr, above) }

func list(b *strings.Builder, parts []Node, between string, own, above int) {
	if above > own {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	for i, p := range parts {
		if i > 0 {
			b.WriteString(between)
		}
		p.write(b, own+1)
	}
}

func (n Not) write(b *strings.Builder, above int) {
	if above > bindNot {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	b.WriteString("not ")
	n.Node.write(b, bindNot+1)
}

func (n Match) write(b *strings.Builder, _ int) {
	if n.Field != nil {
		b.WriteString(n.Field.String() + ": ")
	}
	b.WriteString(n.Value.String())
}

func (n Range) write(b *strings.Builder, _ int) {
	b.WriteString(n.Field.String() + " " + n.Op + " " + n.Value.String())
}

func (n Nested) write(b *strings.Builder, _ int) {
	b.WriteString(n.Field.String() + ": { ")
	n.Node.write(b, bindOr)
	b.WriteString(" }")
}

// String writes the text as a query has it.
func (t Text) String() string {
	if t.Quoted {
		return `"` + quoter.Replace(t.Pattern.Literal()) + `"`
	}
	var b strings.Builder
	for i, part := range t.Pattern {
		if i > 0 {
			b.WriteByte('*')
		}
		b.WriteString(escapeWords(part, i > 0, i < len(t.Pattern)-1))
	}
	return b.String()
}

var quoter = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\t", `\t`, "\r", `\r`, "\n", `\n`)

// escapeWords writes what is no syntax: each special character, each keyword that
// would be an operator, and each space that would not be read as one, with a
// backslash. after and before tell whether a wildcard stands there.
func escapeWords(s string, after, before bool) string {
	var b strings.Builder
	words := strings.Split(s, " ")
	for i, word := range words {
		if i > 0 {
			if words[i-1] == "" && (i > 1 || !after) || word == "" && (i < len(words)-1 || !before) {
				b.WriteByte('\\')
			}
			b.WriteByte(' ')
		}
		if isKeyword(word) {
			b.WriteByte('\\')
		}
		for _, r := range word {
			switch {
			case r == '\t':
				b.WriteString(`\t`)
			case r == '\n':
				b.WriteString(`\n`)
			case r == '\r':
				b.WriteString(`\r`)
			case strings.ContainsRune(special, r):
				b.WriteByte('\\')
				b.WriteRune(r)
			default:
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

func isKeyword(word string) bool {
	switch strings.ToLower(word) {
	case "and", "or", "not":
		return true
	}
	return false
}

const special = `\():<>"*{}`
