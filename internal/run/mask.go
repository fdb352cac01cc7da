package run

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// masked stands where a secret was.
const masked = "***"

// shortestSecret is the length below which a value is not masked: replacing
// every "on" or "42" would ruin the log and point at the value.
const shortestSecret = 4

// mask hides secrets in everything a run says.
type mask struct {
	mu       sync.RWMutex
	secrets  []string
	replacer *strings.Replacer
	longest  int
}

// add hides more values from now on. Of one with several lines each line is
// hidden, since logs are written by line.
func (m *mask) add(values ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range values {
		for line := range strings.Lines(v) {
			if line = strings.TrimSpace(line); len(line) >= shortestSecret && !slices.Contains(m.secrets, line) {
				m.secrets = append(m.secrets, line)
				m.longest = max(m.longest, len(line))
			}
		}
	}
	// At one place the first that fits wins: a secret that begins another must
	// not leave the rest of that one in sight.
	slices.SortFunc(m.secrets, func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(m.secrets))
	for _, s := range m.secrets {
		pairs = append(pairs, s, masked)
	}
	m.replacer = strings.NewReplacer(pairs...)
}

func (m *mask) apply(s string) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if len(m.secrets) == 0 {
		return s
	}
	return m.replacer.Replace(s)
}

func (m *mask) applyAll(values map[string]string) map[string]string {
	out := make(map[string]string, len(values))
	for k, v := range values {
		out[k] = m.apply(v)
	}
	return out
}

// held is how many bytes at the end of unfinished text may be the beginning of
// a secret.
func (m *mask) held() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return max(0, m.longest-1)
}

// cut shortens s to at most n bytes, ending in an ellipsis.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = s[:runeStart(s, n-len("…"))]
	return s + "…"
}

// runeStart is the last place at or before i where a character begins, or i if
// s is no text there.
func runeStart(s string, i int) int {
	for at := i; at > max(0, i-utf8.UTFMax); at-- {
		if at >= len(s) || utf8.RuneStart(s[at]) {
			return at
		}
	}
	return i
}
