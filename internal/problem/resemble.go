package problem

import "strings"

// Resembles tells whether somebody who wrote one name may have meant the other: they differ by one letter, by case, by what
// joins their words or by the s of a plural.
func Resembles(a, b string) bool { return plain(a) == plain(b) || oneOff(plain(a), plain(b)) }

func plain(s string) string {
	return strings.TrimSuffix(strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(s)), "s")
}

// oneOff tells whether one letter more, less or different makes a into b.
func oneOff(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(a)-len(b) > 1 || len(b) < 3 {
		return false
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	return a[min(i+1, len(a)):] == b[min(i+len(b)+1-len(a), len(b)):]
}
