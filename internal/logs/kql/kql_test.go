package kql_test

import (
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/logs/kql"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]string{
		``:                                ``,
		`error`:                           `error`,
		`  connection   refused `:         `connection refused`,
		`"connection refused"`:            `"connection refused"`,
		`status: 200`:                     `status: 200`,
		`status:200 and not host:"a b"`:   `status: 200 and not host: "a b"`,
		`a:1 or b:2 and c:3`:              `a: 1 or b: 2 and c: 3`,
		`(a:1 or b:2) and c:3`:            `(a: 1 or b: 2) and c: 3`,
		`NOT (a:1 AND b:2)`:               `not (a: 1 and b: 2)`,
		`status:(200 or 404)`:             `status: 200 or status: 404`,
		`status:(200 or not 404)`:         `status: 200 or not status: 404`,
		`tags:(a and b) and x:1`:          `tags: a and tags: b and x: 1`,
		`bytes >= 1000 and bytes<2000`:    `bytes >= 1000 and bytes < 2000`,
		`@timestamp > "2026-01-01"`:       `@timestamp > "2026-01-01"`,
		`host.name:web-*`:                 `host.name: web-*`,
		`trace.id:*`:                      `trace.id: *`,
		`http.*: 5*0`:                     `http.*: 5*0`,
		`user:{ first:"A" and last:"B" }`: `user: { first: "A" and last: "B" }`,
		`message: a\:b \(c\)`:             `message: a\:b \(c\)`,
		`message: "say \"hi\""`:           `message: "say \"hi\""`,
		`message: \and`:                   `message: \and`,
		`or1 android`:                     `or1 android`,
		`path: \\server\*`:                `path: \\server\*`,
		`größe: übel`:                     `größe: übel`,
		`not not a`:                       `not (not a)`,
		`a:1 and (b:2 and c:3)`:           `a: 1 and b: 2 and c: 3`,
		"message: \"x\ty\"":               `message: "x\ty"`,
		`message: \u00e4`:                 `message: ä`,
	} {
		n, err := kql.Parse(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := n.String(); got != want {
			t.Errorf("%s is written %s, want %s", in, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for in, why := range map[string]string{
		`a:`:                        "column 3",
		`a:1 b:2`:                   "column",
		`(a:1`:                      "a ) is missing",
		`a:1)`:                      "not expected",
		`"open`:                     "not closed",
		`and`:                       "missing before",
		`a >`:                       "missing before",
		`x:{a:1`:                    "a } is missing",
		`a\`:                        "at the end",
		"\xff":                      "UTF-8",
		strings.Repeat("(", 100):    "deep",
		strings.Repeat("not ", 100): "deep",
	} {
		_, err := kql.Parse(in)
		if problem.CodeOf(err) != problem.Invalid || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want one that says %q", in, err, why)
		}
	}
	if _, err := kql.Parse(strings.Repeat("a", 1<<20)); problem.CodeOf(err) != problem.TooLarge {
		t.Errorf("a query of 1 MiB: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{``, `a:1 and not (b:"x y" or c >= 3)`, `u:{f:a*}`, `x: \* \and`, `a:(1 or 2 and not 3)`, `* : *`, `"\\" : \\`, `a b or c`, `\ :0`, `a\ \  b*\ : \ c `} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := kql.Parse(s)
		if err != nil {
			return
		}
		once := n.String()
		again, err := kql.Parse(once)
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
