package eventdb

import (
	"bytes"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
)

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
