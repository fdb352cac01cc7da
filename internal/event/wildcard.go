package event

import "strings"

// WildcardParts are the stretches of a pattern of MatchWildcard that are literal
// text, in order, without their backslashes; those at its ends may be empty. whole
// tells that there is nothing but single * between them.
func WildcardParts(pattern string) (parts []string, whole bool) {
	whole = true
	var part []byte
	cut := func() {
		parts = append(parts, string(part))
		part = part[:0]
	}
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '*':
			cut()
		case c == '?':
			cut()
			whole = false
		case c == '\\' && i+1 < len(pattern):
			i++
			part = append(part, pattern[i])
		default:
			part = append(part, c)
		}
	}
	cut()
	return parts, whole
}

// wildcard is a pattern of MatchWildcard, ready to be matched often.
type wildcard struct {
	pattern string   // if it has a ?
	parts   []string // otherwise: what stands between the *
}

func newWildcard(pattern string) *wildcard {
	if parts, whole := WildcardParts(pattern); whole {
		return &wildcard{parts: parts}
	}
	return &wildcard{pattern: pattern}
}

func (w *wildcard) match(text string) bool {
	if w.parts == nil {
		return MatchWildcard(w.pattern, text)
	}
	first, last := w.parts[0], w.parts[len(w.parts)-1]
	if len(w.parts) == 1 {
		return text == first
	}
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range w.parts[1 : len(w.parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}
