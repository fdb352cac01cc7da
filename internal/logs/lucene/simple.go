package lucene

import (
	"strings"
	"unicode/utf8"

	"github.com/daytwo-dev/daytwo/internal/logs/glob"
)

// simple reads the language of simple_query_string: words and "phrases", + for
// and, | for or, - for not, a * at the end of a word, and groups. It has no
// fields, and no bad syntax: an operator or a quote that means nothing is left
// out. Fuzzy words and distances (~), which would be answered wrongly, and too
// much of everything are refused.
func (p *parser) simple() (Node, error) {
	n, err := p.simpleGroup()
	for err == nil && !p.end() { // a ) too many
		p.at++
		p.space()
		if p.end() {
			break
		}
		var more Node
		if more, err = p.simpleGroup(); more != nil {
			n = p.join(n, more, p.options.And)
		}
	}
	if n == nil && err == nil {
		n = Bool{} // nothing but operators: nothing is asked for
	}
	return n, err
}

// simpleGroup reads to a ) or the end. Where the operator changes, what came
// before is one clause of the next.
func (p *parser) simpleGroup() (n Node, err error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("the query is nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	all, not := p.options.And, false
	for {
		p.space()
		if p.end() {
			return n, nil
		}
		var next Node
		switch c := p.in[p.at]; c {
		case ')':
			return n, nil
		case '+', '|':
			p.at++
			all = c == '+'
			continue
		case '-':
			p.at++
			not = !not
			continue
		case '(':
			p.at++
			if next, err = p.simpleGroup(); err != nil {
				return nil, err
			}
			if !p.end() {
				p.at++
			}
		default:
			if next, err = p.simpleTerm(); err != nil {
				return nil, err
			}
		}
		if next != nil {
			if p.clauses++; p.clauses > maxClauses {
				return nil, p.fail("the query has more than %d clauses", maxClauses)
			}
			if not {
				next = Bool{[]Clause{{MustNot, next}}}
			}
			n = p.join(n, next, all)
		}
		all, not = p.options.And, false
	}
}

// join puts two nodes side by side.
func (p *parser) join(a, b Node, all bool) Node {
	if a == nil {
		return b
	}
	occur := Should
	if all {
		occur = Must
	}
	if g, ok := a.(Bool); ok && len(g.Clauses) > 1 && g.Clauses[0].Occur == occur {
		g.Clauses = append(g.Clauses, Clause{occur, b})
		return g
	}
	return Bool{[]Clause{{occur, a}, {occur, b}}}
}

func (p *parser) simpleTerm() (n Node, err error) {
	if p.in[p.at] == '"' {
		at := p.at
		if s, err := p.quoted(); err == nil {
			return Term{Text: glob.Literal(s), Phrase: true}, p.simpleEdit()
		}
		p.at = at + 1 // it is not closed
		return nil, nil
	}
	var b strings.Builder
	start := p.at
	for !p.end() && !strings.ContainsRune(" \t\n\r()|\"~", rune(p.in[p.at])) && !strings.HasPrefix(p.in[p.at:], "\u3000") && (p.in[p.at] != '+' || p.at == start) {
		if p.in[p.at] == '\\' {
			if p.at++; p.end() {
				break
			}
		}
		_, size := utf8.DecodeRuneInString(p.in[p.at:])
		b.WriteString(p.in[p.at : p.at+size])
		p.at += size
	}
	text := b.String()
	if p.at == start { // a ~ by itself
		p.at++
		return nil, nil
	}
	if word, ok := strings.CutSuffix(text, "*"); ok && p.in[max(start, p.at-2):p.at] != `\*` {
		if word == "" {
			return All{}, nil
		}
		return Term{Text: glob.Pattern{word, ""}}, p.simpleEdit()
	}
	if text == "" {
		return nil, nil
	}
	return Term{Text: glob.Literal(text)}, p.simpleEdit()
}

// simpleEdit refuses ~2 behind a word or a phrase; ~0 asks for nothing, and a ~
// without a number means nothing.
func (p *parser) simpleEdit() error {
	if p.end() || p.in[p.at] != '~' {
		return nil
	}
	p.at++
	rest := strings.TrimLeft(p.in[p.at:], "0123456789")
	digits := p.in[p.at : len(p.in)-len(rest)]
	if strings.Trim(digits, "0") != "" {
		return p.fail("fuzzy words and distances within phrases (~) are not covered")
	}
	p.at += len(digits)
	return nil
}
