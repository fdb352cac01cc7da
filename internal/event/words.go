package event

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words calls yield with each word of text in lower case: the longest runs of
// letters, digits and underscores. It is what OpPhrase and the indexes of stores
// agree on; bytes that are no UTF-8 separate words.
func Words(text string, yield func(string) bool) {
	start := -1
	ascii := true
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if isWordByte(c) {
				if start < 0 {
					start, ascii = i, true
				}
			} else if start >= 0 {
				if !yield(lowerWord(text[start:i], ascii)) {
					return
				}
				start = -1
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		if isWordRune(r, size) {
			if start < 0 {
				start = i
			}
			ascii = false
		} else if start >= 0 {
			if !yield(lowerWord(text[start:i], ascii)) {
				return
			}
			start = -1
		}
		i += size
	}
	if start >= 0 {
		yield(lowerWord(text[start:], ascii))
	}
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

func isWordRune(r rune, size int) bool {
	return (r != utf8.RuneError || size > 1) && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

func lowerWord(s string, ascii bool) string {
	if ascii {
		for i := 0; i < len(s); i++ {
			if s[i] >= 'A' && s[i] <= 'Z' {
				return strings.ToLower(s)
			}
		}
		return s
	}
	return strings.ToLower(s)
}

// phrase matches words that stand one after the other.
type phrase struct {
	words []string // lower case
}

func newPhrase(text string) *phrase {
	p := &phrase{}
	for w := range func(yield func(string) bool) { Words(text, yield) } {
		p.words = append(p.words, w)
	}
	return p
}

// match tells whether the words of p stand in text one after the other. A phrase
// without words matches no text.
func (p *phrase) match(text string) bool {
	if len(p.words) == 0 {
		return false
	}
	if len(p.words) == 1 {
		found := false
		Words(text, func(w string) bool {
			found = w == p.words[0]
			return !found
		})
		return found
	}
	var have []string
	Words(text, func(w string) bool {
		have = append(have, w)
		return true
	})
	for i := 0; i+len(p.words) <= len(have); i++ {
		same := true
		for j, w := range p.words {
			if have[i+j] != w {
				same = false
				break
			}
		}
		if same {
			return true
		}
	}
	return false
}
