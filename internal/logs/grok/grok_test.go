package grok

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dlclark/regexp2"
)

const apacheLine = `83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /presentations/logstash-monitorama-2013/images/kibana-search.png HTTP/1.1" 200 203023 "http://semicomplete.com/presentations/logstash-monitorama-2013/" "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 Safari/537.36"`

func compile(t testing.TB, expression string, n Naming) *Pattern {
	t.Helper()
	p, err := Compile(expression, Options{Patterns: Stock(n)})
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return p
}

// fields is what a pattern finds in a text, one field=value each, in order.
func fields(t testing.TB, p *Pattern, text string) string {
	t.Helper()
	var m Match
	ok, err := p.Find(text, &m)
	if err != nil {
		t.Fatalf("%s on %q: %v", p, text, err)
	}
	if !ok {
		return "no match"
	}
	var out []string
	for _, c := range p.Captures() {
		if v, ok := m.Value(c); ok {
			out = append(out, fmt.Sprintf("%s=%v", c.Field, v))
		}
	}
	return strings.Join(out, "|")
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct{ expression, text, want string }{
		{"%{COMBINEDAPACHELOG}", apacheLine, `clientip=83.149.9.216|ident=-|auth=-|timestamp=17/May/2015:10:05:03 +0000|verb=GET|` +
			`request=/presentations/logstash-monitorama-2013/images/kibana-search.png|httpversion=1.1|response=200|bytes=203023|` +
			`referrer="http://semicomplete.com/presentations/logstash-monitorama-2013/"|agent="Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 Safari/537.36"`},
		{"%{NUMBER:n:int} %{NUMBER:f:float}", "x 42.9 1e3 0.5", "n=42|f=1"},
		{"%{NUMBER:n:int} %{NUMBER:f:float}", "x 42 0.5", "n=42|f=0.5"},
		{"(?<word>[a-z]+)-%{INT:[a][b]}", "  abc-7", "word=abc|[a][b]=7"},
		{"%{MINE=\\d{3}:x}%{IP:ip}", "a123:x::1", "ip=::1"},
		{"%{WORD=x}", "x", ""},
		{`a%{NOTSPACE:x}(?: b%{INT:y})?`, "aq b7", "x=q|y=7"},
		{`^%{DATA:first},%{GREEDYDATA:rest}$`, "a,b\nc", "first=a|rest=b\nc"},
		{`\A%{GREEDYDATA:all}\z`, "a\nb", "all=a\nb"},
		{`(?:(?<a>x)|(?<b>y))+`, "xy", "a=x|b=y"},
		{`(?<a>x)?(?<b>xy)`, "xy", "b=xy"},
		{`(?i)%{WORD:w} HELLO`, "Oh hello", "w=Oh"},
		{`(?<q>["'])(?<in>.*?)\k<q>`, `say "it's"`, `q="|in=it's`},
		{`%{MONTH:m}`, "März", "m=März"},
		{`(?<x>a++)b|(?<y>.*)`, "aab", "x=aa"},
		{`(?<x>(?:ab){2,3}?)(?<y>.*)`, "abababab", "x=abab|y=abab"},
	} {
		p := compile(t, c.expression, Legacy)
		if got := fields(t, p, c.text); got != c.want {
			t.Errorf("%s on %q:\n  %s, want\n  %s", c.expression, c.text, got, c.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	loop := Dictionary{"A": "%{B}", "B": "x%{A}"}
	for expression, want := range map[string]string{
		"%{IPADRESS:ip}":         "%{IPADRESS} is not defined",
		"a(b":                    "not closed",
		"a)b":                    "closed that was not opened",
		"[a":                     "bracket class is not closed",
		"*a":                     "repeats nothing",
		`\k<x>a(?<y>b)`:          "no group",
		"(?P<x>a)":               "(?P",
		"(?(1)a|b)":              "not carried out",
		`a\`:                     "backslash",
		"[z-a]":                  "range z-a is empty",
		`\p{Klingon}`:            "not known",
		"a{200000}":              "more than 100000",
		strings.Repeat("(", 999): "levels deep",
	} {
		_, err := Compile(expression, Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30s: %v, want %q", expression, err, want)
		}
	}
	if near := nearest("COMBINDAPACHELOG", Stock(ECS)); near != "COMBINEDAPACHELOG" {
		t.Errorf("near to COMBINDAPACHELOG is %q", near)
	}
	if _, err := Compile("%{A}", Options{Patterns: loop}); err == nil || !strings.Contains(err.Error(), "A → B → A") {
		t.Errorf("a pattern that contains itself: %v", err)
	}
}

// Every stock pattern compiles, and the first tier takes all of them.
func TestStockCompiles(t *testing.T) {
	for _, n := range []Naming{Legacy, ECS} {
		if len(Stock(n)) < 300 {
			t.Fatalf("%s has %d patterns", n, len(Stock(n)))
		}
		for name := range Stock(n) {
			if p := compile(t, "%{"+name+"}", n); p.Tier() != TierCompiled {
				t.Errorf("%s %s: %s", n, name, p.Tier())
			}
		}
	}
}

func TestReplace(t *testing.T) {
	for _, c := range []struct{ expression, replacement, text, want string }{
		{`[\\?#-]`, ".", `a\b?c#d-e`, "a.b.c.d.e"},
		{`(\d+)-(\d+)`, `\2:\1`, "1-2 33-4", "2:1 4:33"},
		{`(?<x>a)(?<y>b)`, `\k<y>\k<x>\\`, "ab", `ba\`},
		{`x*`, "-", "abxc", "-a-b--c-"},
		{`^`, "> ", "a\nb", "> a\n> b"},
		{`\s+$`, "", "ab  ", "ab"},
		{`(?<=a)b`, "c", "ab b", "ac b"},
		{`z`, "y", "ab", "ab"},
		{`(.)\1`, "2", "aabbc", "22c"},
		{`ä|é`, "ae", "äéx", "aeaex"},
	} {
		p, err := CompileExpression(c.expression, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.Replace(c.text, c.replacement); got != c.want || err != nil {
			t.Errorf("%s in %q by %q: %q, want %q, %v", c.expression, c.text, c.replacement, got, c.want, err)
		}
	}
}

func TestCatastrophes(t *testing.T) {
	text := strings.Repeat("a", 40) + "!"
	// Go's engine answers at once where it can carry the expression out.
	p := compile(t, `^(a+)+(?<x>b)$`, Legacy)
	if got := fields(t, p, text); got != "no match" {
		t.Error(got)
	}
	for _, expression := range []string{`^(a+)+(?<x>b)(?<!c)$`, `^(?:(?<x>a)|\k<x>)+?(a+)+b$`} {
		p, err := Compile(expression, Options{Timeout: 30 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := p.Find(text, new(Match)); ok || !errors.Is(err, ErrTimeout) {
			t.Errorf("%s: %v, %v", expression, ok, err)
		}
	}
}

// The engines give the same answers wherever two of them carry an expression out.
func FuzzEnginesAgree(f *testing.F) {
	for _, c := range [][2]string{
		{`(?<a>\w+) (?<b>.*?)(?:x|yz)*$`, "hello wor\nld xyz"},
		{`(?<a>[^\\"]+|\\.)+"`, `ab\"c"`},
		{`(?>a|ab)(?<b>c)|(?<d>abc)`, "abc"},
		{`(?<=a|bc)(?<x>\d{2,3}?)\b`, "bc123 a12"},
		{`(?i)(?<x>ÄB[c-e]{2})`, "äbCe"},
		{`(?<x>(?:a*)*)(?<y>b?)`, "aab"},
		{`(?<h>\b(?:[0-9A-Za-z][0-9A-Za-z-]{0,2})(?:\.(?:[0-9A-Za-z][0-9A-Za-z-]{0,2}))*(\.?|\b))`, "www.a-b.c. x"},
		{`^(?!#)(?<k>[[:alpha:]&&[^x]]+)=(?<v>.+)$`, "#a=b\nab=c"},
	} {
		f.Add(c[0], c[1])
	}
	f.Fuzz(func(t *testing.T, expression, text string) {
		if len(expression) > 80 || len(text) > 60 || strings.Contains(expression, "%{") {
			return
		}
		tree, err := parse(expression)
		if err != nil {
			return
		}
		p, err := Compile(expression, Options{Timeout: 200 * time.Millisecond})
		if err != nil || p.compiled == nil {
			return
		}
		var fast Match
		text = strings.ToValidUTF8(text, "?")
		w := &walk{budget: 20_000, patience: time.Second}
		fits := w.find(p.compiled, text, 0)
		if w.gaveUp {
			return
		}
		if fits {
			fast.spans = w.slots
		}
		if p.linear != nil && (!p.ascii || isASCII(text)) && (!p.noTail || !strings.HasSuffix(text, "\n")) && !emptyRounds(tree.root) {
			spans := p.linear.FindStringSubmatchIndex(text)
			if (spans != nil) != fits || fits && fmt.Sprint(spans) != fmt.Sprint(fast.spans) {
				t.Fatalf("%q on %q: ours %v, regexp %v", expression, text, fast.spans, spans)
			}
		}
		slow, err := regexp2.Compile(backtracking(tree), regexp2.None)
		if err != nil || p.ascii && !isASCII(text) || strings.HasSuffix(text, "\n") || emptyRounds(tree.root) {
			return
		}
		slow.MatchTimeout = 200 * time.Millisecond
		p.backing = slow
		var other Match
		ok, err := p.findBacking(text, 0, &other)
		if err != nil {
			return
		}
		if ok != fits || fits && fmt.Sprint(other.spans[:2]) != fmt.Sprint(fast.spans[:2]) {
			t.Fatalf("%q (%q) on %q: ours %v %v, regexp2 %v %v", expression, backtracking(tree), text, fits, fast.spans, ok, other.spans)
		}
	})
}

// emptyRounds tells whether something that can be empty is repeated: the engines differ in which empty round they keep.
func emptyRounds(n *node) bool {
	if n.kind == nRepeat && canBeEmpty(n.subs[0]) {
		return true
	}
	for _, s := range n.subs {
		if emptyRounds(s) {
			return true
		}
	}
	return false
}

func canBeEmpty(n *node) bool {
	switch n.kind {
	case nLiteral, nSet:
		return false
	case nConcat:
		for _, s := range n.subs {
			if !canBeEmpty(s) {
				return false
			}
		}
		return true
	case nAlternate:
		for _, s := range n.subs {
			if canBeEmpty(s) {
				return true
			}
		}
		return false
	case nRepeat:
		return n.min == 0 || canBeEmpty(n.subs[0])
	case nCapture, nAtomic:
		return canBeEmpty(n.subs[0])
	}
	return true
}

func BenchmarkApache(b *testing.B) {
	for _, n := range []Naming{Legacy, ECS} {
		b.Run(string(n), func(b *testing.B) {
			p := compile(b, "%{COMBINEDAPACHELOG}", n)
			var m Match
			for b.Loop() {
				if ok, err := p.Find(apacheLine, &m); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}
