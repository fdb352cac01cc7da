package grok

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// charset is a set of characters as sorted, disjoint, non-adjacent ranges.
type charset []charRange

// charRange is both ends included.
type charRange struct{ lo, hi rune }

func setOf(ranges ...charRange) charset { return charset(ranges).normal() }

// normal sorts and joins the ranges.
func (s charset) normal() charset {
	s = slices.Clone(s)
	slices.SortFunc(s, func(a, b charRange) int { return int(a.lo) - int(b.lo) })
	out := s[:0]
	for _, r := range s {
		if n := len(out); n > 0 && r.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, r.hi)
			continue
		}
		out = append(out, r)
	}
	return out
}

func (s charset) union(t charset) charset { return slices.Concat(s, t).normal() }

func (s charset) negate() charset {
	out, next := charset{}, rune(0)
	for _, r := range s {
		if r.lo > next {
			out = append(out, charRange{next, r.lo - 1})
		}
		next = r.hi + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, charRange{next, unicode.MaxRune})
	}
	return out
}

func (s charset) intersect(t charset) charset { return s.negate().union(t.negate()).negate() }

func (s charset) contains(c rune) bool {
	_, found := slices.BinarySearchFunc(s, c, func(r charRange, c rune) int {
		switch {
		case r.hi < c:
			return -1
		case r.lo > c:
			return 1
		}
		return 0
	})
	return found
}

// fold adds the other cases of every character.
func (s charset) fold() charset {
	out := slices.Clone(s)
	for _, r := range s {
		if r.hi-r.lo > 0x2000 { // as good as everything: folding it cannot add what matters
			continue
		}
		for c := r.lo; c <= r.hi; c++ {
			for f := unicode.SimpleFold(c); f != c; f = unicode.SimpleFold(f) {
				out = append(out, charRange{f, f})
			}
		}
	}
	return out.normal()
}

// bytes is the set as the matcher wants it: by first byte for ASCII, and whether characters beyond it belong always, never, or
// must be looked up.
type byteset struct {
	ascii  [256]bool // for 0x80 and above: whether such a character can belong at all
	high   highSet
	ranges charset // for highSome
	most   bool    // every character belongs, or every one but except
	except byte
}

type highSet uint8

const (
	highNone highSet = iota
	highAll
	highSome
)

func (s charset) bytes() *byteset {
	b := &byteset{}
	var high charset
	for _, r := range s {
		for c := r.lo; c <= min(r.hi, utf8.RuneSelf-1); c++ {
			b.ascii[c] = true
		}
		if r.hi >= utf8.RuneSelf {
			high = append(high, charRange{max(r.lo, utf8.RuneSelf), r.hi})
		}
	}
	switch {
	case len(high) == 1 && high[0] == charRange{utf8.RuneSelf, unicode.MaxRune}:
		b.high = highAll
	case len(high) > 0:
		b.high, b.ranges = highSome, high
	}
	if b.high != highNone {
		for c := utf8.RuneSelf; c < 256; c++ {
			b.ascii[c] = true
		}
	}
	missing := 0
	for c := 1; c < utf8.RuneSelf; c++ { // a zero that is missing cannot be told from nothing
		if !b.ascii[c] {
			b.except = byte(c)
			missing++
		}
	}
	b.most = b.high == highAll && b.ascii[0] && missing <= 1
	return b
}

// size is how many bytes of s[i:] are one character of the set, 0 if the next is none.
func (b *byteset) size(s string, i int) int {
	if i >= len(s) || !b.ascii[s[i]] {
		return 0
	}
	if s[i] < utf8.RuneSelf {
		return 1
	}
	c, n := utf8.DecodeRuneInString(s[i:])
	if b.high == highSome && !b.ranges.contains(c) {
		return 0
	}
	return n
}

// The named sets of expressions; \d, \w, \s and \h are ASCII, bracket classes are not.
var (
	digits   = setOf(charRange{'0', '9'})
	wordSet  = setOf(charRange{'0', '9'}, charRange{'A', 'Z'}, charRange{'_', '_'}, charRange{'a', 'z'})
	spaces   = setOf(charRange{'\t', '\r'}, charRange{' ', ' '})
	hexSet   = setOf(charRange{'0', '9'}, charRange{'A', 'F'}, charRange{'a', 'f'})
	anyChar  = setOf(charRange{0, unicode.MaxRune})
	notBreak = setOf(charRange{'\n', '\n'}).negate()
)

// bracketClass is a POSIX class or a property by its lower-case name.
func bracketClass(name string) (charset, bool) {
	switch name {
	case "alnum":
		return tableSet(unicode.Letter, unicode.Mark, unicode.Nd), true
	case "alpha":
		return tableSet(unicode.Letter, unicode.Mark), true
	case "ascii":
		return setOf(charRange{0, 127}), true
	case "blank":
		return tableSet(unicode.Zs).union(setOf(charRange{'\t', '\t'})), true
	case "cntrl":
		return tableSet(unicode.Cc), true
	case "digit":
		return tableSet(unicode.Nd), true
	case "graph":
		return tableSet(unicode.White_Space, unicode.Cc, unicode.Cs).negate(), true
	case "lower":
		return tableSet(unicode.Lower), true
	case "print":
		return tableSet(unicode.Cc, unicode.Cs).negate(), true
	case "punct":
		return tableSet(unicode.Punct).union(setOf(charRange{'$', '$'}, charRange{'+', '+'}, charRange{'<', '>'}, charRange{'^', '^'}, charRange{'`', '`'}, charRange{'|', '|'}, charRange{'~', '~'})), true
	case "space":
		return tableSet(unicode.White_Space), true
	case "upper":
		return tableSet(unicode.Upper), true
	case "xdigit":
		return hexSet, true
	case "word":
		return tableSet(unicode.Letter, unicode.Mark, unicode.Nd, unicode.Pc), true
	case "any":
		return anyChar, true
	}
	return nil, false
}

// property is a Unicode category or script by its name.
func property(name string) (charset, bool) {
	if t, ok := unicode.Categories[name]; ok {
		return tableSet(t), true
	}
	if t, ok := unicode.Scripts[name]; ok {
		return tableSet(t), true
	}
	return nil, false
}

func tableSet(tables ...*unicode.RangeTable) charset {
	var out charset
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			out = append(out, charRange{lo, hi})
			return
		}
		for c := lo; c <= hi; c += stride {
			out = append(out, charRange{c, c})
		}
	}
	for _, t := range tables {
		for _, r := range t.R16 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
		for _, r := range t.R32 {
			add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
		}
	}
	return out.normal()
}
