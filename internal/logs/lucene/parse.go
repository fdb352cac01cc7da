package lucene

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/daytwo-dev/daytwo/internal/logs/glob"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Limits of a query.
const (
	maxLength  = 32 << 10
	maxDepth   = 64
	maxClauses = 1024
)

// Options are what query_string lets its caller choose.
type Options struct {
	And    bool // clauses side by side must all match
	Simple bool // simple_query_string: words, |, + and -, and no syntax is bad
}

// Parse reads a query. An error is a problem that names the column.
func Parse(s string, o Options) (Node, error) {
	if len(s) > maxLength {
		return nil, problem.New(problem.TooLarge, "the query is longer than %d bytes", maxLength).WithField("query")
	}
	if !utf8.ValidString(s) {
		return nil, problem.New(problem.Invalid, "the query is not valid UTF-8").WithField("query")
	}
	p := &parser{in: s, options: o}
	p.space()
	if p.end() {
		return All{}, nil
	}
	if o.Simple {
		return p.simple()
	}
	n, err := p.group("")
	if err != nil {
		return nil, err
	}
	if !p.end() {
		return nil, p.fail("%s was not expected here", p.here())
	}
	return n, nil
}

type parser struct {
	in      string
	at      int
	depth   int
	clauses int
	options Options
}

func (p *parser) end() bool { return p.at >= len(p.in) }

func (p *parser) space() {
	for !p.end() {
		if c := p.in[p.at]; c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			p.at++
		} else if strings.HasPrefix(p.in[p.at:], "\u3000") {
			p.at += len("\u3000")
		} else {
			return
		}
	}
}

func (p *parser) here() string {
	if p.end() {
		return "the end"
	}
	r, _ := utf8.DecodeRuneInString(p.in[p.at:])
	return strconv.QuoteRune(r)
}

func (p *parser) fail(format string, args ...any) error {
	e := problem.New(problem.Invalid, format, args...)
	column := utf8.RuneCountInString(p.in[:min(p.at, len(p.in))]) + 1
	e.Message = "Lucene syntax, column " + strconv.Itoa(column) + ": " + e.Message
	return e.WithField("query").WithColumn(column).WithMend(`write field:value, "a phrase", AND, OR, NOT, [a TO b]; put \ before a special character`)
}

func (p *parser) word(w string) bool {
	rest := p.in[p.at:]
	if !strings.HasPrefix(rest, w) {
		return false
	}
	if len(rest) > len(w) && !strings.ContainsRune(" \t\n\r()", rune(rest[len(w)])) {
		return false
	}
	p.at += len(w)
	p.space()
	return true
}

func (p *parser) take(s string) bool {
	if !strings.HasPrefix(p.in[p.at:], s) {
		return false
	}
	p.at += len(s)
	p.space()
	return true
}

// Connectives between two clauses.
const (
	none = iota
	and
	or
)

func (p *parser) connective() int {
	switch {
	case p.word("AND"), p.take("&&"):
		return and
	case p.word("OR"), p.take("||"):
		return or
	}
	return none
}

// group reads clauses until a ) or the end, the way Lucene's classic parser
// understands them: AND makes both neighbours mandatory, OR leaves them
// optional, and without either the default operator decides.
func (p *parser) group(field string) (Node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("the query is nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	var clauses []Clause
	for {
		conn := p.connective()
		if p.end() || p.in[p.at] == ')' {
			if conn != none {
				return nil, p.fail("a clause is missing before %s", p.here())
			}
			break
		}
		if conn != none && len(clauses) == 0 {
			return nil, p.fail("a clause is missing before the operator")
		}
		if p.clauses++; p.clauses > maxClauses {
			return nil, p.fail("the query has more than %d clauses", maxClauses)
		}
		c, given, err := p.clause(field)
		if err != nil {
			return nil, err
		}
		before := len(clauses) - 1
		if conn == and && before >= 0 && clauses[before].Occur == Should {
			clauses[before].Occur = Must
		}
		if conn == or && p.options.And && before >= 0 && clauses[before].Occur == Must {
			clauses[before].Occur = Should
		}
		if !given && (conn == and || conn == none && p.options.And) {
			c.Occur = Must
		}
		clauses = append(clauses, c)
	}
	if len(clauses) == 0 {
		return nil, p.fail("a clause is missing before %s", p.here())
	}
	if len(clauses) == 1 && clauses[0].Occur != MustNot {
		return clauses[0].Node, nil
	}
	return Bool{clauses}, nil
}

// clause reads one clause with what stands before it; given says whether that
// decided the occurrence.
func (p *parser) clause(field string) (c Clause, given bool, err error) {
	switch {
	case p.word("NOT"), p.take("!"):
		c.Occur, given = MustNot, true
	case p.take("-"):
		c.Occur, given = MustNot, true
	case p.take("+"):
		c.Occur, given = Must, true
	}
	if p.depth++; p.depth > maxDepth {
		return c, given, p.fail("the query is nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	if given && (strings.HasPrefix(p.in[p.at:], "-") || strings.HasPrefix(p.in[p.at:], "!") || strings.HasPrefix(p.in[p.at:], "NOT ")) {
		inner, _, err := p.clause(field)
		c.Node = inner.Node
		if inner.Occur == MustNot {
			c.Node = Bool{[]Clause{inner}}
		}
		return c, true, err
	}
	c.Node, err = p.primary(field)
	return c, given, err
}

func (p *parser) primary(field string) (Node, error) {
	if p.end() {
		return nil, p.fail("a clause is missing at the end")
	}
	switch p.in[p.at] {
	case '(':
		return p.brackets(field)
	case '"':
		s, err := p.quoted()
		if err != nil {
			return nil, err
		}
		return Term{Field: field, Text: glob.Literal(s), Phrase: true}, p.suffix()
	case '/':
		return p.regexp(field)
	case '[', '{':
		return p.between(field)
	case '>', '<':
		return p.compare(field)
	}
	text, err := p.text()
	if err != nil {
		return nil, err
	}
	if p.end() || p.in[p.at] != ':' {
		if err := p.suffix(); err != nil {
			return nil, err
		}
		return termOf(field, text), nil
	}
	if field != "" {
		return nil, p.fail("a field within a field's group")
	}
	p.at++
	p.space()
	return p.ofField(text)
}

func termOf(field string, text glob.Pattern) Node {
	if text.Any() {
		if field == "" || field == "*" {
			return All{}
		}
		return Exists{field}
	}
	return Term{Field: field, Text: text}
}

// ofField reads what is asked of a field.
func (p *parser) ofField(name glob.Pattern) (Node, error) {
	field := name.Literal()
	if field == "" {
		return nil, p.fail("a field's name is missing")
	}
	if field == "_exists_" {
		text, err := p.text()
		p.space()
		if err == nil && text.Literal() == "" {
			err = p.fail("a field's name is missing")
		}
		return Exists{text.Literal()}, err
	}
	return p.primary(field)
}

func (p *parser) brackets(field string) (Node, error) {
	p.at++
	p.space()
	n, err := p.group(field)
	if err != nil {
		return nil, err
	}
	if p.end() || p.in[p.at] != ')' {
		return nil, p.fail("a ) is missing")
	}
	p.at++
	return n, p.suffix()
}

// suffix reads what may follow a clause: a boost, which changes no answer here
// because nothing is scored. Fuzziness and slop would, so they are refused.
func (p *parser) suffix() error {
	for !p.end() {
		switch p.in[p.at] {
		case '^':
			n := len(p.in[p.at+1:]) - len(strings.TrimLeft(p.in[p.at+1:], "0123456789."))
			if n == 0 {
				return p.fail("a boost needs a number")
			}
			p.at += 1 + n
		case '~':
			return p.fail("fuzzy words and distances within phrases (~) are not covered")
		default:
			p.space()
			return nil
		}
	}
	return nil
}

// text reads a word with its wildcards. ? is kept as a part of its own: see
// Question.
func (p *parser) text() (glob.Pattern, error) {
	parts := glob.Pattern{""}
	var b strings.Builder
	start := p.at
	for !p.end() {
		c := p.in[p.at]
		if c == '\\' {
			p.at++
			if p.end() {
				return nil, p.fail("a lone \\ at the end")
			}
			_, size := utf8.DecodeRuneInString(p.in[p.at:])
			b.WriteString(p.in[p.at : p.at+size])
			p.at += size
			continue
		}
		if c == '*' {
			parts[len(parts)-1] = b.String()
			parts = append(parts, "")
			b.Reset()
			p.at++
			continue
		}
		if c == '?' {
			return nil, p.fail("the wildcard ? is not covered; use *")
		}
		if p.endsWord(c, start) {
			break
		}
		_, size := utf8.DecodeRuneInString(p.in[p.at:])
		b.WriteString(p.in[p.at : p.at+size])
		p.at += size
	}
	parts[len(parts)-1] = b.String()
	if p.at == start {
		return nil, p.fail("%s was not expected here", p.here())
	}
	return parts, nil
}

func (p *parser) endsWord(c byte, start int) bool {
	switch c {
	case ' ', '\t', '\n', '\r', '(', ')', '[', ']', '{', '}', '"', ':', '^', '~':
		return true
	case '+', '-', '!', '/', '=', '>', '<':
		return p.at == start
	case '|':
		return strings.HasPrefix(p.in[p.at:], "||")
	case '&':
		return strings.HasPrefix(p.in[p.at:], "&&")
	}
	return strings.HasPrefix(p.in[p.at:], "\u3000")
}

func (p *parser) quoted() (string, error) {
	p.at++
	var b strings.Builder
	for !p.end() {
		c := p.in[p.at]
		p.at++
		switch {
		case c == '"':
			return b.String(), nil
		case c == '\\' && !p.end():
			b.WriteByte(p.in[p.at])
			p.at++
		default:
			b.WriteByte(c)
		}
	}
	return "", p.fail("the quotes are not closed")
}

func (p *parser) regexp(field string) (Node, error) {
	from := p.at + 1
	for i := from; i < len(p.in); i++ {
		switch p.in[i] {
		case '\\':
			i++
		case '/':
			expr := strings.ReplaceAll(p.in[from:i], `\/`, "/")
			if _, err := regexp.Compile(expr); err != nil {
				return nil, p.fail("the regular expression cannot be read: %v", err)
			}
			p.at = i + 1
			return Term{Field: field, Text: glob.Literal(expr), Regexp: true}, p.suffix()
		}
	}
	return nil, p.fail("the regular expression is not closed")
}

func (p *parser) between(field string) (Node, error) {
	r := Range{Field: field, Above: p.in[p.at] == '{'}
	p.at++
	p.space()
	var err error
	if r.Low, r.QuotedLow, err = p.bound(); err != nil {
		return nil, err
	}
	if !p.word("TO") {
		return nil, p.fail("TO is missing in a range")
	}
	if r.High, r.QuotedH, err = p.bound(); err != nil {
		return nil, err
	}
	if p.end() || p.in[p.at] != ']' && p.in[p.at] != '}' {
		return nil, p.fail("a ] or } is missing")
	}
	r.Below = p.in[p.at] == '}'
	p.at++
	return r, p.suffix()
}

func (p *parser) bound() (s string, isQuoted bool, err error) {
	if !p.end() && p.in[p.at] == '"' {
		s, err = p.quoted()
		p.space()
		return s, true, err
	}
	var b strings.Builder
	for !p.end() && !strings.ContainsRune(" \t\n\r]}", rune(p.in[p.at])) {
		if p.in[p.at] == '\\' && p.at+1 < len(p.in) {
			p.at++
		}
		_, size := utf8.DecodeRuneInString(p.in[p.at:])
		b.WriteString(p.in[p.at : p.at+size])
		p.at += size
	}
	p.space()
	if b.Len() == 0 {
		return "", false, p.fail("a bound is missing in a range")
	}
	return b.String(), false, nil
}

// compare reads >10, >=10, <10 and <=10.
func (p *parser) compare(field string) (Node, error) {
	op := p.in[p.at]
	p.at++
	equal := p.take("=")
	s, isQuoted, err := "", false, error(nil)
	if !p.end() && p.in[p.at] == '"' {
		s, err = p.quoted()
		isQuoted = true
	} else {
		var text glob.Pattern
		text, err = p.text()
		s = text.Literal()
	}
	if err != nil {
		return nil, err
	}
	r := Range{Field: field, Low: s, High: "*", Above: !equal, QuotedLow: isQuoted}
	if op == '<' {
		r = Range{Field: field, Low: "*", High: s, Below: !equal, QuotedH: isQuoted}
	}
	return r, p.suffix()
}
