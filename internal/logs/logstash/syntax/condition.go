package syntax

import (
	"fmt"
	"strings"
)

func (p *parser) branch(at int) (Statement, *mistake) {
	b := &Branch{Pos: p.place(at)}
	for {
		p.blanks()
		c, err := p.condition()
		if err != nil {
			return nil, err
		}
		body, err := p.block("if")
		if err != nil {
			return nil, err
		}
		b.Cases = append(b.Cases, Case{c, body})
		before := p.i
		p.blanks()
		if !p.keyword("else") {
			if strings.HasPrefix(p.s[p.i:], "elsif") || strings.HasPrefix(p.s[p.i:], "elseif") {
				return nil, p.wrong("else if is two words", "write else if")
			}
			p.i = before
			return b, nil
		}
		p.blanks()
		if p.keyword("if") {
			continue
		}
		body, err = p.block("else")
		if err != nil {
			return nil, err
		}
		b.Cases = append(b.Cases, Case{nil, body})
		return b, nil
	}
}

func (p *parser) block(of string) ([]Statement, *mistake) {
	p.blanks()
	if !p.take("{") {
		return nil, p.wrong(fmt.Sprintf("behind the condition of %s here is %s, not { or and, or, xor, nand", of, p.found()), "write "+of+" … { … }")
	}
	return p.statements()
}

// condition reads operands joined by and, or, xor and nand, of which and and nand bind tighter; equals go from left to right.
func (p *parser) condition() (Condition, *mistake) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	left, err := p.conjunction()
	if err != nil {
		return nil, err
	}
	for {
		operator := p.operator("or", "xor")
		if operator == "" {
			return left, nil
		}
		right, err := p.conjunction()
		if err != nil {
			return nil, err
		}
		left = &Logic{operator, left, right}
	}
}

func (p *parser) conjunction() (Condition, *mistake) {
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	for {
		operator := p.operator("and", "nand")
		if operator == "" {
			return left, nil
		}
		right, err := p.operand()
		if err != nil {
			return nil, err
		}
		left = &Logic{operator, left, right}
	}
}

func (p *parser) operator(words ...string) string {
	before := p.i
	p.blanks()
	for _, w := range words {
		if p.keyword(w) {
			p.blanks()
			return w
		}
	}
	p.i = before
	return ""
}

func (p *parser) operand() (Condition, *mistake) {
	switch {
	case p.peek() == '(':
		return p.group()
	case p.peek() == '!':
		p.i++
		p.blanks()
		switch p.peek() {
		case '(':
			g, err := p.group()
			if err != nil {
				return nil, err
			}
			return &Not{g}, nil
		case '[':
			s, err := p.selector()
			if err != nil {
				return nil, err
			}
			return &Not{&Truth{s}}, nil
		}
		return nil, p.wrong("behind ! here is "+p.found()+", not ( or a field", "write !(condition) or ![field]")
	}
	left, err := p.rvalue()
	if err != nil {
		return nil, err
	}
	at := p.i
	p.blanks()
	place := p.place(p.i)
	operator := p.comparison()
	if operator == "" {
		p.i = at
		return &Truth{left}, nil
	}
	p.blanks()
	right, err := p.rvalue()
	if err != nil {
		return nil, err
	}
	if operator == "=~" || operator == "!~" {
		switch right.(type) {
		case *String, *Regexp:
		default:
			return nil, p.wrong("the right side of "+operator+" is neither a /regexp/ nor a text", "write [field] "+operator+" /expression/")
		}
	}
	return &Comparison{place, operator, left, right}, nil
}

func (p *parser) group() (Condition, *mistake) {
	open := p.i
	p.i++
	p.blanks()
	inner, err := p.condition()
	if err != nil {
		return nil, err
	}
	p.blanks()
	if !p.take(")") {
		if p.i >= len(p.s) {
			p.i = open
		}
		return nil, p.wrong("the condition in parentheses is not closed", "add the )")
	}
	return &Group{inner}, nil
}

// comparison takes an operator between two values.
func (p *parser) comparison() string {
	for _, o := range []string{"==", "!=", "<=", ">=", "=~", "!~", "<", ">"} {
		if p.take(o) {
			return o
		}
	}
	if p.keyword("in") {
		return "in"
	}
	before := p.i
	if p.keyword("not") {
		if p.blanks(); p.keyword("in") {
			return "not in"
		}
		p.i = before
	}
	return ""
}

// rvalue is what may stand in a condition: a text, a number, a field, a list or an expression.
func (p *parser) rvalue() (Value, *mistake) {
	at := p.i
	switch c := p.peek(); {
	case c == '"' || c == '\'':
		s, err := p.quoted()
		if err != nil {
			return nil, err
		}
		return s, nil
	case c == '/':
		return p.regexp()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case c == '[':
		if s, err := p.selector(); err == nil {
			return s, nil
		}
		p.i = at
		return p.array()
	case isNameRune(rune(c)):
		word := p.word()
		if p.blanks(); p.peek() == '(' {
			p.i = at
			return nil, p.wrong(fmt.Sprintf("%s() is not carried out: Logstash has no functions in conditions either", word), "compare fields instead")
		}
		p.i = at
		return nil, p.wrong(fmt.Sprintf("%q in a condition is neither a field nor a text", word), fmt.Sprintf("write [%s] for the field or %q for the text", word, word))
	}
	return nil, p.wrong("here is "+p.found()+", not a condition", `write [field] == "text", "text" in [field], [field] =~ /expression/ …`)
}

// selector reads [a][b].
func (p *parser) selector() (Value, *mistake) {
	at := p.i
	for p.peek() == '[' {
		end := strings.IndexAny(p.s[p.i+1:], "[],")
		if end < 1 || p.s[p.i+1+end] != ']' || isQuoted(p.s[p.i+1:p.i+1+end]) {
			if p.i > at {
				break
			}
			return nil, p.wrong("here is "+p.found()+", not a field", "write [field] or [outer][inner]")
		}
		p.i += end + 2
	}
	return &Selector{p.place(at), p.s[at:p.i]}, nil
}

// isQuoted tells a list of one text, ["a"], from a field.
func isQuoted(s string) bool {
	s = strings.TrimSpace(s)
	return len(s) > 1 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0]
}

func (p *parser) regexp() (Value, *mistake) {
	at := p.i
	for i := p.i + 1; i < len(p.s); i++ {
		switch p.s[i] {
		case '\\':
			if i+1 < len(p.s) && p.s[i+1] == '/' {
				i++
			}
		case '/':
			p.i = i + 1
			return &Regexp{p.place(at), p.s[at+1 : i]}, nil
		}
	}
	return nil, p.wrong("this expression is not closed: the file ends before the /", `close it with /; \/ does not close it`)
}
