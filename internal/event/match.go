package event

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Condition is a leaf of a Filter, ready to look at values.
type Condition struct {
	filter Filter
	match  func(Value) bool // of one value that is no List and not null
	keys   map[Value]bool   // equals, in without fold: the keys that match
}

// Compile prepares a leaf (not and, or, not) of a valid Filter.
func (f Filter) Compile() (*Condition, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	c := &Condition{filter: f}
	switch f.Op {
	case OpAll, OpExists:
		c.match = func(Value) bool { return true }
	case OpEquals, OpIn:
		c.compileIn()
	case OpRange:
		c.match = rangeMatch(f)
	case OpRegexp:
		expr := f.Text
		if f.Fold {
			expr = "(?i)" + expr
		}
		re, err := regexp.Compile(expr)
		if err != nil {
			return nil, badFilter(f, "cannot be read: %v", err)
		}
		c.match = func(v Value) bool { return re.MatchString(v.String()) }
	case OpPhrase:
		p := newPhrase(f.Text)
		c.match = func(v Value) bool { return p.match(v.String()) }
	case OpPrefix, OpWildcard, OpContains:
		c.match = textMatch(f)
	}
	return c, nil
}

// Filter is what c was compiled from.
func (c *Condition) Filter() Filter { return c.filter }

// Keys are the keys that an equals or in without Fold matches; nil for others.
func (c *Condition) Keys() map[Value]bool { return c.keys }

// Match tells whether a value satisfies c; null never does.
func (c *Condition) Match(v Value) bool {
	switch v.typ {
	case TypeNull:
		return false
	case TypeList:
		for item := range v.items {
			if c.match(String(item)) {
				return true
			}
		}
		return false
	}
	return c.match(v)
}

func (c *Condition) compileIn() {
	if c.filter.Fold {
		folded := map[string]bool{}
		for _, v := range c.filter.Values {
			folded[strings.ToLower(v.Key().String())] = true
		}
		c.match = func(v Value) bool { return folded[strings.ToLower(v.Key().String())] }
		return
	}
	c.keys = make(map[Value]bool, len(c.filter.Values))
	for _, v := range c.filter.Values {
		if !v.IsNull() {
			c.keys[v.Key()] = true
		}
	}
	c.match = func(v Value) bool { return c.keys[v.Key()] }
}

func textMatch(f Filter) func(Value) bool {
	fold := func(s string) string { return s }
	if f.Fold {
		fold = strings.ToLower
	}
	want := fold(f.Text)
	switch f.Op {
	case OpPrefix:
		return func(v Value) bool { return strings.HasPrefix(fold(v.String()), want) }
	case OpContains:
		return func(v Value) bool { return strings.Contains(fold(v.String()), want) }
	}
	w := newWildcard(want)
	return func(v Value) bool { return w.match(fold(v.String())) }
}

// rangeMatch makes the test of a range. Each bound that is a number bounds
// numbers, each other bound bounds text.
func rangeMatch(f Filter) func(Value) bool {
	low, high := boundTest(f.Min, f.Above, 1), boundTest(f.Max, f.Below, -1)
	return func(v Value) bool { return low(v) && high(v) }
}

// boundTest tests one bound; sign is 1 for a lower and -1 for an upper one.
func boundTest(bound *Value, open bool, sign int) func(Value) bool {
	if bound == nil {
		return func(Value) bool { return true }
	}
	within := func(c int) bool { return c*sign > 0 || c == 0 && !open }
	b := NumberKey(*bound)
	if b.IsNull() {
		text := bound.String()
		return func(v Value) bool {
			k := v.Key()
			return k.typ == TypeString && within(strings.Compare(k.str, text))
		}
	}
	if b.typ == TypeFloat && b.float() != b.float() {
		return func(Value) bool { return false }
	}
	return func(v Value) bool {
		n := NumberKey(v)
		return !n.IsNull() && (n.typ != TypeFloat || n.float() == n.float()) && within(n.Compare(b))
	}
}

// NumberKey is the key of a value that counts as a number in ranges: numbers,
// durations, times, and text that reads as a decimal number; null for all
// others, truth values among them.
func NumberKey(v Value) Value {
	switch v.typ {
	case TypeInt, TypeDuration, TypeTime, TypeFloat:
		return v.Key()
	case TypeString:
		if k := v.Key(); k.typ != TypeString {
			return k
		}
		if f, ok := parseNumber(v.str); ok {
			return floatKey(f)
		}
	}
	return Value{}
}

// MatchWildcard tells whether the whole of text matches a pattern in which * is
// any text, ? any character, and \ takes the next character literally.
func MatchWildcard(pattern, text string) bool {
	var back, mark string // where the last * goes on: pattern after it, text tried from
	star := false
	for {
		if pattern != "" && pattern[0] == '*' {
			star, pattern = true, pattern[1:]
			if pattern == "" {
				return true
			}
			back, mark = pattern, text
			continue
		}
		if text == "" {
			return pattern == ""
		}
		if rest, used, ok := wildcardStep(pattern, text); ok {
			pattern, text = rest, text[used:]
			continue
		}
		if !star || mark == "" {
			return false
		}
		_, size := utf8.DecodeRuneInString(mark)
		mark = mark[size:]
		pattern, text = back, mark
	}
}

// wildcardStep matches one element of pattern, which is no *.
func wildcardStep(pattern, text string) (rest string, used int, ok bool) {
	if pattern == "" {
		return "", 0, false
	}
	if pattern[0] == '?' {
		_, size := utf8.DecodeRuneInString(text)
		return pattern[1:], size, true
	}
	if pattern[0] == '\\' && len(pattern) > 1 {
		pattern = pattern[1:]
	}
	return pattern[1:], 1, pattern[0] == text[0]
}

// Matcher tells of single events whether they match a filter.
type Matcher struct {
	filter Filter
	leaf   *Condition
	of     []*Matcher
}

// NewMatcher prepares a filter.
func NewMatcher(f Filter) (*Matcher, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	m := &Matcher{filter: f}
	switch f.Op {
	case OpAnd, OpOr, OpNot, OpSome:
		for _, of := range f.Of {
			sub, err := NewMatcher(of)
			if err != nil {
				return nil, err
			}
			m.of = append(m.of, sub)
		}
		return m, nil
	}
	leaf, err := f.Compile()
	m.leaf = leaf
	return m, err
}

// Match tells whether e matches.
func (m *Matcher) Match(e *Event) bool {
	switch m.filter.Op {
	case OpAll:
		return true
	case OpAnd:
		for _, of := range m.of {
			if !of.Match(e) {
				return false
			}
		}
		return true
	case OpOr:
		for _, of := range m.of {
			if of.Match(e) {
				return true
			}
		}
		return false
	case OpNot:
		return !m.of[0].Match(e)
	case OpSome:
		missing := m.filter.Least
		for _, of := range m.of {
			if of.Match(e) {
				if missing--; missing == 0 {
					return true
				}
			}
		}
		return false
	}
	if !IsFieldPattern(m.filter.Field) {
		return m.leaf.Match(e.Get(m.filter.Field))
	}
	for name, v := range e.All {
		if MatchWildcard(m.filter.Field, name) && m.leaf.Match(v) {
			return true
		}
	}
	return false
}

// IsFieldPattern tells whether a field of a filter is a pattern for names.
func IsFieldPattern(field string) bool { return strings.Contains(field, "*") }
