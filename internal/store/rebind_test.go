package store

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRebind(t *testing.T) {
	for q, want := range map[string]string{
		"":                                   "",
		"SELECT 1":                           "SELECT 1",
		"a = ? AND b IN (?,?)":               "a = $1 AND b IN ($2,$3)",
		"'?' || ? || 'it''s ?' || ?":         "'?' || $1 || 'it''s ?' || $2",
		`"a?" = ?`:                           `"a?" = $1`,
		"? -- why?\n, ?":                     "$1 -- why?\n, $2",
		"? /* ? /* ? */ ? */ ?":              "$1 /* ? /* ? */ ? */ $2",
		"$$ ? $$ || ? || $t1$ ? $$ $t1$ , ?": "$$ ? $$ || $1 || $t1$ ? $$ $t1$ , $2",
		"? - ? / ?":                          "$1 - $2 / $3",
		"'open ?":                            "'open ?",
		"/* open ?":                          "/* open ?",
		"$1$ ?":                              "$1$ $1", // a tag begins with no digit
		`'\' || ?`:                           `'\' || $1`,
	} {
		if got := rebind(q); got != want {
			t.Errorf("rebind(%q) = %q, want %q", q, got, want)
		}
	}
}

// Any sequence of pieces comes out as written, with the placeholders among them
// numbered from 1.
func TestRebindPieces(t *testing.T) {
	opaque := rapid.SampledFrom([]string{" '?' ", ` "?""?" `, " '--' ", " '/*' ", " -- ? '\n", " /* ? ' /* ?*/ $$ */ ", " $$ ? ' $$ ", " $a$ ?$$ $a$ ", " - / ", " 'é?' "})
	rapid.Check(t, func(t *rapid.T) {
		var q, want strings.Builder
		n := 0
		for range rapid.IntRange(0, 12).Draw(t, "pieces") {
			if rapid.Bool().Draw(t, "placeholder") {
				n++
				q.WriteString(" ? ")
				want.WriteString(" $" + strconv.Itoa(n) + " ")
				continue
			}
			piece := opaque.Draw(t, "piece")
			q.WriteString(piece)
			want.WriteString(piece)
		}
		if got := rebind(q.String()); got != want.String() {
			t.Fatalf("rebind(%q)\n got %q\nwant %q", q.String(), got, want.String())
		}
	})
}

var (
	placeholder = regexp.MustCompile(`\$[0-9]+`)
	numbered    = regexp.MustCompile(`\?[0-9]`)
)

func FuzzRebind(f *testing.F) {
	for _, q := range []string{"a = ?", "'?' ? \"?\"", "/* ? */ ? -- ?\n?", "$t$ ? $t$ ?", "''?''"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		if rebound := rebind(q); strings.Contains(q, "$") || numbered.MatchString(q) {
			_ = rebound // what follows needs $ for itself, and ?1 is not what we take
			return
		}
		n := 0
		back := placeholder.ReplaceAllStringFunc(rebind(q), func(p string) string {
			if n++; p != "$"+strconv.Itoa(n) {
				t.Fatalf("%q came after %d placeholders", p, n-1)
			}
			return "?"
		})
		if back != q {
			t.Fatalf("%q came back as %q", q, back)
		}
	})
}
