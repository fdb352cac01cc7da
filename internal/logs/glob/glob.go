// Package glob is a text with wildcards, as the query languages of the search
// box and of Elasticsearch have it.
package glob

import "strings"

// Pattern is a text cut at its wildcards: "a*b" is {"a", "b"}, a lone * is
// {"", ""}, a text without wildcards has one part. A part may hold any character
// also *, which then means itself.
type Pattern []string

// Literal makes a pattern without wildcards.
func Literal(s string) Pattern { return Pattern{s} }

// Wild says whether there are wildcards at all.
func (p Pattern) Wild() bool { return len(p) > 1 }

// Any says whether the pattern matches everything.
func (p Pattern) Any() bool {
	if len(p) < 2 {
		return false
	}
	for _, part := range p {
		if part != "" {
			return false
		}
	}
	return true
}

// Literal is the text with each wildcard as a *.
func (p Pattern) Literal() string { return strings.Join(p, "*") }

// Prefix returns the text before a wildcard that stands at the end alone.
func (p Pattern) Prefix() (string, bool) {
	if len(p) == 2 && p[1] == "" && p[0] != "" {
		return p[0], true
	}
	return "", false
}

// Match says whether the whole of s is as the pattern says.
func (p Pattern) Match(s string) bool {
	if len(p) == 0 {
		return s == ""
	}
	if len(p) == 1 {
		return s == p[0]
	}
	s, ok := strings.CutPrefix(s, p[0])
	if !ok {
		return false
	}
	last := p[len(p)-1]
	for _, part := range p[1 : len(p)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return len(s) >= len(last) && strings.HasSuffix(s, last)
}

// Regexp writes the pattern as a regular expression of the whole text.
func (p Pattern) Regexp(quote func(string) string) string {
	parts := make([]string, len(p))
	for i, part := range p {
		parts[i] = quote(part)
	}
	return "(?s)^" + strings.Join(parts, ".*") + "$"
}
