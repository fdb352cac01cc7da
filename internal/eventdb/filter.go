package eventdb

import (
	"bytes"
	"math"
	"slices"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// filter is a tree of conditions, ready to be asked of blocks.
type filter struct {
	op    event.Op
	of    []*filter
	leaf  *event.Condition
	f     event.Filter
	words []uint64 // hashes of words that a value must have to match
	hex   []byte   // equals: the value as hexadecimal digits
	exact string   // equals with one value that is text: its text
}

func newFilter(f event.Filter) (*filter, error) {
	n := &filter{op: f.Op, f: f}
	switch f.Op {
	case event.OpAnd, event.OpOr, event.OpNot:
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
	n.words = wantedWords(f)
	if f.Op == event.OpEquals && !f.Fold {
		if k := f.Values[0].Key(); k.Type() == event.TypeString {
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
	isWord := func(c byte) bool {
		return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	i, j := 0, len(text)
	for !start && i < j && isWord(text[i]) {
		i++
	}
	for j > i && isWord(text[j-1]) {
		j--
	}
	var words []string
	event.Words(text[i:j], func(w string) bool {
		words = append(words, strings.Clone(w))
		return len(words) < 8
	})
	return words
}

// verdict is what the index alone says of a filter on a block.
type verdict int

const (
	some verdict = iota
	none
	all
)

// rule tells what the index says, without reading columns.
func (f *filter) rule(b *block) (verdict, error) {
	switch f.op {
	case event.OpAll:
		return all, nil
	case event.OpNot:
		v, err := f.of[0].rule(b)
		return opposite(v), err
	case event.OpAnd:
		out := all
		for _, of := range f.of {
			v, err := of.rule(b)
			if err != nil || v == none {
				return none, err
			}
			if v == some {
				out = some
			}
		}
		return out, nil
	case event.OpOr:
		out := none
		for _, of := range f.of {
			v, err := of.rule(b)
			if err != nil || v == all {
				return all, err
			}
			if v == some {
				out = some
			}
		}
		return out, nil
	}
	if event.IsFieldPattern(f.f.Field) {
		return f.rulePattern(b)
	}
	return f.ruleField(b, f.f.Field)
}

func opposite(v verdict) verdict {
	switch v {
	case none:
		return all
	case all:
		return none
	}
	return some
}

// rulePattern rules out blocks of which no field can match.
func (f *filter) rulePattern(b *block) (verdict, error) {
	for _, name := range b.names() {
		if !event.MatchWildcard(f.f.Field, name) {
			continue
		}
		v, err := f.ruleField(b, name)
		if err != nil || v != none {
			return v, err
		}
	}
	return none, nil
}

func (f *filter) ruleField(b *block, field string) (verdict, error) {
	if field == event.TimeField {
		return f.ruleNumbers(event.Time(b.minTime), event.Time(b.maxTime), true), nil
	}
	if field == event.IDField {
		if b.meta != nil {
			return f.ruleNumbers(event.Int(b.meta.minID), event.Int(b.meta.maxID), true), nil
		}
		return some, nil
	}
	values, isLabel := b.label(field)
	if b.mem != nil {
		if !isLabel && !slices.ContainsFunc(b.mem.columns, func(c *column) bool { return c.name == field }) {
			return none, nil
		}
		return some, nil
	}
	metas := b.metas(field)
	if isLabel {
		v := f.ruleLabel(values)
		if len(metas) > 0 && v != all {
			return some, nil
		}
		return v, nil
	}
	if len(metas) == 0 {
		return none, nil
	}
	if f.op == event.OpExists {
		sum := 0
		for i := range metas {
			sum += metas[i].count
		}
		if sum == b.n {
			return all, nil
		}
		return some, nil
	}
	out := none
	for i := range metas {
		v, err := f.ruleMeta(b, &metas[i])
		if err != nil {
			return some, err
		}
		switch {
		case v == all && metas[i].count == b.n:
			return all, nil
		case v != none:
			out = some
		}
	}
	return out, nil
}

func (f *filter) ruleLabel(values []event.Value) verdict {
	yes := 0
	for _, v := range values {
		if f.leaf.Match(v) {
			yes++
		}
	}
	switch yes {
	case 0:
		return none
	case len(values):
		return all
	}
	return some
}

func (f *filter) ruleMeta(b *block, m *meta) (verdict, error) {
	if m.shape == shapeInts && m.typ != event.TypeBool || m.shape == shapeFloats {
		low, high := m.numberBounds()
		return f.ruleNumbers(low, high, m.shape == shapeInts), nil
	}
	if m.blocks > 0 {
		for _, h := range f.words {
			may, err := b.part.mayHave(m, h)
			if err != nil || !may {
				return none, err
			}
		}
	}
	return some, nil
}

// ruleNumbers tells of a filter on numbers from low to high, ends included. Whole
// tells that they are not NaN.
func (f *filter) ruleNumbers(low, high event.Value, whole bool) verdict {
	switch f.op {
	case event.OpRange:
		if f.f.Min != nil {
			bound := event.NumberKey(*f.f.Min)
			if bound.IsNull() || f.f.Above && high.Compare(bound) <= 0 || high.Compare(bound) < 0 {
				return none
			}
		}
		if f.f.Max != nil {
			bound := event.NumberKey(*f.f.Max)
			if bound.IsNull() || f.f.Below && low.Compare(bound) >= 0 || low.Compare(bound) > 0 {
				return none
			}
		}
		if whole && f.leaf.Match(low) && f.leaf.Match(high) {
			return all
		}
	case event.OpEquals, event.OpIn:
		if f.f.Fold {
			return some
		}
		for k := range f.leaf.Keys() {
			if k.Type() != event.TypeString && k.Compare(low) >= 0 && k.Compare(high) <= 0 {
				return some
			}
			if k.Type() == event.TypeFloat && !whole {
				return some // NaN may be equal to NaN
			}
		}
		return none
	}
	return some
}

// bits are the rows that match.
func (f *filter) bits(l *looking) (bitset, error) {
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
	}
	if event.IsFieldPattern(f.f.Field) {
		one := newBitset(l.n) // a field's own: what matched in others must stay
		for _, name := range l.names() {
			if event.MatchWildcard(f.f.Field, name) {
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
		if f.leaf.Match(c.dict[0]) {
			out.fill(c.n)
		}
		return
	}
	yes := make([]bool, len(c.dict))
	found := false
	for i, v := range c.dict {
		yes[i] = f.leaf.Match(v)
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

// texts looks for text in all values of a column at once. It tells whether it
// could.
func (f *filter) texts(c *column, out bitset) bool {
	if c.typ != event.TypeString {
		return false
	}
	switch {
	case f.op == event.OpContains && !f.f.Fold && f.f.Text != "":
		c.find(c.data, []byte(f.f.Text), func(row int) bool {
			out.set(row)
			return true
		})
	case f.op == event.OpContains && f.f.Text != "", f.op == event.OpPhrase:
		needle := f.f.Text
		if f.op == event.OpPhrase {
			needle = longestWord(f.f.Text)
		}
		lower, ok := lowerASCII(c.data)
		if !ok || needle == "" || !isASCII(needle) {
			return false
		}
		c.find(lower, []byte(strings.ToLower(needle)), func(row int) bool {
			if f.leaf.Match(event.String(c.text(row))) {
				out.set(row)
				return true
			}
			return false
		})
	default:
		return false
	}
	c.onlyPresent(out)
	return true
}

// find calls yield with rows whose text, in data laid out as c.data, has the
// needle.
func (c *column) find(data, needle []byte, yield func(row int) bool) {
	at, row := 0, 0
	for {
		i := bytes.Index(data[at:], needle)
		if i < 0 {
			return
		}
		at += i
		for int(c.ends[row]) <= at {
			row++
		}
		if at+len(needle) > int(c.ends[row]) {
			at++ // it begins in this row and ends in the next
			continue
		}
		yield(row)
		at = int(c.ends[row])
		if row++; row >= c.n {
			return
		}
	}
}

func longestWord(text string) string {
	longest := ""
	event.Words(text, func(w string) bool {
		if len(w) > len(longest) {
			longest = strings.Clone(w)
		}
		return true
	})
	return longest
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// lowerASCII is data in lower case; ok is false if it is not all ASCII.
func lowerASCII(data []byte) (lower []byte, ok bool) {
	lower = make([]byte, len(data))
	var high byte
	for i, c := range data {
		high |= c
		if c-'A' < 26 {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	return lower, high < 0x80
}
