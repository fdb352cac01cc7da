package lucene_test

import (
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/logs/lucene"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]string{
		``:                                    `*:*`,
		`*`:                                   `*:*`,
		`*:*`:                                 `*:*`,
		`error`:                               `error`,
		`quick brown`:                         `quick brown`,
		`quick AND brown`:                     `+quick +brown`,
		`quick OR brown`:                      `quick brown`,
		`quick && !brown`:                     `+quick -brown`,
		`NOT a:1`:                             `-a:1`,
		`a:1 AND (b:2 OR c:3)`:                `+a:1 +(b:2 c:3)`,
		`+a -b c`:                             `+a -b c`,
		`title:(quick OR brown)`:              `title:quick title:brown`,
		`status:[400 TO 499]`:                 `status:[400 TO 499]`,
		`status:{400 TO *]`:                   `status:{400 TO *]`,
		`bytes:>=1000`:                        `bytes:[1000 TO *]`,
		`bytes:<1000`:                         `bytes:[* TO 1000}`,
		`date:["2026-01-01" TO "2026-02-01"}`: `date:["2026-01-01" TO "2026-02-01"}`,
		`message:"to be"^2`:                   `message:"to be"`,
		`host:web-*`:                          `host:web\-*`,
		`url:\/cart`:                          `url:\/cart`,
		`name:/joh?n(ath[oa]n)/`:              `name:/joh?n(ath[oa]n)/`,
		`_exists_:trace.id`:                   `_exists_:trace.id`,
		`trace.id:*`:                          `_exists_:trace.id`,
		`a\:b`:                                `a\:b`,
		`x:\AND`:                              `x:\AND`,
	} {
		n, err := lucene.Parse(in, lucene.Options{})
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := n.String(); got != want {
			t.Errorf("%s is written %s, want %s", in, got, want)
		}
	}
	n, err := lucene.Parse(`a b OR c`, lucene.Options{And: true})
	if err != nil || n.String() != `+a b c` {
		t.Errorf("with AND between clauses: %v, %v", n, err)
	}
	for in, want := range map[string]string{
		`a | b + -c`: `+(a b) +(-c)`, `a b -c`: `a b (-c)`, `"to be" + fo*`: `+"to be" +fo*`, `"open quote`: `open quote`, `a (b | c`: `a (b c)`, `a) b`: `a b`,
		`a +`: `a`, `| + -`: ``, `a AND b:c [x`: `a \AND b\:c \[x`, `a\+b`: `a\+b`, `*`: `*:*`, `a~0 ~`: `a`, `()`: ``, `x\`: `x`,
	} {
		n, err := lucene.Parse(in, lucene.Options{Simple: true})
		if err != nil || n.String() != want {
			t.Errorf("simple %s: %v, %v, want %s", in, n, err, want)
		}
	}
	if _, err := lucene.Parse(`roam~1`, lucene.Options{Simple: true}); err == nil {
		t.Error("a fuzzy word of a simple query is taken")
	}
}

func TestParseRefuses(t *testing.T) {
	for in, why := range map[string]string{
		`a:`: "missing", `(a`: "a ) is missing", `a)`: "not expected", `"a`: "not closed", `AND a`: "before the operator", `a AND`: "missing",
		`roam~2`: "not covered", `a:[1 TO`: "missing", `a:[1 2]`: "TO is missing", `x:/(/`: "cannot be read", `te?t`: "not covered",
		strings.Repeat("(", 100): "deep", strings.Repeat("-", 200) + "a": "deep", `a\`: "at the end",
	} {
		_, err := lucene.Parse(in, lucene.Options{})
		if problem.CodeOf(err) != problem.Invalid || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want one that says %q", in, err, why)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{``, `a:1 AND NOT (b:"x y" OR c:>=3)`, `+a -b^2 c*`, `x:[* TO "5"}`, `n:/a\/b/`, `--a !b`, `_exists_:a*`, "a\u3000b", `a:(b c)`} {
		f.Add(s, false, false)
	}
	f.Fuzz(func(t *testing.T, s string, and, simple bool) {
		n, err := lucene.Parse(s, lucene.Options{And: and, Simple: simple})
		if err != nil {
			return
		}
		once := n.String()
		if once == "" { // a simple query of operators alone
			return
		}
		again, err := lucene.Parse(once, lucene.Options{})
		if err != nil {
			if problem.CodeOf(err) == problem.TooLarge || strings.Contains(err.Error(), "deep") {
				return
			}
			t.Fatalf("%q is written %q, which is refused: %v", s, once, err)
		}
		if twice := again.String(); twice != once {
			t.Fatalf("%q is written %q, which is read as %q", s, once, twice)
		}
	})
}
