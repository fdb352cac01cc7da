package grok

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escape reads what a backslash begins, outside of a bracket class.
func (p *parser) escape() (*node, error) {
	p.i++
	if !p.more() {
		return nil, p.refuse("the expression ends with a backslash", `write \\ for the character`)
	}
	c := p.s[p.i]
	switch c {
	case 'A':
		p.i++
		return &node{kind: nTextStart}, nil
	case 'z':
		p.i++
		return &node{kind: nTextEnd}, nil
	case 'Z':
		p.i++
		return &node{kind: nTextEndNL}, nil
	case 'b':
		p.i++
		return &node{kind: nBoundary}, nil
	case 'B':
		p.i++
		return &node{kind: nNoBoundary}, nil
	case 'R':
		p.i++
		single := &node{kind: nSet, set: setOf(charRange{'\n', '\r'}, charRange{0x85, 0x85}, charRange{0x2028, 0x2029})}
		return &node{kind: nAtomic, subs: []*node{{kind: nAlternate, subs: []*node{{kind: nLiteral, text: "\r\n"}, single}}}}, nil
	case 'k':
		return p.namedBackref()
	case 'G', 'K', 'X', 'g':
		return nil, p.refuse(fmt.Sprintf(`\%c is not carried out`, c), "write it with groups and lookarounds")
	}
	if c >= '1' && c <= '9' {
		digits := 1
		for digits < 3 && p.i+digits < len(p.s) && p.s[p.i+digits] >= '0' && p.s[p.i+digits] <= '9' {
			digits++
		}
		n := p.backref(p.s[p.i : p.i+digits])
		p.i += digits
		return n, nil
	}
	if s, ok, err := p.escapedSet(); ok || err != nil {
		return p.setNode(s), err
	}
	r, err := p.escapedChar()
	if err != nil {
		return nil, err
	}
	return p.char(r), nil
}

func (p *parser) backref(name string) *node {
	n := &node{kind: nBackref, text: name, fold: p.fold}
	p.pending = append(p.pending, n)
	return n
}

func (p *parser) namedBackref() (*node, error) {
	rest := p.s[p.i+1:]
	closing := byte('>')
	if strings.HasPrefix(rest, "'") {
		closing = '\''
	} else if !strings.HasPrefix(rest, "<") {
		return nil, p.refuse(`\k has no name`, `write \k<name>`)
	}
	end := strings.IndexByte(rest[1:], closing)
	if end <= 0 {
		return nil, p.refuse(`\k has no name`, `write \k<name>`)
	}
	p.i += end + 3
	return p.backref(rest[1 : end+1]), nil
}

// escapedSet reads \d and its like, at the letter.
func (p *parser) escapedSet() (charset, bool, error) {
	sets := map[byte]charset{'d': digits, 'w': wordSet, 's': spaces, 'h': hexSet}
	c := p.s[p.i]
	if s, ok := sets[c]; ok {
		p.i++
		return s, true, nil
	}
	if s, ok := sets[c|0x20]; ok && c != c|0x20 {
		p.i++
		return s.negate(), true, nil
	}
	if c != 'p' && c != 'P' || !strings.HasPrefix(p.s[p.i+1:], "{") {
		return nil, false, nil
	}
	end := strings.IndexByte(p.s[p.i:], '}')
	if end < 0 {
		return nil, false, p.refuse("a property has no end", `write \p{Alpha}`)
	}
	name := p.s[p.i+2 : p.i+end]
	not := c == 'P'
	if rest, ok := strings.CutPrefix(name, "^"); ok {
		name, not = rest, !not
	}
	s, ok := bracketClass(strings.ToLower(name))
	if !ok {
		s, ok = property(name)
	}
	if !ok {
		return nil, false, p.refuse(fmt.Sprintf("property %q is not known", clip(name)), `write \p{Alpha}, \p{L}, \p{Greek} …`)
	}
	p.i += end + 1
	if not {
		s = s.negate()
	}
	return s, true, nil
}

// escapedChar reads \n, \x41, \u00e4, \041 or a character that stands for itself, at what follows the backslash.
func (p *parser) escapedChar() (rune, error) {
	c, size := utf8.DecodeRuneInString(p.s[p.i:])
	p.i += size
	switch c {
	case 'n':
		return '\n', nil
	case 't':
		return '\t', nil
	case 'r':
		return '\r', nil
	case 'f':
		return '\f', nil
	case 'v':
		return '\v', nil
	case 'a':
		return '\a', nil
	case 'e':
		return 0x1b, nil
	case 'x':
		if p.take("{") {
			end := strings.IndexByte(p.s[p.i:], '}')
			if end < 0 {
				return 0, p.refuse(`\x{ has no end`, `write \x{e4}`)
			}
			digits := p.s[p.i : p.i+end]
			p.i += end + 1
			return p.codePoint(digits)
		}
		return p.codePoint(p.hexDigits(2))
	case 'u':
		return p.codePoint(p.hexDigits(4))
	case '0':
		n := 0
		for n < 2 && p.i+n < len(p.s) && p.s[p.i+n] >= '0' && p.s[p.i+n] <= '7' {
			n++
		}
		v, _ := strconv.ParseUint("0"+p.s[p.i:p.i+n], 8, 32)
		p.i += n
		return rune(v), nil
	case 'c':
		if p.more() {
			p.i++
			return rune(p.s[p.i-1] & 0x1f), nil
		}
	}
	return c, nil
}

func (p *parser) hexDigits(most int) string {
	n := 0
	for n < most && p.i+n < len(p.s) && hexSet.contains(rune(p.s[p.i+n])) {
		n++
	}
	p.i += n
	return p.s[p.i-n : p.i]
}

func (p *parser) codePoint(digits string) (rune, error) {
	v, err := strconv.ParseUint(digits, 16, 32)
	if err != nil || v > unicode.MaxRune || v >= 0xd800 && v < 0xe000 {
		return 0, p.refuse(fmt.Sprintf("%q is no code point in hexadecimal", clip(digits)), `write \x41 or \x{1f600}`)
	}
	return rune(v), nil
}

// class reads a bracket class behind its [.
func (p *parser) class(depth int) (charset, error) {
	if depth > maxDepth {
		return nil, p.refuse(fmt.Sprintf("classes are more than %d levels deep", maxDepth), "write the class flatter")
	}
	not := p.take("^")
	var current charset
	var both *charset // left side of &&
	for first := true; ; first = false {
		if !p.more() {
			return nil, p.refuse("a bracket class is not closed", "close it with ], or write \\[ for the character")
		}
		if p.s[p.i] == ']' && !first {
			p.i++
			break
		}
		if p.take("&&") {
			left := current.normal()
			if both != nil {
				left = both.intersect(left)
			}
			both, current = &left, nil
			continue
		}
		add, err := p.classItem(depth)
		if err != nil {
			return nil, err
		}
		current = append(current, add...)
	}
	s := current.normal()
	if both != nil {
		s = both.intersect(s)
	}
	if p.fold {
		s = s.fold()
	}
	if not {
		s = s.negate()
	}
	return s, nil
}

func (p *parser) classItem(depth int) (charset, error) {
	if p.s[p.i] == '[' {
		if s, ok, err := p.posixClass(); ok || err != nil {
			return s, err
		}
		p.i++
		return p.class(depth + 1)
	}
	low, set, err := p.classChar()
	if err != nil || set != nil {
		return set, err
	}
	if strings.HasPrefix(p.s[p.i:], "-") && len(p.s) > p.i+1 && p.s[p.i+1] != ']' {
		before := p.i
		p.i++
		if p.s[p.i] == '[' {
			p.i = before
			return setOf(charRange{low, low}), nil
		}
		high, set, err := p.classChar()
		switch {
		case err != nil:
			return nil, err
		case set != nil: // [a-\d] is a, - and the digits
			return append(set, charRange{low, low}, charRange{'-', '-'}), nil
		case high < low:
			return nil, p.refuse(fmt.Sprintf("the range %c-%c is empty", low, high), "write the smaller character first, or - at the end of the class")
		}
		return setOf(charRange{low, high}), nil
	}
	return setOf(charRange{low, low}), nil
}

// classChar reads one character of a class, or a set such as \d.
func (p *parser) classChar() (rune, charset, error) {
	if p.s[p.i] != '\\' {
		c, n := utf8.DecodeRuneInString(p.s[p.i:])
		p.i += n
		return c, nil, nil
	}
	p.i++
	if !p.more() {
		return 0, nil, p.refuse("the expression ends with a backslash", `write \\ for the character`)
	}
	if p.take("b") {
		return '\b', nil, nil
	}
	if s, ok, err := p.escapedSet(); ok || err != nil {
		return 0, s, err
	}
	c, err := p.escapedChar()
	return c, nil, err
}

func (p *parser) posixClass() (charset, bool, error) {
	rest, ok := strings.CutPrefix(p.s[p.i:], "[:")
	if !ok {
		return nil, false, nil
	}
	end := strings.Index(rest, ":]")
	if end < 0 || end > 10 {
		return nil, false, nil
	}
	name, not := strings.CutPrefix(rest[:end], "^")
	s, ok := bracketClass(name)
	if !ok {
		return nil, false, p.refuse(fmt.Sprintf("class [:%s:] is not known", clip(name)), "write [:alnum:], [:alpha:], [:digit:], [:space:] …")
	}
	p.i += end + 4
	if not {
		s = s.negate()
	}
	return s, true, nil
}
