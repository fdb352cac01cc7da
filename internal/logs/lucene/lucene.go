// Package lucene reads and writes the query syntax of Apache Lucene as
// Elasticsearch's query_string has it: field:value, phrases, wildcards, regular
// expressions, ranges, + and -, AND, OR, NOT and groups. It knows nothing of any
// store; package logs turns a tree into a filter.
package lucene

import (
	"strings"

	"github.com/daytwo-dev/daytwo/internal/logs/glob"
)

// Node is a query or a part of one. String writes it so that Parse reads the
// same tree back.
type Node interface {
	String() string
	isNode()
}

// All matches everything: the empty query, and *:*.
type All struct{}

// Bool is clauses side by side, as Lucene has them: what must match, what must
// not, and of the rest at least one if nothing must.
type Bool struct{ Clauses []Clause }

// Occur says what a clause of a Bool asks.
type Occur byte

// The occurrences of a clause.
const (
	Should  Occur = 0
	Must    Occur = '+'
	MustNot Occur = '-'
)

// Clause is one part of a Bool.
type Clause struct {
	Occur Occur
	Node  Node
}

// Term asks for a word, a phrase or a pattern in a field; an empty Field is the
// default. One is a ? of the pattern, which stands for one character.
type Term struct {
	Field  string
	Text   glob.Pattern
	Phrase bool
	Regexp bool // Text is a regular expression
}

// Range asks for values between two; an empty bound that is a * is open.
type Range struct {
	Field              string
	Low, High          string // "*": open
	Above, Below       bool   // the bound itself is outside
	QuotedLow, QuotedH bool
}

// Exists asks whether a field is there.
type Exists struct{ Field string }

func (All) isNode()    {}
func (Bool) isNode()   {}
func (Term) isNode()   {}
func (Range) isNode()  {}
func (Exists) isNode() {}

func (All) String() string { return "*:*" }

func (n Bool) String() string {
	parts := make([]string, len(n.Clauses))
	for i, c := range n.Clauses {
		s := c.Node.String()
		if _, group := c.Node.(Bool); group {
			s = "(" + s + ")"
		}
		if c.Occur != Should {
			s = string(rune(c.Occur)) + s
		}
		parts[i] = s
	}
	return strings.Join(parts, " ")
}

func (n Term) String() string {
	field := writtenField(n.Field)
	switch {
	case n.Regexp:
		return field + "/" + strings.ReplaceAll(n.Text.Literal(), "/", `\/`) + "/"
	case n.Phrase:
		return field + quoted(n.Text.Literal())
	}
	parts := make([]string, len(n.Text))
	for i, part := range n.Text {
		parts[i] = Escape(part)
	}
	return field + strings.Join(parts, "*")
}

func (n Range) String() string {
	open, end := "[", "]"
	if n.Above {
		open = "{"
	}
	if n.Below {
		end = "}"
	}
	return writtenField(n.Field) + open + bound(n.Low, n.QuotedLow) + " TO " + bound(n.High, n.QuotedH) + end
}

func bound(s string, q bool) string {
	if q {
		return quoted(s)
	}
	if s == "*" {
		return s
	}
	return Escape(s)
}

func (n Exists) String() string { return "_exists_:" + Escape(n.Field) }

func writtenField(name string) string {
	if name == "" {
		return ""
	}
	parts := strings.Split(name, "*")
	for i, p := range parts {
		parts[i] = Escape(p)
	}
	return strings.Join(parts, "*") + ":"
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// special are the characters that have a meaning somewhere in the syntax.
const special = `+-=&|><!(){}[]^"~*?:\/ ` + "\t\n\r\u3000"

// Escape writes a text so that it means itself.
func Escape(s string) string {
	if s == "AND" || s == "OR" || s == "NOT" || s == "TO" {
		return `\` + s
	}
	if !strings.ContainsAny(s, special) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(special, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
