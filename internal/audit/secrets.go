package audit

import (
	"bytes"
	"math"
	"regexp"
	"strings"
)

// Secret is something in the source that lets whoever reads it in.
type Secret struct {
	Place
	Kind string
	Test bool // in a file that is there for tests or documentation
}

// secretKinds is a short list: each pattern is one that its issuer made to be
// recognised, except the last two, which are filtered by what the value is.
var secretKinds = []struct {
	kind    string
	hint    string // what a line must hold for the pattern to be worth a try
	pattern *regexp.Regexp
	genuine func(value string) bool // of the first group; nil: always
}{
	{"private key", "PRIVATE KEY", regexp.MustCompile(`-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?PRIVATE KEY(?: BLOCK)?-----`), nil},
	{"AWS access key", "A", regexp.MustCompile(`\b((?:AKIA|ASIA)[A-Z2-7]{16})\b`), func(v string) bool { return !strings.HasSuffix(v, "EXAMPLE") }},
	{"GitHub token", "gh", regexp.MustCompile(`\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})`), nil},
	{"GitLab token", "glpat-", regexp.MustCompile(`\bglpat-[A-Za-z0-9_-]{20,}`), nil},
	{"Slack token", "xox", regexp.MustCompile(`\b(xox[abprs]-[A-Za-z0-9-]{20,})`), nil},
	{"Stripe live key", "_live_", regexp.MustCompile(`\b([sr]k_live_[A-Za-z0-9]{20,})`), nil},
	{"Google API key", "AIza", regexp.MustCompile(`\b(AIza[A-Za-z0-9_-]{35})\b`), nil},
	{"npm token", "npm_", regexp.MustCompile(`\b(npm_[A-Za-z0-9]{36})\b`), nil},
	{"password in a URL", "://", regexp.MustCompile(`\b[a-z][a-z0-9+.-]*://[^\s:/@"'<>]+:([^\s:/@"'<>]{3,})@[A-Za-z0-9.-]+`), isPassword},
	{"password in the code", "", regexp.MustCompile(`(?i)(?:password|passwd|secret|api[_-]?key|auth[_-]?token|access[_-]?token)["']?\s*(?::=|=|:)\s*["']([^"'\s]{8,80})["']`), isPassword},
}

// isPassword tells a real value from a placeholder or a name: it has no sign
// of a template, none of the usual stand-in words, and as many different
// characters as what nobody chose for its meaning.
func isPassword(v string) bool {
	if strings.ContainsAny(v, "$<>{}%()[]*` ") {
		return false
	}
	low := strings.ToLower(v)
	for _, word := range []string{"password", "passwd", "example", "secret", "changeme", "change-me", "placeholder", "your", "dummy", "xxxx", "user", "pass", "token", "test", "postgres", "guest", "env."} {
		if strings.Contains(low, word) {
			return false
		}
	}
	return strings.ContainsAny(v, "0123456789") && entropy(v) >= 2.5
}

// entropy is Shannon's, in bits a character.
func entropy(s string) float64 {
	var count [256]int
	for i := range len(s) {
		count[s[i]]++
	}
	sum := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(s))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

// findSecrets looks through one text file. It reports a line once and never
// keeps the value.
func findSecrets(name string, text []byte) []Secret {
	var found []Secret
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if len(line) > 4096 {
			line = line[:4096] // minified code
		}
		if kind := secretKind(string(line)); kind != "" {
			found = append(found, Secret{Place{name, number}, kind, isTestFile(name)})
			if len(found) == 20 {
				break
			}
		}
	}
	return found
}

// secretKind is what kind of secret a line holds, or "".
func secretKind(line string) string {
	for _, k := range secretKinds {
		if !strings.Contains(line, k.hint) {
			continue
		}
		m := k.pattern.FindStringSubmatch(line)
		if m != nil && (k.genuine == nil || k.genuine(m[len(m)-1])) {
			return k.kind
		}
	}
	return ""
}
