package eventdb

import (
	"bytes"
	"math"
	"slices"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// filter is a tree of conditions, ready to be asked of blocks by one goroutine.
type filter struct {
	op     event.Op
	of     []*filter
	leaf   *event.Condition
	f      event.Filter
	words  []uint64 // hashes of words that a value must have to match
	needle needle   // text that a value must have to match
	hex    []byte   // equals: the value as hexadecimal digits
	block  [bloomBlock]byte
	exact  string // equals with one value that is text: its text
}

func newFilter(f event.Filter) (*filter, error) {
	n := &filter{op: f.Op, f: f}
	switch f.Op {
	case event.OpAnd, event.OpOr, event.OpNot, event.OpSome:
		for _, of := range f.Of {
			sub, err := newFilter(of)
			if err != nil {
				return nil, err
			}
			n.of = append(n.of, sub)
		}
		return n, nil
	}
	leaf, err := f.Compile()
	if err != nil {
		return nil, err
	}
	n.leaf = leaf
	n.words, n.needle = wantedWords(f), newNeedle(f)
	if f.Op == event.OpEquals && !f.Fold {
		// Bytes that are written as digits are no number, text of these digits is.
		if k := f.Values[0].Key(); k.Type() == event.TypeString && event.String(k.Text()).Key() == k {
			n.exact = k.Text()
		} else if f.Values[0].Type() == event.TypeString {
			n.exact = f.Values[0].Text()
		}
		if raw, ok := parseHex(nil, n.exact); ok && n.exact != "" {
			n.hex = raw
		}
	}
	return n, nil
}

// wantedWords are words that every matching text has.
func wantedWords(f event.Filter) []uint64 {
	var words []string
	text := f.Text
	switch f.Op {
	case event.OpEquals:
		// Only a value that is no number has one text: 5 is also "5.0".
		if k := f.Values[0].Key(); k.Type() == event.TypeString {
			text = k.Text()
		} else {
			return nil
		}
		fallthrough
	case event.OpPhrase:
		event.Words(text, func(w string) bool {
			words = append(words, strings.Clone(w))
			return len(words) < 8
		})
	case event.OpContains, event.OpPrefix:
		words = wholeWords(text, f.Op == event.OpPrefix)
	case event.OpWildcard:
		parts, _ := event.WildcardParts(text)
		for i, part := range parts {
			words = append(words, wholeWords(part, i == 0)...)
		}
		words = words[:min(len(words), 8)]
	}
	hashes := make([]uint64, 0, len(words))
	for _, w := range words {
		hashes = append(hashes, wordHash(w))
	}
	return hashes
}

// wholeWords are the words of a part of a text that surely end in it: the last
// may go on outside, and the first may begin there unless the part is the start.
func wholeWords(text string, start bool) []string {
	for _, r := range text {
		if r >= 0x80 { // letters of other scripts fold in ways that words and parts may not share
			return nil
		}
	}
	i, j := 0, len(text)
	for !start && i < j && isWordChar(text[i]) {
		i++
	}
	for j > i && isWordChar(text[j-1]) {
		j--
	}
	var words []string
	event.Words(text[i:j], func(w string) bool {
		words = append(words, strings.Clone(w))
		return len(words) < 8
	})
	return words
}

// bits are the rows that match.
func (f *filter) bits(l *looking) (bitset, error) {
	if err := l.over(); err != nil {
		return nil, err
	}
	out := newBitset(l.n)
	switch f.op {
	case event.OpAll:
		out.fill(l.n)
		return out, nil
	case event.OpNot:
		b, err := f.of[0].bits(l)
		if err != nil {
			return nil, err
		}
		b.not(l.n)
		return b, nil
	case event.OpAnd, event.OpOr:
		return f.bitsOf(l, out)
	case event.OpSome:
		return f.bitsOfSome(l, out)
	}
	if event.IsFieldPattern(f.f.Field) {
		one := newBitset(l.n) // a field's own: what matched in others must stay
		for _, name := range l.names() {
			if event.MatchWildcard(f.f.Field, name) {
				if err := l.over(); err != nil {
					return nil, err
				}
				one.clear()
				if err := f.field(l, name, one); err != nil {
					return nil, err
				}
				out.or(one)
			}
		}
		return out, nil
	}
	return out, f.field(l, f.f.Field, out)
}

// bitsOf joins the operands of and, or. Those that the index answers cost
// nothing, and an and that has no rows left reads no more.
func (f *filter) bitsOf(l *looking, out bitset) (bitset, error) {
	and := f.op == event.OpAnd
	if and {
		out.fill(l.n)
	}
	for _, of := range f.of {
		v, err := of.rule(l.block)
		if err != nil {
			return nil, err
		}
		if v == none || v == all {
			if and == (v == none) {
				out.clear()
				if !and {
					out.fill(l.n)
				}
				return out, nil
			}
			continue
		}
		b, err := of.bits(l)
		if err != nil {
			return nil, err
		}
		if and {
			out.and(b)
			if !slices.ContainsFunc(out, func(w uint64) bool { return w != 0 }) {
				return out, nil
			}
		} else {
			out.or(b)
		}
	}
	return out, nil
}

// field sets the rows of out, which is empty, whose value under a name matches.
func (f *filter) field(l *looking, name string, out bitset) error {
	v, err := f.ruleField(l.block, name)
	if err != nil || v == none {
		return err
	}
	if v == all {
		out.fill(l.n)
		return nil
	}
	c, err := l.column(name)
	if err != nil || c == nil {
		return err
	}
	f.column(c, out)
	return nil
}

func (f *filter) column(c *column, out bitset) {
	switch c.shape {
	case shapeDict:
		f.dict(c, out)
		return
	case shapeInts:
		if low, high, ok := f.intRange(c.typ); ok {
			for i, x := range c.ints {
				if x >= low && x <= high {
					out.set(i)
				}
			}
			c.onlyPresent(out)
			return
		}
	case shapeHex:
		if f.op == event.OpEquals && !f.f.Fold && f.exact != "" {
			f.equalHex(c, out)
			return
		}
	case shapePrefixed:
		if f.needle.cannotBeIn(c.prefix) {
			return
		}
	case shapeTexts:
		if f.texts(c, out) {
			return
		}
	}
	for i := range c.n {
		if c.has(i) && f.leaf.Match(c.value(i)) {
			out.set(i)
		}
	}
}

// onlyPresent takes rows without a value away again. out must have had none
// before that the column does not have.
func (c *column) onlyPresent(out bitset) {
	if c.present != nil {
		out.and(c.present)
	}
}

func (f *filter) dict(c *column, out bitset) {
	if len(c.dict) == 1 || c.codes == nil {
		if f.entry(c.dict[0]) {
			out.fill(c.n)
		}
		return
	}
	yes := make([]bool, len(c.dict))
	found := false
	for i, v := range c.dict {
		yes[i] = f.entry(v)
		found = found || yes[i]
	}
	if !found {
		return
	}
	for i, code := range c.codes {
		if yes[code] {
			out.set(i)
		}
	}
}

// entry tells whether a value matches.
func (f *filter) entry(v event.Value) bool {
	if f.exact != "" && f.op == event.OpEquals && !f.f.Fold && v.Type() == event.TypeString {
		return v.Text() == f.exact
	}
	return f.leaf.Match(v)
}

// intRange is the range of whole numbers that match, if that is all there is to
// the filter.
func (f *filter) intRange(t event.Type) (low, high int64, ok bool) {
	low, high = math.MinInt64, math.MaxInt64
	if t == event.TypeBool {
		return 0, 0, false
	}
	switch f.op {
	case event.OpEquals:
		k := f.f.Values[0].Key()
		if f.f.Fold || k.Type() != event.TypeInt {
			return 0, 0, false
		}
		return k.Int64(), k.Int64(), true
	case event.OpRange:
		if b := f.f.Min; b != nil {
			k := event.NumberKey(*b)
			if k.Type() != event.TypeInt || f.f.Above && k.Int64() == math.MaxInt64 {
				return 0, 0, false
			}
			if low = k.Int64(); f.f.Above {
				low++
			}
		}
		if b := f.f.Max; b != nil {
			k := event.NumberKey(*b)
			if k.Type() != event.TypeInt || f.f.Below && k.Int64() == math.MinInt64 {
				return 0, 0, false
			}
			if high = k.Int64(); f.f.Below {
				high--
			}
		}
		return low, high, true
	}
	return 0, 0, false
}

func (f *filter) equalHex(c *column, out bitset) {
	if len(f.hex) != c.width || c.width == 0 {
		return
	}
	for i := range c.n {
		if bytes.Equal(c.raw[i*c.width:(i+1)*c.width], f.hex) {
			out.set(i)
		}
	}
	c.onlyPresent(out)
}
