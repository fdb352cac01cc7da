package grok

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// kind tells what a node of an expression's tree is.
type kind uint8

const (
	nEmpty      kind = iota
	nLiteral         // text
	nSet             // one character of set
	nLineStart       // ^
	nLineEnd         // $
	nTextStart       // \A
	nTextEnd         // \z
	nTextEndNL       // \Z: the end, or before a line break that ends the text
	nBoundary        // \b
	nNoBoundary      // \B
	nConcat          // subs in order
	nAlternate       // the first of subs that fits
	nRepeat          // subs[0], min to max times
	nCapture         // subs[0], remembered as number
	nAtomic          // subs[0], never gone back into
	nAhead           // (?=, (?! with not
	nBehind          // (?<=, (?<! with not
	nBackref         // what number remembered
)

// node is one part of an expression: Oniguruma's Ruby syntax, which grok patterns are written in.
type node struct {
	kind     kind
	text     string
	set      charset
	subs     []*node
	min, max int // max -1: without end
	lazy     bool
	owned    bool // possessive
	not      bool
	number   int
	fold     bool // nBackref compares without case
}

// maxDepth bounds groups inside groups, maxRepeat a counted repetition.
const (
	maxDepth  = 400
	maxRepeat = 100_000
)

// tree is a parsed expression.
type tree struct {
	root  *node
	names []string // of the captures, from number 1
}

// parse reads an expression. Groups without a name capture only if no group has one.
func parse(expression string) (*tree, error) {
	p := parser{s: expression, named: hasNames(expression)}
	root, err := p.alternation(0)
	if err == nil && p.i < len(p.s) {
		err = p.refuse("a group is closed that was not opened", `write \) for the character`)
	}
	if err != nil {
		return nil, err
	}
	for _, ref := range p.pending {
		if err := p.resolve(ref); err != nil {
			return nil, err
		}
	}
	return &tree{root: root, names: p.names}, nil
}

func hasNames(s string) bool {
	for i := 0; i+3 < len(s); i++ {
		if s[i] == '\\' {
			i++
			continue
		}
		if s[i] == '(' && s[i+1] == '?' && (s[i+2] == '<' && s[i+3] != '=' && s[i+3] != '!' || s[i+2] == '\'') {
			return true
		}
	}
	return false
}

type parser struct {
	s       string
	i       int
	named   bool
	names   []string
	pending []*node // back references, whose names may stand further on
	noDot   bool    // . does not match a line break: (?-m)
	fold    bool
	free    bool // (?x): blanks and comments are skipped
}

func (p *parser) refuse(message, mend string) error {
	from := max(0, p.i-12)
	return problem.New(problem.Invalid, "at %q: %s", clip(p.s[from:]), message).WithMend("%s", mend)
}

func (p *parser) more() bool { return p.i < len(p.s) }

func (p *parser) take(prefix string) bool {
	if strings.HasPrefix(p.s[p.i:], prefix) {
		p.i += len(prefix)
		return true
	}
	return false
}

// alternation reads up to the end or a closing parenthesis. Flags set inside end there.
func (p *parser) alternation(depth int) (*node, error) {
	if depth > maxDepth {
		return nil, p.refuse(fmt.Sprintf("groups are more than %d levels deep", maxDepth), "write the expression flatter")
	}
	noDot, fold, free := p.noDot, p.fold, p.free
	defer func() { p.noDot, p.fold, p.free = noDot, fold, free }()
	var branches []*node
	for {
		branch, err := p.sequence(depth)
		if err != nil {
			return nil, err
		}
		branches = append(branches, branch)
		if !p.take("|") {
			break
		}
	}
	if len(branches) == 1 {
		return branches[0], nil
	}
	return &node{kind: nAlternate, subs: branches}, nil
}

func (p *parser) sequence(depth int) (*node, error) {
	var parts []*node
	for p.more() && p.s[p.i] != '|' && p.s[p.i] != ')' {
		if p.free && p.skipFree() {
			continue
		}
		part, err := p.atom(depth)
		if err != nil {
			return nil, err
		}
		if part == nil { // a flag or a comment
			continue
		}
		if part, err = p.quantified(part); err != nil {
			return nil, err
		}
		if n := len(parts); n > 0 && part.kind == nLiteral && parts[n-1].kind == nLiteral {
			parts[n-1] = &node{kind: nLiteral, text: parts[n-1].text + part.text}
			continue
		}
		parts = append(parts, part)
	}
	switch len(parts) {
	case 0:
		return &node{kind: nEmpty}, nil
	case 1:
		return parts[0], nil
	}
	return &node{kind: nConcat, subs: parts}, nil
}

func (p *parser) skipFree() bool {
	switch c := p.s[p.i]; {
	case strings.IndexByte(" \t\r\n\f\v", c) >= 0:
		p.i++
	case c == '#':
		if end := strings.IndexByte(p.s[p.i:], '\n'); end >= 0 {
			p.i += end + 1
		} else {
			p.i = len(p.s)
		}
	default:
		return false
	}
	return true
}

func (p *parser) char(c rune) *node {
	if p.fold && unicode.SimpleFold(c) != c {
		return &node{kind: nSet, set: setOf(charRange{c, c}).fold()}
	}
	return &node{kind: nLiteral, text: string(c)}
}

func (p *parser) setNode(s charset) *node {
	if p.fold {
		s = s.fold()
	}
	return &node{kind: nSet, set: s}
}

func (p *parser) atom(depth int) (*node, error) {
	switch c := p.s[p.i]; c {
	case '(':
		return p.group(depth)
	case '[':
		p.i++
		s, err := p.class(depth)
		if err != nil {
			return nil, err
		}
		return p.setNode(s), nil
	case '.':
		p.i++
		if p.noDot {
			return &node{kind: nSet, set: notBreak}, nil
		}
		return &node{kind: nSet, set: anyChar}, nil
	case '^':
		p.i++
		return &node{kind: nLineStart}, nil
	case '$':
		p.i++
		return &node{kind: nLineEnd}, nil
	case '\\':
		return p.escape()
	case '*', '+', '?':
		return nil, p.refuse(fmt.Sprintf("%q repeats nothing", c), fmt.Sprintf(`write \%c for the character`, c))
	}
	c, n := utf8.DecodeRuneInString(p.s[p.i:])
	if c == utf8.RuneError && n == 1 {
		return nil, p.refuse("the expression is not valid UTF-8", "save the file as UTF-8")
	}
	p.i += n
	return p.char(c), nil
}

// quantified reads the repetitions behind an atom. A second + or ? behind * + or ? makes it possessive or lazy; behind {…} it is a
// repetition of its own, except that {n,m}? is lazy.
func (p *parser) quantified(n *node) (*node, error) {
	for p.more() {
		for p.free && p.more() && p.skipFree() {
		}
		if !p.more() {
			break
		}
		low, high, counted, ok := p.repetition()
		if !ok {
			break
		}
		if low > maxRepeat || high > maxRepeat {
			return nil, p.refuse(fmt.Sprintf("repeated more than %d times", maxRepeat), "repeat less")
		}
		if high >= 0 && low > high {
			low, high = high, low // as Ruby does
		}
		if n.kind == nLiteral && utf8.RuneCountInString(n.text) > 1 {
			return nil, p.refuse("a repetition applies to more than a character", "put it into a group")
		}
		n = &node{kind: nRepeat, subs: []*node{n}, min: low, max: high}
		switch {
		case p.more() && p.s[p.i] == '?' && (!counted || low != high):
			n.lazy = true
			p.i++
		case p.more() && p.s[p.i] == '+' && !counted:
			n.owned = true
			p.i++
		}
	}
	return n, nil
}

func (p *parser) repetition() (low, high int, counted, ok bool) {
	switch p.s[p.i] {
	case '*':
		p.i++
		return 0, -1, false, true
	case '+':
		p.i++
		return 1, -1, false, true
	case '?':
		p.i++
		return 0, 1, false, true
	case '{':
		end := strings.IndexByte(p.s[p.i:], '}')
		if end < 0 {
			return 0, 0, false, false
		}
		first, second, two := strings.Cut(p.s[p.i+1:p.i+end], ",")
		low, okLow := count(first, 0)
		high, okHigh := low, okLow && first != ""
		if two {
			high, okHigh = count(second, -1)
			okHigh = okHigh && (first != "" || second != "")
		}
		if okLow && okHigh {
			p.i += end + 1
			return low, high, true, true
		}
	}
	return 0, 0, false, false
}

func count(s string, empty int) (int, bool) {
	if s == "" {
		return empty, true
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return math.MaxInt, true
	}
	return n, true
}

func (p *parser) group(depth int) (*node, error) {
	p.i++
	if !p.take("?") {
		if p.named {
			return p.closed(depth, nConcat, false)
		}
		return p.capture("", depth)
	}
	switch {
	case p.take("#"):
		end := strings.IndexByte(p.s[p.i:], ')')
		if end < 0 {
			return nil, p.refuse("a comment has no end", "close it with )")
		}
		p.i += end + 1
		return nil, nil
	case p.take(":"):
		return p.closed(depth, nConcat, false)
	case p.take("="):
		return p.closed(depth, nAhead, false)
	case p.take("!"):
		return p.closed(depth, nAhead, true)
	case p.take("<="):
		return p.closed(depth, nBehind, false)
	case p.take("<!"):
		return p.closed(depth, nBehind, true)
	case p.take(">"):
		return p.closed(depth, nAtomic, false)
	case p.take("<"):
		return p.namedGroup('>', depth)
	case p.take("'"):
		return p.namedGroup('\'', depth)
	case p.take("P<"), p.take("P="):
		return nil, p.refuse("(?P is Python's and Go's way to name a group", "write (?<name>…) or \\k<name>")
	case p.take("("), p.take("~"), p.take("&"), p.take("R"):
		return nil, p.refuse("conditional, absent and recursive groups are not carried out", "write it as an alternation, or as two expressions in match")
	}
	return p.flags(depth)
}

// closed reads a group's content and its parenthesis.
func (p *parser) closed(depth int, k kind, not bool) (*node, error) {
	inner, err := p.alternation(depth + 1)
	if err != nil {
		return nil, err
	}
	if !p.take(")") {
		return nil, p.refuse("a group is not closed", "close it with )")
	}
	if k == nConcat {
		if inner.kind == nLiteral { // a unit for a repetition behind it
			return &node{kind: nConcat, subs: []*node{inner}}, nil
		}
		return inner, nil
	}
	return &node{kind: k, subs: []*node{inner}, not: not}, nil
}

func (p *parser) namedGroup(end byte, depth int) (*node, error) {
	n := strings.IndexByte(p.s[p.i:], end)
	if n <= 0 {
		return nil, p.refuse("a group's name is empty or has no end", "write (?<name>…)")
	}
	name := p.s[p.i : p.i+n]
	if strings.ContainsAny(name, "()\\ ") {
		return nil, p.refuse(fmt.Sprintf("%q is no name for a group", clip(name)), "write (?<name>…)")
	}
	p.i += n + 1
	return p.capture(name, depth)
}

func (p *parser) capture(name string, depth int) (*node, error) {
	p.names = append(p.names, name)
	number := len(p.names)
	inner, err := p.closed(depth, nConcat, false)
	if err != nil {
		return nil, err
	}
	return &node{kind: nCapture, subs: []*node{inner}, number: number}, nil
}

// flags reads (?i) up to the end of the group that it stands in, or (?i:…).
func (p *parser) flags(depth int) (*node, error) {
	noDot, fold, free := p.noDot, p.fold, p.free
	on := true
	for ; p.more(); p.i++ {
		switch p.s[p.i] {
		case '-':
			on = false
		case 'i':
			p.fold = on
		case 'm':
			p.noDot = !on
		case 'x':
			p.free = on
		case 'a', 'd', 'u':
		case ':':
			p.i++
			inner, err := p.closed(depth, nConcat, false)
			p.noDot, p.fold, p.free = noDot, fold, free
			return inner, err
		case ')':
			p.i++
			// What follows, alternatives included, belongs to the flags.
			rest, err := p.alternation(depth + 1)
			return rest, err
		default:
			return nil, p.refuse(fmt.Sprintf("(?%c is not known", p.s[p.i]), "groups are (?:…), (?<name>…), (?>…), (?=…), (?!…), (?<=…), (?<!…) and the flags i, m and x")
		}
	}
	return nil, p.refuse("a group is not closed", "close it with )")
}

// resolve gives a back reference the numbers that its name stands for.
func (p *parser) resolve(n *node) error {
	name := n.text
	if number, err := strconv.Atoi(name); err == nil {
		if number < 0 {
			number += len(p.names) + 1
		}
		if p.named || number < 1 || number > len(p.names) {
			return problem.New(problem.Invalid, "back reference %s has no group", name).WithMend("name the group, (?<name>…), and refer to it as \\k<name>")
		}
		n.number = number
		return nil
	}
	for i, known := range slices.Backward(p.names) {
		if known == name || strings.HasSuffix(known, ":"+name) {
			n.number = i + 1
			return nil
		}
	}
	return problem.New(problem.Invalid, "back reference \\k<%s> has no group", name).WithMend("name the group, (?<%s>…)", name)
}
