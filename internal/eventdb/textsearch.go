package eventdb

import (
	"bytes"
	"encoding/binary"
	"regexp/syntax"
	"strings"
	"sync"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// needle is text that stands in every value that a filter matches: what a column
// is searched for as a whole, before its values are looked at one by one.
type needle struct {
	text  string // empty: there is none
	lower bool   // it is in lower case, and letters match in any case
	all   bool   // nothing else is asked of a value
}

func newNeedle(f event.Filter) needle {
	n := needle{lower: f.Fold}
	switch f.Op {
	case event.OpContains:
		n.text, n.all = f.Text, !f.Fold
	case event.OpPrefix:
		n.text = f.Text
	case event.OpPhrase:
		n.text, n.lower = longestWord(f.Text), true
	case event.OpWildcard:
		parts, _ := event.WildcardParts(f.Text)
		for _, part := range parts {
			if len(part) > len(n.text) {
				n.text = part
			}
		}
	case event.OpRegexp:
		n.lower = true // some of it may be in any case
		expr := f.Text
		if f.Fold { // literals are then of the smallest character of those that count as equal
			expr = "(?i)" + expr
		}
		if re, err := syntax.Parse(expr, syntax.Perl); err == nil {
			n.text = requiredText(re.Simplify())
		}
	}
	if n.lower {
		n.text = strings.ToLower(n.text)
	}
	return n
}

// requiredText is text that every match of an expression has, the longest that is
// plain to see.
func requiredText(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCapture, syntax.OpPlus:
		return requiredText(re.Sub[0])
	case syntax.OpConcat:
		longest := ""
		for _, sub := range re.Sub {
			if text := requiredText(sub); len(text) > len(longest) {
				longest = text
			}
		}
		return longest
	}
	return ""
}

// Characters that stand in the text of values of a type, or of a shape.
const (
	intChars      = "-0123456789"
	floatChars    = "+-.0123456789eEIinNfFaA"
	durationChars = "-.0123456789hHmMsSnNuUµ"
	timeChars     = "-:.0123456789tTzZ"
	boolChars     = "truefalsTRUEFALS"
	hexChars      = "0123456789abcdefABCDEF"
)

// cannotBe tells that no value of a stored column can have the needle.
func (n *needle) cannotBe(m *meta) bool {
	var chars string
	switch {
	case n.text == "":
		return false
	case m.shape == shapeHex:
		chars = hexChars
	case m.typ == event.TypeInt:
		chars = intChars
	case m.typ == event.TypeFloat:
		chars = floatChars
	case m.typ == event.TypeDuration:
		chars = durationChars
	case m.typ == event.TypeTime:
		chars = timeChars
	case m.typ == event.TypeBool:
		chars = boolChars
	default:
		return false
	}
	return strings.Trim(n.text, chars) != ""
}

// texts looks for text in all values of a column at once. It tells whether it
// could.
func (f *filter) texts(c *column, out bitset) bool {
	if c.typ != event.TypeString || f.needle.text == "" {
		return false
	}
	look := func(row int) {
		if f.needle.all || f.leaf.Match(event.String(c.text(row))) {
			out.set(row)
		}
	}
	if f.needle.lower {
		f.lowerTexts(c, look)
	} else {
		c.find(c.data, []byte(f.needle.text), look)
	}
	c.onlyPresent(out)
	return true
}

// lowerTexts looks in any case: at rows that have the needle in lower case, and at
// all that are not ASCII, whose letters may fold to those of the needle.
func (f *filter) lowerTexts(c *column, look func(row int)) {
	buf, _ := lowered.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	defer lowered.Put(buf)
	var ascii bool
	*buf, ascii = appendLower((*buf)[:0], c.data)
	if isASCII(f.needle.text) {
		c.find(*buf, []byte(f.needle.text), look)
	}
	if ascii {
		return
	}
	for row := range c.n {
		if !isASCII(c.text(row)) {
			look(row)
		}
	}
}

// cannotBeIn tells that no text of a prefix and digits can have the needle.
func (n *needle) cannotBeIn(prefix string) bool {
	return n.text != "" && strings.Trim(n.text, "0123456789"+prefix+strings.ToLower(prefix)) != "" && isASCII(prefix)
}

// lowered are buffers for columns in lower case.
var lowered sync.Pool

// find calls yield with rows whose text, in data laid out as c.data, has the
// needle.
func (c *column) find(data, needle []byte, yield func(row int)) {
	anchor := rarest(data, needle)
	rare := needle[anchor]
	row := 0
	for at := anchor; ; {
		i := bytes.IndexByte(data[min(at, len(data)):], rare)
		if i < 0 {
			return
		}
		start := at + i - anchor
		at += i + 1
		if start+len(needle) > len(data) {
			return
		}
		if !bytes.Equal(data[start:start+len(needle)], needle) {
			continue
		}
		for int(c.ends[row]) <= start {
			row++
		}
		if end := int(c.ends[row]); start+len(needle) <= end { // else it begins in this row and ends in the next
			yield(row)
			at = end + anchor
			if row++; row >= c.n {
				return
			}
		}
	}
}

// rarest is the place in needle of the byte that a sample of data has least often:
// what to look for first.
func rarest(data, needle []byte) int {
	const samples = 1024
	var counts [256]uint16
	step := max(1, len(data)/samples)
	for i := 0; i < len(data); i += step {
		counts[data[i]]++
	}
	best := 0
	for i, c := range needle {
		if counts[c] < counts[needle[best]] {
			best = i
		}
	}
	return best
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

// appendLower appends data in lower case; ascii is false if it is not all ASCII.
func appendLower(b, data []byte) (lower []byte, ascii bool) {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	start := len(b)
	lower = append(b, data...)
	rest := lower[start:]
	var high uint64
	for ; len(rest) >= 8; rest = rest[8:] { // eight letters at a time: the top bit of a byte says that it is one
		x := binary.LittleEndian.Uint64(rest)
		high |= x
		low := x &^ tops
		upper := (low + ones*(0x80-'A')) &^ (low + ones*(0x7f-'Z')) &^ x & tops
		binary.LittleEndian.PutUint64(rest, x|upper>>2)
	}
	for i, c := range rest {
		high |= uint64(c)
		if c-'A' < 26 {
			rest[i] = c + 'a' - 'A'
		}
	}
	return lower, high&tops == 0
}
