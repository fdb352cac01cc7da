package grok

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestPatternSpecs scores the stock patterns on the examples that their own project keeps: it reads the spec files of
// logstash-plugins/logstash-patterns-core and carries out what they say. An example that the small reader of Ruby below does not
// understand counts as failed.
func TestPatternSpecs(t *testing.T) {
	corpus := os.Getenv("DAYTWO_CORPUS")
	files, _ := filepath.Glob(filepath.Join(corpus, "logstash-plugins", "logstash-patterns-core", "spec", "patterns", "*_spec.rb"))
	if corpus == "" || len(files) == 0 {
		t.Skip("SKIPPED: DAYTWO_CORPUS names no directory with logstash-plugins/logstash-patterns-core")
	}
	passed, total := 0, 0
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s := &spec{grokked: map[string]*Pattern{}, constants: map[string]any{}}
		s.run(string(content))
		passed, total = passed+s.passed, total+s.passed+len(s.failures)
		for _, f := range s.failures {
			t.Logf("%s: %s", filepath.Base(name), f)
		}
	}
	share := 100 * float64(passed) / float64(max(total, 1))
	fmt.Printf("logstash-patterns-core: %d of %d examples pass (%.1f %%)\n", passed, total, share)
	if share < 95 {
		t.Errorf("%.1f %% of the examples pass, less than 95", share)
	}
}

// token is a piece of Ruby: its kind is its text for punctuation and words, or one of str, num, nl, eof.
type token struct {
	kind, text string
	parts      []any // of a text with expressions in it: string or []token
}

func lex(src string) []token {
	var out []token
	for i := 0; i < len(src); {
		c := src[i]
		switch {
		case c == '\n':
			out = append(out, token{kind: "nl"})
			i++
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case c == '#':
			for i < len(src) && src[i] != '\n' {
				i++
			}
		case c == '\'' || c == '"':
			tok, n := lexString(src[i+1:], c, c == '"')
			out = append(out, tok)
			i += n + 1
		case strings.HasPrefix(src[i:], "%q(") || strings.HasPrefix(src[i:], "%q{") || strings.HasPrefix(src[i:], "%{"):
			j := strings.IndexAny(src[i:], "({") + i
			close := map[byte]byte{'(': ')', '{': '}'}[src[j]]
			tok, n := lexString(src[j+1:], close, src[i+1] != 'q')
			out = append(out, tok)
			i = j + 1 + n
		case c >= '0' && c <= '9' || c == '-' && i+1 < len(src) && src[i+1] >= '0' && src[i+1] <= '9':
			j := i + 1
			for j < len(src) && (src[j] >= '0' && src[j] <= '9' || src[j] == '_' || src[j] == '.' && j+1 < len(src) && src[j+1] >= '0' && src[j+1] <= '9') {
				j++
			}
			out = append(out, token{kind: "num", text: src[i:j]})
			i = j
		case isWord(c):
			j := i
			for j < len(src) && (isWord(src[j]) || src[j] >= '0' && src[j] <= '9') {
				j++
			}
			if j < len(src) && (src[j] == '?' || src[j] == '!') && (j+1 >= len(src) || src[j+1] != '=') {
				j++
			}
			if j+1 < len(src) && src[j] == ':' && src[j+1] != ':' {
				out = append(out, token{kind: "str", text: src[i:j]}, token{kind: "=>"})
				i = j + 1
				continue
			}
			out = append(out, token{kind: "word", text: src[i:j]})
			i = j
		case c == ':' && i+1 < len(src) && isWord(src[i+1]):
			j := i + 1
			for j < len(src) && (isWord(src[j]) || src[j] >= '0' && src[j] <= '9') {
				j++
			}
			out = append(out, token{kind: "str", text: src[i+1 : j]})
			i = j
		default:
			n := 1
			for _, p := range []string{"=>", "||", "::", "==", "&&", "->"} {
				if strings.HasPrefix(src[i:], p) {
					n = 2
				}
			}
			out = append(out, token{kind: src[i : i+n]})
			i += n
		}
	}
	return append(out, token{kind: "eof"})
}

func isWord(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

func lexString(src string, end byte, escapes bool) (token, int) {
	tok := token{kind: "str"}
	var b strings.Builder
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case c == end:
			tok.text = b.String()
			if tok.parts != nil {
				tok.parts = append(tok.parts, tok.text)
			}
			return tok, i + 1
		case c == '\\' && i+1 < len(src):
			i++
			if r, ok := map[byte]string{'n': "\n", 't': "\t", 'r': "\r", 'e': "\x1b", 's': " "}[src[i]]; ok && escapes {
				b.WriteString(r)
			} else if escapes || src[i] == end || src[i] == '\\' {
				b.WriteByte(src[i])
			} else {
				b.WriteString(src[i-1 : i+1])
			}
		case c == '#' && escapes && i+1 < len(src) && src[i+1] == '{':
			n := strings.IndexByte(src[i:], '}')
			tok.parts = append(tok.parts, b.String(), lex(src[i+2:i+n]))
			b.Reset()
			i += n
		default:
			b.WriteByte(c)
		}
	}
	return tok, len(src)
}

// group is one describe or context: what it defines holds inside it.
type group struct {
	outer   *group
	subject any // the description
	lets    map[string][]token
}

type spec struct {
	failures  []string
	passed    int
	grokked   map[string]*Pattern
	constants map[string]any
	naming    Naming
	pattern   string
}

// cursor walks over tokens.
type cursor struct {
	toks []token
	i    int
	s    *spec
	g    *group
	vars map[string]any
}

type giveUp struct{ why string }

func (c *cursor) peek() token { return c.toks[c.i] }
func (c *cursor) next() token { t := c.toks[c.i]; c.i++; return t }
func (c *cursor) newlines() {
	for c.peek().kind == "nl" || c.peek().kind == ";" {
		c.i++
	}
}
func (c *cursor) is(kind string) bool { return c.peek().kind == kind }
func (c *cursor) word(w string) bool  { return c.peek().kind == "word" && c.peek().text == w }
func (c *cursor) take(kind string) bool {
	if c.is(kind) {
		c.i++
		return true
	}
	return false
}
func (c *cursor) want(kind string) {
	if !c.take(kind) {
		panic(giveUp{fmt.Sprintf("%s where %s should be, behind %v", c.peek().kind+" "+c.peek().text, kind, c.toks[max(0, c.i-8):c.i])})
	}
}

// block is the tokens of the do … end or { … } that comes next.
func (c *cursor) block() []token {
	for !c.is("{") && !c.word("do") {
		if c.is("eof") {
			return nil
		}
		c.i++
	}
	brace := c.next().kind == "{"
	from, depth := c.i, 1
	lineStart := false
	for ; depth > 0; c.i++ {
		t := c.peek()
		switch {
		case t.kind == "eof":
			return append(c.toks[from:c.i:c.i], token{kind: "eof"})
		case brace && t.kind == "{", !brace && t.kind == "word" && (t.text == "do" || (t.text == "if" || t.text == "unless") && lineStart):
			depth++
		case brace && t.kind == "}", !brace && t.kind == "word" && t.text == "end":
			depth--
		}
		lineStart = t.kind == "nl"
	}
	return append(c.toks[from:c.i-1:c.i-1], token{kind: "eof"})
}

func (s *spec) run(src string) {
	defer func() {
		if r := recover(); r != nil {
			s.failures = append(s.failures, fmt.Sprintf("the file is not understood: %v", r))
		}
	}()
	c := &cursor{toks: lex(src), s: s, g: &group{lets: map[string][]token{}}}
	c.groupBody()
}

func (c *cursor) groupBody() {
	for {
		c.newlines()
		if c.is("eof") {
			return
		}
		word := c.next().text
		switch word {
		case "": // [ … ].each do |name|
			c.i--
			if !c.is("[") {
				c.i++
				continue
			}
			list := c.primary().([]any)
			c.newlines()
			body := c.block()
			for _, v := range list {
				inner := &cursor{toks: body, s: c.s, g: &group{outer: c.g, subject: c.g.subject, lets: map[string][]token{}}}
				inner.want("|")
				inner.g.lets[inner.next().text] = []token{{kind: "str", text: fmt.Sprint(v)}, {kind: "eof"}}
				inner.want("|")
				inner.groupBody()
			}
		case "describe_pattern":
			name := c.next().text
			modes := []Naming{""}
			if c.take(",") {
				modes = nil
				for !c.word("do") && !c.is("{") {
					if t := c.next(); t.kind == "str" {
						modes = append(modes, Naming(t.text))
					}
				}
			}
			body := c.block()
			for _, m := range modes {
				c.s.naming, c.s.pattern = m, name
				inner := &cursor{toks: body, s: c.s, g: &group{outer: c.g, subject: "\x00grok", lets: map[string][]token{}}}
				inner.groupBody()
			}
			c.s.naming, c.s.pattern = "", ""
		case "describe", "context":
			name := c.next().text
			subject := any(name)
			if c.s.pattern != "" {
				subject = "\x00grok"
			}
			inner := &cursor{s: c.s, g: &group{outer: c.g, subject: subject, lets: map[string][]token{}}}
			inner.toks = c.block()
			inner.groupBody()
		case "let", "let!":
			paren := c.take("(")
			name := c.next().text
			if paren {
				c.want(")")
			}
			c.g.lets[name] = c.block()
		case "subject":
			name := ""
			if c.take("(") {
				name = c.next().text
			}
			body := c.block()
			c.g.lets["subject"] = body
			if name != "" {
				c.g.lets[name] = body
			}
		case "it":
			title := c.peek().text
			body := c.block()
			c.example(title, func(run *cursor) {
				run.toks = body
				run.statements(false)
			})
		case "include_examples":
			c.want("str") // they have only this one
			c.want(",")
			allowed := c.expression().([]any)
			c.example("uses its namespaces only", func(run *cursor) { run.namespaces(allowed) })
		case "before", "after", "shared_examples_for", "xit", "pending":
			c.block()
		default: // require and the like: on to the next line
			if c.take("=") && strings.ToUpper(word) == word {
				c.s.constants[word] = c.primary()
			}
			for !c.is("nl") && !c.is("eof") {
				c.i++
			}
		}
	}
}

// namespaces is what spec_helper.rb calls top-level namespaces: with the names of the Elastic Common Schema a pattern fills no others.
func (c *cursor) namespaces(allowed []any) {
	if c.s.naming != ECS {
		return
	}
	for name := range c.lookup("subject").(event) {
		if name != "message" && !strings.HasPrefix(name, "@") && !has(allowed, name) {
			panic(giveUp{name + " is none of its namespaces"})
		}
	}
}

func (c *cursor) example(title string, carryOut func(run *cursor)) {
	defer func() {
		if r := recover(); r != nil {
			g, ok := r.(giveUp)
			if !ok {
				g.why = fmt.Sprint(r)
			}
			c.s.failures = append(c.s.failures, fmt.Sprintf("%s %s %q: %s", c.s.pattern, c.s.naming, title, g.why))
		}
	}()
	carryOut(&cursor{s: c.s, g: c.g, vars: map[string]any{}})
	c.s.passed++
}

// statements carries out a body and gives its last value. With skip it only reads.
func (c *cursor) statements(skip bool) (last any) {
	for {
		c.newlines()
		if c.is("eof") || c.is("}") || c.word("end") || c.word("else") || c.word("elsif") {
			return last
		}
		if skip {
			depth := 0
			for ; !c.is("eof"); c.i++ {
				if t := c.peek(); t.kind == "word" && (t.text == "if" || t.text == "do" || t.text == "unless") {
					depth++
				} else if t.kind == "word" && t.text == "end" {
					if depth == 0 {
						return nil
					}
					depth--
				} else if t.kind == "word" && t.text == "else" && depth == 0 {
					return nil
				}
			}
			return nil
		}
		last = c.statement()
	}
}

func (c *cursor) statement() any {
	if c.word("if") || c.word("unless") {
		negate := c.next().text == "unless"
		yes := truth(c.expression()) != negate
		last := c.statements(!yes)
		if c.word("else") {
			c.i++
			if other := c.statements(yes); !yes {
				last = other
			}
		}
		if c.word("end") {
			c.i++
		}
		return last
	}
	if at, negate := c.modifier(); at > 0 { // do this if that
		from := c.i
		c.i = at
		yes := truth(c.expression()) != negate
		end := c.i
		if yes {
			c.i = from
			c.expression()
		}
		c.i = end
		return nil
	}
	if c.peek().kind == "word" && c.toks[c.i+1].kind == "=" {
		name := c.next().text
		c.i++
		c.newlines()
		v := c.expression()
		c.vars[name] = v
		return v
	}
	return c.expression()
}

// modifier finds a condition behind the statement, on its last line.
func (c *cursor) modifier() (at int, negate bool) {
	depth := 0
	for i := c.i; c.toks[i].kind != "eof"; i++ {
		switch t := c.toks[i]; {
		case t.kind == "(" || t.kind == "[" || t.kind == "{":
			depth++
		case t.kind == ")" || t.kind == "]" || t.kind == "}":
			depth--
		case depth == 0 && t.kind == "nl" && i > 0 && c.toks[i-1].kind != "," && c.toks[i-1].kind != "+":
			return 0, false
		case depth == 0 && t.kind == "word" && (t.text == "if" || t.text == "unless"):
			return i + 1, t.text == "unless"
		}
	}
	return 0, false
}

func truth(v any) bool { return v != nil && v != false }

func (c *cursor) expression() any {
	v := c.sum()
	for c.is("||") || c.is("?") || c.is("==") {
		switch c.next().kind {
		case "||":
			c.newlines()
			if w := c.sum(); !truth(v) {
				v = w
			}
		case "==":
			v = reflect.DeepEqual(v, c.sum())
		default:
			yes := c.sum()
			c.want(":")
			no := c.sum()
			if truth(v) {
				v = yes
			} else {
				v = no
			}
		}
	}
	return v
}

func (c *cursor) sum() any {
	v := c.postfix(c.primary())
	for c.is("+") || c.is("-") || c.is("*") {
		op := c.next().kind
		c.newlines()
		w := c.postfix(c.primary())
		if op == "*" {
			v = strings.Repeat(v.(string), int(w.(int64)))
			continue
		}
		if op == "-" {
			var out []any
			for _, x := range v.([]any) {
				if !has(w, x) {
					out = append(out, x)
				}
			}
			v = out
			continue
		}
		if list, ok := v.([]any); ok {
			v = append(slices.Clip(list), w.([]any)...)
			continue
		}
		v = v.(string) + w.(string)
	}
	return v
}

// event is what the specs call an event: its fields.
type event map[string]any

// matcher is what stands behind to.
type matcher struct {
	name string
	args []any
}

func (c *cursor) primary() any {
	c.newlines()
	switch t := c.next(); t.kind {
	case "str":
		out := t.text
		if t.parts != nil {
			out = ""
			for _, p := range t.parts {
				if text, ok := p.(string); ok {
					out += text
					continue
				}
				inner := &cursor{toks: p.([]token), s: c.s, g: c.g, vars: c.vars}
				out += fmt.Sprint(inner.expression())
			}
		}
		for c.is("str") { // texts side by side are one
			out += c.next().text
		}
		return out
	case "num":
		return numberOf(t.text)
	case "(":
		v := c.statements2(")")
		return v
	case "[":
		var list []any
		for c.newlines(); !c.take("]"); c.newlines() {
			if c.take("*") {
				from := c.primary().(string)
				c.want(".")
				c.want(".")
				for b, to := from[0], c.primary().(string)[0]; b <= to; b++ {
					list = append(list, string(rune(b)))
				}
			} else {
				list = append(list, c.expression())
			}
			c.newlines()
			c.take(",")
		}
		return list
	case "{":
		return c.pairs("}")
	case "!":
		return !truth(c.postfix(c.primary()))
	case "word":
		return c.call(t.text)
	default:
		panic(giveUp{"not understood: " + t.kind})
	}
}

func (c *cursor) statements2(end string) any {
	v := c.expression()
	c.newlines()
	c.want(end)
	return v
}

func (c *cursor) pairs(end string) map[string]any {
	m := map[string]any{}
	for c.newlines(); !c.take(end); c.newlines() {
		k := c.expression()
		c.newlines()
		c.want("=>")
		c.newlines()
		m[fmt.Sprint(k)] = c.expression()
		c.newlines()
		c.take(",")
	}
	return m
}

func numberOf(s string) any {
	s = strings.ReplaceAll(s, "_", "")
	if strings.Contains(s, ".") {
		return leadingFloat(s)
	}
	return leadingInt(s)
}

// args reads arguments in parentheses, or without them up to the end of the line.
func (c *cursor) args() []any {
	paren := c.is("(")
	if paren {
		c.i++
	}
	var out []any
	pairs := map[string]any{}
	for {
		if paren {
			c.newlines()
			if c.take(")") {
				break
			}
		} else if c.is("nl") || c.is("eof") || c.is("}") || c.is(")") || c.is(".") || c.is("=>") || c.word("end") || c.word("do") || c.word("if") || c.word("unless") {
			break
		}
		v := c.expression()
		if paren {
			c.newlines()
		}
		if c.take("=>") {
			c.newlines()
			pairs[fmt.Sprint(v)] = c.expression()
		} else {
			out = append(out, v)
		}
		if paren {
			c.newlines()
		}
		if c.take(",") {
			c.newlines()
		} else if !paren {
			break
		}
	}
	if paren && len(out) == 1 && c.take("=>") { // include (a ? b : c) => d
		pairs[fmt.Sprint(out[0])] = c.expression()
		out = nil
	}
	if len(pairs) > 0 {
		out = append(out, pairs)
	}
	return out
}

func (c *cursor) call(name string) any {
	if v, ok := c.vars[name]; ok {
		return v
	}
	if v, ok := c.s.constants[name]; ok {
		return v
	}
	switch name {
	case "nil":
		return nil
	case "Hash", "Array":
		return rubyClass(name)
	case "pending":
		c.args()
		return nil
	case "true":
		return true
	case "false":
		return false
	case "ecs_compatibility?":
		if c.s.naming == "" {
			return nil
		}
		return c.s.naming == ECS
	case "include", "pass", "match", "eq", "eql", "be", "be_nil", "hash_including", "be_a", "be_empty", "have_key", "end_with":
		return matcher{name, c.args()}
	case "expect":
		return expectation{c.args()[0]}
	case "should":
		c.check(c.lookup("subject"), c.expression().(matcher), false)
		return nil
	case "should_not":
		c.check(c.lookup("subject"), c.expression().(matcher), true)
		return nil
	case "is_expected":
		return expectation{c.lookup("subject")}
	case "build_event":
		return event{"message": c.args()[0], "@version": "1"}
	case "build_grok":
		return grokFilter{expression: "%{" + c.args()[0].(string) + "}"}
	case "grok_match", "grok_match_event", "grok_exact_match":
		a := c.args()
		exact := name == "grok_exact_match" || len(a) > 2 && truth(a[2])
		expression := "%{" + a[0].(string) + "}"
		if exact {
			expression = "^" + expression + "$"
		}
		return c.s.grok(expression, event{"message": a[1], "@version": "1"})
	case "LogStash":
		for c.take("::") {
			c.i++
		}
		c.want(".")
		c.i++ // new
		a := c.args()
		return grokFilter{expression: a[len(a)-1].(map[string]any)["match"].([]any)[1].(string)}
	}
	return c.lookup(name)
}

type expectation struct{ v any }

type grokFilter struct{ expression string }

// lookup is the value of a variable or of what a group defines.
func (c *cursor) lookup(name string) any {
	if v, ok := c.vars[name]; ok {
		return v
	}
	for g := c.g; g != nil; g = g.outer {
		if body, ok := g.lets[name]; ok {
			from := c.g
			if name == "subject" && g.lets["subject"] != nil {
				from = c.g
			}
			inner := &cursor{toks: body, s: c.s, g: from, vars: map[string]any{}}
			v := inner.statements(false)
			if c.vars == nil {
				c.vars = map[string]any{}
			}
			c.vars[name] = v
			return v
		}
	}
	switch name {
	case "pattern":
		if c.s.pattern != "" {
			return c.s.pattern
		}
	case "subject", "grok", "event", "grok_result":
		if c.s.pattern != "" {
			v := c.s.grok("%{"+c.lookup("pattern").(string)+"}", event{"message": c.lookup("message"), "@version": "1"})
			c.vars[name] = v
			return v
		}
		if name == "subject" {
			return c.g.subject
		}
	}
	panic(giveUp{"no " + name})
}

// grok applies an expression as the filter does.
func (s *spec) grok(expression string, e event) event {
	n := s.naming
	if n == "" {
		n = Legacy
	}
	p, ok := s.grokked[string(n)+expression]
	if !ok {
		var err error
		if p, err = Compile(expression, Options{Patterns: Stock(n)}); err != nil {
			panic(giveUp{err.Error()})
		}
		s.grokked[string(n)+expression] = p
	}
	var m Match
	if fits, err := p.Find(e["message"].(string), &m); !fits || err != nil {
		e["tags"] = []any{"_grokparsefailure"}
		return e
	}
	for _, capture := range p.Captures() {
		if v, ok := m.Value(capture); ok && v != "" {
			put(e, capture.Field, v)
		}
	}
	return e
}

func put(e map[string]any, field string, v any) {
	path := []string{field}
	if strings.HasPrefix(field, "[") {
		path = strings.Split(strings.Trim(field, "[]"), "][")
	}
	for _, p := range path[:len(path)-1] {
		next, ok := e[p].(map[string]any)
		if !ok {
			next = map[string]any{}
			e[p] = next
		}
		e = next
	}
	last := path[len(path)-1]
	switch old := e[last].(type) {
	case nil:
		e[last] = v
	case []any:
		e[last] = append(old, v)
	case string:
		e[last] = []any{old, v}
	}
}

func (c *cursor) postfix(v any) any {
	for {
		switch {
		case c.is("["):
			c.i++
			k := c.expression()
			c.want("]")
			v = at(v, k)
		case c.is("."):
			c.i++
			if c.is("(") {
				panic(giveUp{"a lambda"})
			}
			v = c.method(v, c.next().text)
		default:
			return v
		}
	}
}

// rubyClass is Hash or Array.
type rubyClass string

func isA(v, class any) bool {
	_, isHash := v.(map[string]any)
	_, isArray := v.([]any)
	return class == rubyClass("Hash") && isHash || class == rubyClass("Array") && isArray
}

func at(v, k any) any {
	switch v := v.(type) {
	case event:
		return v[fmt.Sprint(k)]
	case map[string]any:
		return v[fmt.Sprint(k)]
	case []any:
		return v[k.(int64)]
	}
	panic(giveUp{fmt.Sprintf("nothing at %v of %v", k, v)})
}

func (c *cursor) method(v any, name string) any {
	switch name {
	case "to", "to_not", "not_to":
		m, ok := c.expression().(matcher)
		if !ok {
			panic(giveUp{"no matcher"})
		}
		if c.take(",") {
			c.expression()
		}
		c.check(v.(expectation).v, m, name != "to")
		return nil
	case "to_s":
		return fmt.Sprint(v)
	case "to_hash", "register", "dup", "inspect":
		return v
	case "filter":
		return c.s.grok(v.(grokFilter).expression, c.args()[0].(event))
	case "keys":
		var out []any
		switch v := v.(type) {
		case event:
			for k := range v {
				out = append(out, k)
			}
		case map[string]any:
			for k := range v {
				out = append(out, k)
			}
		}
		return out
	case "get":
		return at(v, c.args()[0])
	case "include?":
		return has(v, c.args()[0])
	case "join":
		var b strings.Builder
		if c.is("(") {
			c.args()
		}
		for _, x := range v.([]any) {
			b.WriteString(x.(string))
		}
		return b.String()
	case "last":
		list := v.([]any)
		return list[len(list)-1]
	case "is_a?":
		return isA(v, c.args()[0])
	case "to_i":
		return leadingInt(v.(string))
	case "sub":
		a := c.args()
		return strings.Replace(v.(string), a[0].(string), a[1].(string), 1)
	}
	panic(giveUp{"method " + name})
}

func has(whole, part any) bool {
	switch whole := whole.(type) {
	case event:
		return has(map[string]any(whole), part)
	case map[string]any:
		if m, ok := part.(map[string]any); ok {
			for k, v := range m {
				if got, ok := whole[k]; !ok || !same(got, v) {
					return false
				}
			}
			return true
		}
		_, ok := whole[fmt.Sprint(part)]
		return ok
	case []any:
		for _, x := range whole {
			if same(x, part) {
				return true
			}
		}
	case string:
		s, ok := part.(string)
		return ok && strings.Contains(whole, s)
	}
	return false
}

// same compares with what was expected, which may be less than all.
func same(got, want any) bool {
	switch want := want.(type) {
	case matcher:
		return has(got, want.args[0])
	case map[string]any:
		m, ok := got.(map[string]any)
		if e, isEvent := got.(event); isEvent {
			m, ok = e, true
		}
		return ok && len(m) == len(want) && has(m, want)
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return false
		}
		for i := range list {
			if !same(list[i], want[i]) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(got, want)
}

func (c *cursor) check(got any, m matcher, not bool) {
	ok := true
	switch m.name {
	case "include":
		for _, a := range m.args {
			ok = ok && has(got, a)
		}
	case "pass":
		e, isEvent := got.(event)
		ok = isEvent && e["tags"] == nil
	case "match":
		e := c.s.grok("%{"+got.(string)+"}", event{"message": m.args[0]})
		ok = e["tags"] == nil
	case "be_nil":
		ok = got == nil
	case "end_with":
		ok = strings.HasSuffix(got.(string), m.args[0].(string))
	case "be_a":
		ok = isA(got, m.args[0])
	case "have_key":
		ok = has(got, m.args[0])
	case "be_empty":
		ok = reflect.ValueOf(got).Len() == 0
	default:
		ok = same(got, m.args[0])
	}
	if ok == not {
		panic(giveUp{fmt.Sprintf("%T %v, not %s%v", got, got, m.name, m.args)})
	}
}
