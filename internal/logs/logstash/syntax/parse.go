package syntax

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// maxDepth bounds blocks, values and conditions inside each other.
const maxDepth = 200

// Parse reads a file. It stops at the first mistake, which the finding names; then the file holds what came before.
func Parse(name, text string) (*File, []problem.Finding) {
	p := parser{s: text, file: &File{Name: name}}
	p.take("\ufeff")
	if err := p.sections(); err != nil {
		at := p.place(err.at)
		return p.file, []problem.Finding{{
			File: name, Line: at.Line, Column: at.Column, Severity: problem.SeverityError, Message: err.message, Mend: err.mend,
		}}
	}
	return p.file, nil
}

// mistake is where the text is not what the language wants.
type mistake struct {
	at            int
	message, mend string
}

type parser struct {
	s     string
	i     int
	depth int
	file  *File

	lineAt, line int // the start of a line that was counted, and its number less one
}

// place turns an offset into a line and a column. Offsets mostly rise, so it counts on from the last one.
func (p *parser) place(at int) Pos {
	if at < p.lineAt {
		p.lineAt, p.line = 0, 0
	}
	for {
		n := strings.IndexByte(p.s[p.lineAt:at], '\n')
		if n < 0 {
			break
		}
		p.lineAt += n + 1
		p.line++
	}
	return Pos{p.line + 1, utf8.RuneCountInString(p.s[p.lineAt:at]) + 1}
}

func (p *parser) wrong(message, mend string) *mistake { return &mistake{p.i, message, mend} }

// found is what stands at the cursor, for messages.
func (p *parser) found() string {
	if p.i >= len(p.s) {
		return "the end of the file"
	}
	rest := p.s[p.i:]
	if n := strings.IndexAny(rest, " \t\r\n"); n > 0 {
		rest = rest[:n]
	}
	if len(rest) > 30 {
		rest = rest[:27] + "…"
	}
	return fmt.Sprintf("%q", strings.ToValidUTF8(rest, "?"))
}

func (p *parser) take(prefix string) bool {
	if strings.HasPrefix(p.s[p.i:], prefix) {
		p.i += len(prefix)
		return true
	}
	return false
}

// blanks skips white space and comments.
func (p *parser) blanks() {
	for p.i < len(p.s) {
		switch p.s[p.i] {
		case ' ', '\t', '\r', '\n':
			p.i++
		case '#':
			n := strings.IndexByte(p.s[p.i:], '\n')
			if n < 0 {
				n = len(p.s) - p.i
			}
			p.i += n
		default:
			return
		}
	}
}

func (p *parser) deeper() *mistake {
	if p.depth++; p.depth > maxDepth {
		return p.wrong(fmt.Sprintf("blocks are more than %d levels deep", maxDepth), "write it flatter")
	}
	return nil
}

func (p *parser) sections() *mistake {
	for p.blanks(); p.i < len(p.s); p.blanks() {
		at := p.i
		kind := p.word()
		switch kind {
		case "input", "filter", "output":
		default:
			p.i = at
			return p.wrong("here is "+p.found()+", not a section", "begin with input {, filter { or output {")
		}
		s := &Section{Pos: p.place(at), Kind: kind}
		p.blanks()
		if !p.take("{") {
			return p.wrong("the section has no {", "write "+kind+" { … }")
		}
		body, err := p.statements()
		if err != nil {
			return err
		}
		s.Body = body
		p.file.Sections = append(p.file.Sections, s)
	}
	return nil
}

// statements reads up to the brace that closes the block.
func (p *parser) statements() (body []Statement, err *mistake) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	open := p.i - 1
	for {
		p.blanks()
		if p.take("}") {
			return body, nil
		}
		if p.i >= len(p.s) {
			return nil, &mistake{open, "this block is not closed: the file ends before its }", "add the }, or look for one too few inside"}
		}
		at := p.i
		s, err := p.statement()
		if err != nil {
			return nil, err
		}
		if s == nil {
			p.i = at
			return nil, p.wrong("here is "+p.found()+", not a plugin, an if or a }", "write plugin { … }")
		}
		body = append(body, s)
	}
}

func (p *parser) statement() (Statement, *mistake) {
	at := p.i
	if p.keyword("if") {
		return p.branch(at)
	}
	name, err := p.name()
	if err != nil || name == "" {
		return nil, err
	}
	if name == "else" || name == "elsif" {
		p.i = at
		return nil, p.wrong("else without an if before it", "put it right behind the } of an if; else if is two words")
	}
	plugin, err := p.plugin(name, at)
	if plugin == nil { // an interface that holds nothing is not nothing
		return nil, err
	}
	return plugin, err
}

// keyword takes a word that is followed by something that cannot belong to it.
func (p *parser) keyword(word string) bool {
	if !strings.HasPrefix(p.s[p.i:], word) {
		return false
	}
	if end := p.i + len(word); end < len(p.s) && isNameRune(rune(p.s[end])) {
		return false
	}
	p.i += len(word)
	return true
}

func isNameRune(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// word reads letters, digits, _ and -.
func (p *parser) word() string {
	from := p.i
	for p.i < len(p.s) && isNameRune(rune(p.s[p.i])) {
		p.i++
	}
	return p.s[from:p.i]
}

// name is a word or a string; empty if here is neither.
func (p *parser) name() (string, *mistake) {
	if p.i < len(p.s) && (p.s[p.i] == '"' || p.s[p.i] == '\'') {
		s, err := p.quoted()
		if err != nil {
			return "", err
		}
		if s.Text == "" {
			return "", p.wrong("the name is empty", "name the plugin or setting")
		}
		return s.Text, nil
	}
	return p.word(), nil
}

// plugin reads what stands behind a plugin's name.
func (p *parser) plugin(name string, at int) (*Plugin, *mistake) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	plugin := &Plugin{Pos: p.place(at), Name: name}
	p.blanks()
	if strings.HasPrefix(p.s[p.i:], "=>") {
		return nil, p.wrong(fmt.Sprintf("setting %q stands outside of a plugin", name), "put it between the braces of the plugin that it belongs to")
	}
	if !p.take("{") {
		return nil, p.wrong(fmt.Sprintf("behind %q here is %s, not {", name, p.found()), "write "+name+" { … }")
	}
	open := p.i - 1
	for {
		p.blanks()
		if p.take("}") {
			return plugin, nil
		}
		if p.i >= len(p.s) {
			return nil, &mistake{open, fmt.Sprintf("%q is not closed: the file ends before its }", name), "add the }, or look for a quote too few inside"}
		}
		s, err := p.setting(name)
		if err != nil {
			return nil, err
		}
		plugin.Settings = append(plugin.Settings, s)
	}
}

func (p *parser) setting(plugin string) (Setting, *mistake) {
	at := p.i
	s := Setting{Pos: p.place(at)}
	var err *mistake
	if s.Name, err = p.name(); err != nil {
		return s, err
	}
	if s.Name == "" {
		if strings.HasPrefix(p.s[p.i:], ",") {
			return s, p.wrong("settings are not separated by commas", "take the comma away")
		}
		return s, p.wrong(fmt.Sprintf("here is %s, not a setting of %q or a }", p.found(), plugin), "write name => value")
	}
	if err := p.arrow(s.Name, at); err != nil {
		return s, err
	}
	s.Value, err = p.anyValue()
	return s, err
}

func (p *parser) arrow(name string, at int) *mistake {
	p.blanks()
	if p.take("=>") {
		p.blanks()
		return nil
	}
	switch {
	case strings.HasPrefix(p.s[p.i:], "="), strings.HasPrefix(p.s[p.i:], ":"):
		return p.wrong(fmt.Sprintf("behind %q here is %s, not =>", name, p.found()), "write "+name+" => value")
	case strings.HasPrefix(p.s[p.i:], "{"):
		p.i = at
		return p.wrong(fmt.Sprintf("plugin %q stands inside of another", name), "close the one before it with }")
	}
	return p.wrong(fmt.Sprintf("behind %q here is %s, not =>", name, p.found()), "write "+name+" => value")
}

func (p *parser) anyValue() (Value, *mistake) {
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	at := p.i
	switch c := p.peek(); {
	case c == '"' || c == '\'':
		s, err := p.quoted()
		if err != nil {
			return nil, err
		}
		before := p.i
		if p.blanks(); p.peek() == '{' { // a plugin whose name is in quotes
			return p.pluginValue(s.Text, at)
		}
		p.i = before
		return s, nil
	case c == '[':
		return p.array()
	case c == '{':
		return p.hash()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case isNameRune(rune(c)):
		word := p.word()
		before := p.i
		if p.blanks(); p.peek() == '{' {
			return p.pluginValue(word, at)
		}
		p.i = before
		return p.bareword(word, at)
	}
	return nil, p.wrong("here is "+p.found()+", not a value", `write "text", a number, true, [ … ] or { … }`)
}

func (p *parser) pluginValue(name string, at int) (Value, *mistake) {
	plugin, err := p.plugin(name, at)
	if err != nil {
		return nil, err
	}
	return plugin, nil
}

func (p *parser) bareword(word string, at int) (Value, *mistake) {
	if strings.Contains(word, "-") {
		p.i = at
		return nil, p.wrong(fmt.Sprintf("%q needs quotes, since it has a -", word), fmt.Sprintf("write %q", word))
	}
	return &Bareword{p.place(at), word}, nil
}

func (p *parser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *parser) quoted() (*String, *mistake) {
	at, quote := p.i, p.s[p.i]
	for i := p.i + 1; i < len(p.s); i++ {
		switch p.s[i] {
		case '\\':
			if i+1 < len(p.s) && p.s[i+1] == quote {
				i++
			}
		case quote:
			p.i = i + 1
			return &String{p.place(at), p.s[at+1 : i], quote}, nil
		}
	}
	return nil, p.wrong("this text is not closed: the file ends before the quote", fmt.Sprintf("close it with %c; \\%c does not close a text", quote, quote))
}

func (p *parser) number() (Value, *mistake) {
	at := p.i
	p.take("-")
	digits := p.i
	for p.peek() >= '0' && p.peek() <= '9' {
		p.i++
	}
	if p.i == digits {
		p.i = at
		return nil, p.wrong("here is "+p.found()+", not a number", "write digits behind the minus, or put a text in quotes")
	}
	if p.take(".") {
		for p.peek() >= '0' && p.peek() <= '9' {
			p.i++
		}
	}
	if isNameRune(rune(p.peek())) || p.peek() == '.' {
		p.i = at
		return nil, p.wrong(fmt.Sprintf("%s is no number", p.found()), "put it in quotes")
	}
	return &Number{p.place(at), p.s[at:p.i]}, nil
}

func (p *parser) array() (Value, *mistake) {
	a := &Array{Pos: p.place(p.i)}
	open := p.i
	p.i++
	for {
		p.blanks()
		if p.take("]") {
			if len(a.Items) > 0 {
				p.i--
				return nil, p.wrong("a comma before the ]", "take the comma away")
			}
			return a, nil
		}
		if p.i >= len(p.s) {
			return nil, &mistake{open, "this list is not closed: the file ends before its ]", "add the ]"}
		}
		item, err := p.anyValue()
		if err != nil {
			return nil, err
		}
		a.Items = append(a.Items, item)
		p.blanks()
		if p.take("]") {
			return a, nil
		}
		if !p.take(",") {
			if p.i >= len(p.s) {
				return nil, &mistake{open, "this list is not closed: the file ends before its ]", "add the ]"}
			}
			return nil, p.wrong("in a list here is "+p.found()+", not , or ]", "separate what it holds by commas and close it with ]")
		}
	}
}

func (p *parser) hash() (Value, *mistake) {
	h := &Hash{Pos: p.place(p.i)}
	open := p.i
	p.i++
	seen := map[string]bool{}
	for {
		p.blanks()
		if p.take("}") {
			return h, nil
		}
		if p.i >= len(p.s) {
			return nil, &mistake{open, "this hash is not closed: the file ends before its }", "add the }"}
		}
		at := p.i
		key, text, err := p.hashKey()
		if err != nil {
			return nil, err
		}
		if seen[text] {
			p.i = at
			return nil, p.wrong(fmt.Sprintf("key %q stands twice in one hash", text), "put what both say into one; several values go into a list")
		}
		seen[text] = true
		if err := p.arrow(text, at); err != nil {
			return nil, err
		}
		value, err := p.anyValue()
		if err != nil {
			return nil, err
		}
		h.Entries = append(h.Entries, Entry{key, value})
	}
}

func (p *parser) hashKey() (Value, string, *mistake) {
	at := p.i
	switch c := p.peek(); {
	case c == '"' || c == '\'':
		s, err := p.quoted()
		if err != nil {
			return nil, "", err
		}
		return s, s.Text, nil
	case c == '-' || c >= '0' && c <= '9':
		n, err := p.number()
		if err != nil {
			return nil, "", err
		}
		return n, n.(*Number).Text, nil
	case isNameRune(rune(c)):
		word := p.word()
		b, err := p.bareword(word, at)
		return b, word, err
	case c == ',':
		return nil, "", p.wrong("the pairs of a hash are not separated by commas", "take the comma away")
	}
	return nil, "", p.wrong("here is "+p.found()+", not a key of the hash or its }", `write "key" => value; a field reference goes in quotes`)
}
