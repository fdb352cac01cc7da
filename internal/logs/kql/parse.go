package kql

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/daytwo-dev/daytwo/internal/logs/glob"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Limits of a query.
const (
	maxLength = 32 << 10
	maxDepth  = 64
	maxParts  = 1024
)

// Parse reads a query. An error is a problem that names the column.
func Parse(s string) (Node, error) {
	if len(s) > maxLength {
		return nil, problem.New(problem.TooLarge, "the query is longer than %d bytes", maxLength).WithField("query")
	}
	if !utf8.ValidString(s) {
		return nil, problem.New(problem.Invalid, "the query is not valid UTF-8").WithField("query")
	}
	p := &parser{in: s}
	p.space()
	if p.end() {
		return All{}, nil
	}
	n, err := p.or(scope{})
	if err != nil {
		return nil, err
	}
	if !p.end() {
		return nil, p.fail("%s was not expected here", p.here())
	}
	return n, nil
}

type parser struct {
	in    string
	at    int
	depth int
	parts int
}

// scope says what an operand is: a whole expression, or a value of a field.
type scope struct {
	field *Text
}

func (p *parser) end() bool { return p.at >= len(p.in) }

func (p *parser) space() {
	for !p.end() && isSpace(p.in[p.at]) {
		p.at++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

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
	e.Message = "KQL, column " + strconv.Itoa(column) + ": " + e.Message
	e = e.WithField("query").WithColumn(column)
	if p.at > 0 && !p.end() && p.in[p.at] == ':' && !isSpace(p.in[p.at-1]) {
		return e.WithMend(`put a value with a colon in it in quotes, such as "2026-11-27T00:00:00Z"`)
	}
	return e.WithMend(`write field: value, "a phrase", and, or, not; put \ before a special character`)
}

// keyword takes a word of the language if it stands here.
func (p *parser) keyword(word string) bool {
	if !p.isWord(p.at, word) {
		return false
	}
	p.at += len(word)
	p.space()
	return true
}

// isWord says whether the keyword stands at i: as a word, so followed by what
// ends one.
func (p *parser) isWord(i int, word string) bool {
	end := i + len(word)
	if end > len(p.in) || !strings.EqualFold(p.in[i:end], word) {
		return false
	}
	return end == len(p.in) || isSpace(p.in[end]) || p.in[end] == '(' || p.in[end] == ')' || p.in[end] == '}'
}

func (p *parser) take(c byte) bool {
	if p.end() || p.in[p.at] != c {
		return false
	}
	p.at++
	p.space()
	return true
}

func (p *parser) or(s scope) (Node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail("the query is nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	var parts Or
	for {
		n, err := p.and(s)
		if err != nil {
			return nil, err
		}
		if inner, ok := n.(Or); ok {
			parts = append(parts, inner...)
		} else {
			parts = append(parts, n)
		}
		if !p.keyword("or") {
			break
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return parts, nil
}

func (p *parser) and(s scope) (Node, error) {
	var parts And
	for {
		n, err := p.not(s)
		if err != nil {
			return nil, err
		}
		if inner, ok := n.(And); ok {
			parts = append(parts, inner...)
		} else {
			parts = append(parts, n)
		}
		if !p.keyword("and") {
			break
		}
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return parts, nil
}

func (p *parser) not(s scope) (Node, error) {
	if p.parts++; p.parts > maxParts {
		return nil, p.fail("the query has more than %d parts", maxParts)
	}
	if p.keyword("not") {
		if p.depth++; p.depth > maxDepth {
			return nil, p.fail("the query is nested more than %d deep", maxDepth)
		}
		defer func() { p.depth-- }()
		n, err := p.not(s)
		return Not{n}, err
	}
	if p.take('(') {
		n, err := p.or(s)
		if err != nil {
			return nil, err
		}
		if !p.take(')') {
			return nil, p.fail("a ) is missing before %s", p.here())
		}
		return n, nil
	}
	return p.operand(s)
}

// operand reads a value, or a field with what is asked of it.
func (p *parser) operand(s scope) (Node, error) {
	t, err := p.text()
	if err != nil {
		return nil, err
	}
	if s.field != nil {
		return Match{s.field, t}, nil
	}
	if op := p.comparison(); op != "" {
		value, err := p.text()
		if err != nil {
			return nil, err
		}
		return Range{t, op, value}, nil
	}
	if !p.take(':') {
		return Match{nil, t}, nil
	}
	if p.take('{') {
		n, err := p.or(scope{})
		if err != nil {
			return nil, err
		}
		if !p.take('}') {
			return nil, p.fail("a } is missing before %s", p.here())
		}
		return Nested{t, n}, nil
	}
	if p.take('(') {
		n, err := p.or(scope{&t})
		if err != nil {
			return nil, err
		}
		if !p.take(')') {
			return nil, p.fail("a ) is missing before %s", p.here())
		}
		return n, nil
	}
	value, err := p.text()
	return Match{&t, value}, err
}

func (p *parser) comparison() string {
	for _, op := range []string{"<=", ">=", "<", ">"} {
		if strings.HasPrefix(p.in[p.at:], op) {
			p.at += len(op)
			p.space()
			return op
		}
	}
	return ""
}

// text reads a quoted phrase or words.
func (p *parser) text() (Text, error) {
	if !p.end() && p.in[p.at] == '"' {
		return p.quoted()
	}
	parts := glob.Pattern{""}
	var b strings.Builder
	start, gap := p.at, false
	for !p.end() {
		c := p.in[p.at]
		if isSpace(c) {
			gap = true
			p.at++
			continue
		}
		if (gap || p.at == start) && (p.isWord(p.at, "and") || p.isWord(p.at, "or") || p.isWord(p.at, "not")) {
			break
		}
		if c != '*' && c != '\\' && strings.IndexByte(special, c) >= 0 {
			break
		}
		if gap && (b.Len() > 0 || len(parts) > 1) {
			b.WriteByte(' ')
		}
		gap = false
		switch c {
		case '*':
			parts[len(parts)-1] = b.String()
			parts = append(parts, "")
			b.Reset()
			p.at++
		case '\\':
			r, err := p.escaped()
			if err != nil {
				return Text{}, err
			}
			b.WriteString(r)
		default:
			_, size := utf8.DecodeRuneInString(p.in[p.at:])
			b.WriteString(p.in[p.at : p.at+size])
			p.at += size
		}
	}
	parts[len(parts)-1] = b.String()
	if len(parts) == 1 && parts[0] == "" {
		return Text{}, p.fail("a field or a value is missing before %s", p.here())
	}
	return Text{Pattern: parts}, nil
}

// escaped reads what follows a backslash.
func (p *parser) escaped() (string, error) {
	p.at++
	if p.end() {
		return "", p.fail("a lone \\ at the end")
	}
	switch c := p.in[p.at]; c {
	case 't', 'r', 'n':
		if p.isEscapedWord() {
			break
		}
		p.at++
		return map[byte]string{'t': "\t", 'r': "\r", 'n': "\n"}[c], nil
	case 'u':
		if p.at+5 <= len(p.in) {
			if v, err := strconv.ParseUint(p.in[p.at+1:p.at+5], 16, 16); err == nil && utf8.ValidRune(rune(v)) {
				p.at += 5
				return string(rune(v)), nil
			}
		}
	}
	_, size := utf8.DecodeRuneInString(p.in[p.at:])
	if p.isEscapedWord() { // \not is the word not
		size = len("or")
		if !p.isWord(p.at, "or") {
			size = len("and")
		}
	}
	s := p.in[p.at : p.at+size]
	p.at += size
	return s, nil
}

func (p *parser) isEscapedWord() bool {
	return p.isWord(p.at, "and") || p.isWord(p.at, "or") || p.isWord(p.at, "not")
}

func (p *parser) quoted() (Text, error) {
	p.at++
	var b strings.Builder
	for !p.end() {
		switch c := p.in[p.at]; c {
		case '"':
			p.at++
			p.space()
			return Text{Quoted: true, Pattern: glob.Literal(b.String())}, nil
		case '\\':
			p.at++
			if p.end() {
				return Text{}, p.fail("the quotes are not closed")
			}
			c = p.in[p.at]
			switch c {
			case 't', 'r', 'n':
				b.WriteByte(map[byte]byte{'t': '\t', 'r': '\r', 'n': '\n'}[c])
			default:
				b.WriteByte(c)
			}
			p.at++
		default:
			b.WriteByte(c)
			p.at++
		}
	}
	return Text{}, p.fail("the quotes are not closed")
}
