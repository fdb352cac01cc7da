package record

import (
	"strings"
	"unicode/utf8"
)

// Notes tell what was put right, for counters.
type Notes struct {
	Time  string // why the given time was not taken; empty: it was, or there was none
	Left  int    // fields over the limit, which were left out
	Texts int    // texts that were not UTF-8
}

// Valid is a text in UTF-8: what is none is replaced and noted.
func (n *Notes) Valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	n.Texts++
	return strings.ToValidUTF8(s, "\uFFFD")
}

// Add notes what was put right elsewhere too.
func (n *Notes) Add(more Notes) {
	if more.Time != "" {
		n.Time = more.Time
	}
	n.Left += more.Left
	n.Texts += more.Texts
}

// Count gives each thing that was put right to a counter.
func (n Notes) Count(count func(what string, n int)) {
	if n.Time != "" {
		count("time in the "+n.Time, 1)
	}
	if n.Left > 0 {
		count("fields left out", n.Left)
	}
	if n.Texts > 0 {
		count("text that is not UTF-8", n.Texts)
	}
}
